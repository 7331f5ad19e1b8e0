/* SPDX-License-Identifier: MIT */
/* What the headers of a request may say, and what a refusal of them tells. */
#include "controller/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void hosts_are_addresses_and_the_names_that_were_given(void **state)
{
    static const char *const good[] = {"127.0.0.1",           "10.0.0.1:8443", "[::1]:8443",
                                       "localhost:1",         "LocalHost",     "cluster.example",
                                       "Cluster.example:8443"};
    static const char *const bad[] = {
        "evil.example", "localhost.evil.example", "",       "a b",  "[::1", "127.0.0.1:",
        "127.0.0.1:x",  "127.0.0.1.evil.example", "[evil]", "1:2:3"};
    auto_strv struct strv names = strv_of("cluster.example");
    const struct headers_known known = {&names, NULL};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct headers h = {.items = {{"Host", good[i]}}, .count = 1};

        if (headers_check_host(&h, &known, &e) < 0)
            fail_msg("%s: %s", good[i], e.msg);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct headers h = {.items = {{"Host", bad[i]}}, .count = 1};

        if (headers_check_host(&h, &known, &e) == 0)
            fail_msg("%s was taken", bad[i]);
    }
}

static void a_change_comes_from_our_page_or_brings_a_token(void **state)
{
    auto_strv struct strv trusted = strv_of("https://proxy.example:444");
    const struct headers_known known = {&trusted, NULL};
    struct headers none = {.items = {{"Host", "a:1"}}, .count = 1};
    struct headers own = {.items = {{"Host", "a:1"}, {"Origin", "https://a:1"}}, .count = 2};
    struct headers proxy = {.items = {{"Host", "a:1"}, {"Origin", "https://proxy.example:444"}},
                            .count = 2};
    static const char *const bad[] = {
        "http://a:1",   "https://a:2",          "https://a", "null", "",
        "https://a:1/", "https://proxy.example"};
    struct err e;

    (void)state;
    assert_int_equal(headers_check_origin(&none, &known, false, &e), -1);
    assert_int_equal(headers_check_origin(&none, &known, true, &e), 0);
    assert_int_equal(headers_check_origin(&own, &known, false, &e), 0);
    assert_int_equal(headers_check_origin(&proxy, &known, false, &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct headers h = {.items = {{"Host", "a:1"}, {"Origin", bad[i]}}, .count = 2};

        if (headers_check_origin(&h, &known, true, &e) == 0)
            fail_msg("%s was taken", bad[i]);
    }
}

static void a_refusal_says_how_to_allow_it_where_the_server_runs(void **state)
{
    auto_strv struct strv none = {0}, one = strv_of("a.example"), many = {0};
    const struct headers_known option = {&one, NULL}, first = {&none, "demo"}, key = {&one, "demo"},
                               long_one = {&many, "demo"};
    static const char host[] = "this server is not called b.example";
    static const char page[] = "a page of https://b:1 may not change anything here";
    struct headers b = {.items = {{"Host", "b.example:1"}, {"Origin", "https://b:1"}}, .count = 2};
    struct headers odd = {.items = {{"Host", "b';x"}, {"Origin", "https://b`x`"}}, .count = 2};
    const struct {
        const struct headers_known *known;
        const struct headers *h;
        const char *about, *host, *page;
    } rows[] = {
        {&option, &b, "an option", ": start it with `--name b.example`",
         ": start it with `--trusted-origin https://b:1`"},
        {&first, &b, "a key",
         ": add it with `slipway -e demo config set controller names '[\"b.example\"]'`",
         ": add it with `slipway -e demo config set controller trusted_origins "
         "'[\"https://b:1\"]'`"},
        {&key, &b, "a key that has something",
         ": add it with `slipway -e demo config set controller names "
         "'[\"a.example\",\"b.example\"]'`",
         ": add it with `slipway -e demo config set controller trusted_origins "
         "'[\"a.example\",\"https://b:1\"]'`"},
        {&long_one, &b, "a key that has much", ": add it to names of the component controller",
         ": add it to trusted_origins of the component controller"},
    };
    struct err e;

    (void)state;
    for (int i = 0; i < 100; i++)
        strv_addf(&many, "%d.example", i);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *hosts = mem_printf("%s%s, or use its address", host, rows[i].host);
        auto_free char *pages = mem_printf("%s%s", page, rows[i].page);

        print_message("%s\n", rows[i].about);
        assert_int_equal(headers_check_host(rows[i].h, rows[i].known, &e), -1);
        assert_string_equal(e.msg, hosts);
        assert_int_equal(headers_check_origin(rows[i].h, rows[i].known, true, &e), -1);
        assert_string_equal(e.msg, pages);
    }
    assert_int_equal(headers_check_host(&odd, &key, &e), -1);
    assert_null(strchr(e.msg, '`'));
    assert_int_equal(headers_check_origin(&odd, &key, true, &e), -1);
    assert_string_equal(e.msg, "a page of https://b`x` may not change anything here");
}

static void a_cookie_is_found_once_or_not_at_all(void **state)
{
    static const struct {
        const char *text, *value;
    } rows[] = {
        {"a=1", "1"},         {"b=2; a=1; c=3", "1"}, {"b=2;a=1", "1"}, {"aa=2", NULL},
        {"a=1; a=2", NULL},   {"a=", NULL},           {"a", NULL},      {"a=1 2", NULL},
        {"a=\"1\"", NULL},    {"b=a=1", NULL},        {"", NULL},       {";;; a=1;", "1"},
        {"a=\xc3\xa4", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct headers h = {.items = {{"cookie", rows[i].text}}, .count = 1};
        auto_free char *value = headers_cookie(&h, "a");

        if (!rows[i].value != !value || (value && strcmp(value, rows[i].value) != 0))
            fail_msg("%s: %s", rows[i].text, value ? value : "none");
    }
}

static void what_must_stand_once_stands_once(void **state)
{
    static const char *const once[] = {"Host", "Content-Length", "authorization", "Cookie"};
    struct err e;
    int64_t length;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(once); i++) {
        struct headers h = {.items = {{"Host", "a"}, {once[i], "1"}, {once[i], "1"}}, .count = 3};

        assert_int_equal(headers_check_single(&h, &e), -1);
    }
    struct headers both = {
        .items = {{"Host", "a"}, {"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}},
        .count = 3};
    assert_int_equal(headers_check_single(&both, &e), -1);
    struct headers negative = {.items = {{"Content-Length", "-1"}}, .count = 1};
    assert_int_equal(headers_length(&length, &negative, &e), -1);
    struct headers plain = {.items = {{"Content-Length", "12"}}, .count = 1};
    assert_int_equal(headers_length(&length, &plain, &e), 0);
    assert_int_equal(length, 12);
}

static void an_event_is_known_by_two_numbers(void **state)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "-",
                                      "1-",
                                      "-1",
                                      "1-2-3",
                                      "1-2 ",
                                      " 1-2",
                                      "a-1",
                                      "+1-2",
                                      "1--2",
                                      "1234567890123456789-1",
                                      "1-1234567890123456789"};
    int64_t epoch = 0, number = 0;

    (void)state;
    assert_true(headers_event_id(&epoch, &number, "1700000000000-42"));
    assert_int_equal(epoch, 1700000000000);
    assert_int_equal(number, 42);
    assert_false(headers_event_id(&epoch, &number, NULL));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(headers_event_id(&epoch, &number, bad[i]));
}

static void a_tag_is_one_of_a_list(void **state)
{
    (void)state;
    assert_true(headers_has_tag("\"a\"", "a"));
    assert_true(headers_has_tag("\"b\", W/\"a\"", "a"));
    assert_true(headers_has_tag("*", "a"));
    assert_false(headers_has_tag("\"ab\"", "a"));
    assert_false(headers_has_tag("a", "a"));
    assert_false(headers_has_tag("", "a"));
    assert_false(headers_has_tag(NULL, "a"));
    assert_false(headers_has_tag("\"b\", *", "a"));
    assert_false(headers_has_tag("*a", "a"));
}

static void what_is_not_one_tag_matches_nothing(void **state)
{
    static const struct {
        const char *value, *tag;
        bool good;
    } rows[] = {
        {"*", NULL, true},        {"\"a\"", "a", true},    {"W/\"a\"", "a", true},
        {"a", NULL, false},       {"", NULL, false},       {"\"a", NULL, false},
        {"\"\"", NULL, false},    {"\"a\"b", NULL, false}, {"\"a\", \"b\"", NULL, false},
        {"w/\"a\"", NULL, false}, {"**", NULL, false},     {"W/*", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *tag = NULL;
        bool good = headers_tag(&tag, rows[i].value);

        if (good != rows[i].good || !tag != !rows[i].tag || (tag && strcmp(tag, rows[i].tag) != 0))
            fail_msg("%s: %d, %s", rows[i].value, good, tag ? tag : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_addresses_and_the_names_that_were_given),
        cmocka_unit_test(a_change_comes_from_our_page_or_brings_a_token),
        cmocka_unit_test(a_refusal_says_how_to_allow_it_where_the_server_runs),
        cmocka_unit_test(a_cookie_is_found_once_or_not_at_all),
        cmocka_unit_test(what_must_stand_once_stands_once),
        cmocka_unit_test(an_event_is_known_by_two_numbers),
        cmocka_unit_test(a_tag_is_one_of_a_list),
        cmocka_unit_test(what_is_not_one_tag_matches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
