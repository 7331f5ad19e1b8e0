/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "etcd/wire.h"

static struct wire *parsed(const char *text)
{
    struct wire *w;
    struct err e = {0};

    if (wire_parse(&w, text, strlen(text), &e) < 0)
        fail_msg("%s: %s", text, e.msg);
    return w;
}

static void a_missing_field_is_zero(void **state)
{
    (void)state;
    struct wire *w = parsed("{}");

    assert_int_equal(wire_int(w, "n"), 0);
    assert_false(wire_bool(w, "b"));
    assert_string_equal(wire_text(w, "s"), "");
    assert_null(wire_first(wire_get(w, "list")));
    assert_null(wire_get(wire_get(w, "a"), "b"));
    wire_free(w);
}

static void numbers_come_as_strings_with_all_their_bits(void **state)
{
    (void)state;
    struct wire *w = parsed("{\"a\":\"9223372036854775807\",\"b\":\"-5\",\"c\":7,\"d\":"
                            "\"18446744073709551615\",\"e\":\"x\",\"f\":1e300,\"g\":\"12x\"}");

    assert_true(wire_int(w, "a") == INT64_MAX);
    assert_int_equal(wire_int(w, "b"), -5);
    assert_int_equal(wire_int(w, "c"), 7);
    assert_true(wire_uint(w, "d") == UINT64_MAX);
    assert_true(wire_uint(w, "b") == 0);
    assert_int_equal(wire_int(w, "e"), 0);
    assert_int_equal(wire_int(w, "f"), 0);
    assert_int_equal(wire_int(w, "g"), 0);
    wire_free(w);
}

static void a_name_counts_its_case(void **state)
{
    (void)state;
    struct wire *w = parsed("{\"Key\":\"no\",\"key\":\"yes\"}");

    assert_string_equal(wire_text(w, "key"), "yes");
    wire_free(w);
}

static void what_is_not_one_object_is_refused(void **state)
{
    static const char *const texts[] = {"", "[]", "{} {}", "{", "null", "{}x", "\"x\""};
    struct wire *w;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(wire_parse(&w, texts[i], strlen(texts[i]), &e), -1);
        assert_null(w);
        assert_int_equal(e.code, ERR_REMOTE);
    }
    assert_int_equal(wire_parse(&w, "{}\0{}", 5, &e), -1);
    assert_string_equal(e.msg, "etcd's reply holds a NUL byte");
    assert_int_equal(wire_parse(&w, "{}\n ", 4, &e), 0);
    wire_free(w);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    auto_free char *text = mem_alloc(200001);
    struct wire *w;
    struct err e;

    memset(text, '[', 200000);
    assert_int_equal(wire_parse(&w, text, 200000, &e), -1);
}

static void a_value_is_bytes_and_an_empty_one_is_left_out(void **state)
{
    (void)state;
    struct wire *w = parsed("{\"key\":\"L2E=\",\"value\":\"AAE=\",\"mod_revision\":\"4\"}");
    struct etcd_kv kv;
    size_t key_len;
    struct err e = {0};

    assert_int_equal(wire_kv(&kv, &key_len, w, &e), 0);
    assert_string_equal(kv.key, "/a");
    assert_int_equal(key_len, 2);
    assert_int_equal(kv.value_len, 2);
    assert_memory_equal(kv.value, "\0\1\0", 3);
    assert_int_equal(kv.mod_revision, 4);
    etcd_kv_clear(&kv);
    wire_free(w);
    w = parsed("{\"key\":\"L2E=\"}");
    assert_int_equal(wire_kv(&kv, NULL, w, &e), 0);
    assert_string_equal(kv.value, "");
    assert_int_equal(kv.value_len, 0);
    etcd_kv_clear(&kv);
    wire_free(w);
    w = parsed("{\"key\":\"*\"}");
    assert_int_equal(wire_kv(&kv, NULL, w, &e), -1);
    assert_null(kv.key);
    wire_free(w);
}

/* Bodies as 3.4, 3.5 and 3.6 send them. */
static void failures_are_told_apart_by_their_words(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum wire_fault fault;
        enum err_code code;
        const char *message;
    } rows[] = {
        {200, "{}", WIRE_FAULT_NONE, ERR_NONE, ""},
        {400,
         "{\"error\":\"etcdserver: user name is empty\",\"message\":\"etcdserver: user name is "
         "empty\",\"code\":3}",
         WIRE_FAULT_TOKEN, ERR_AUTH, "etcd wants a user and a password"},
        {401, "{\"error\":\"etcdserver: invalid auth token\",\"code\":16}", WIRE_FAULT_TOKEN,
         ERR_AUTH, "etcd does not know the token any more"},
        {400, "{\"error\":\"etcdserver: revision of auth store is old\",\"code\":3}",
         WIRE_FAULT_AUTH_MOVED, ERR_AUTH, "etcdserver: revision of auth store is old"},
        {400, "{\"error\":\"etcdserver: authentication is not enabled\",\"code\":9}",
         WIRE_FAULT_AUTH_OFF, ERR_CONFLICT, "etcdserver: authentication is not enabled"},
        {403, "{\"error\":\"etcdserver: permission denied\",\"code\":7}", WIRE_FAULT_OTHER,
         ERR_AUTH, "etcd denies the permission"},
        {400, "{\"error\":\"etcdserver: mvcc: required revision has been compacted\",\"code\":11}",
         WIRE_FAULT_COMPACTED, ERR_CONFLICT,
         "etcdserver: mvcc: required revision has been compacted"},
        {404, "{\"error\":\"etcdserver: requested lease not found\",\"code\":5}", WIRE_FAULT_OTHER,
         ERR_NOTFOUND, "etcdserver: requested lease not found"},
        {429,
         "{\"error\":\"grpc: received message larger than max (4000107 vs. 2097152)\",\"code\":8}",
         WIRE_FAULT_OTHER, ERR_CONFIG, "the request is larger than etcd takes (1.5 MiB)"},
        {503, "{\"error\":\"etcdserver: leader changed\",\"code\":14}", WIRE_FAULT_UNAVAILABLE,
         ERR_NET, "etcdserver: leader changed"},
        {503, "{\"code\":14,\"message\":\"something new\",\"details\":[]}", WIRE_FAULT_UNAVAILABLE,
         ERR_NET, "etcd answered: something new"},
        {200, "{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"closing\"}}",
         WIRE_FAULT_UNAVAILABLE, ERR_NET, "etcd answered: closing"},
        {200, "{\"error\":{\"code\":7,\"message\":\"etcdserver: permission denied\"}}",
         WIRE_FAULT_OTHER, ERR_AUTH, "etcd denies the permission"},
        {500, "{\"error\":\"a\\nb\\u0007\",\"code\":2}", WIRE_FAULT_OTHER, ERR_REMOTE,
         "etcd answered: a b"},
        {404, "Not Found", WIRE_FAULT_OTHER, ERR_REMOTE, "HTTP status 404: Not Found"},
        {502, "", WIRE_FAULT_UNAVAILABLE, ERR_REMOTE, "HTTP status 502: (no text)"},
        {200, "Hello", WIRE_FAULT_OTHER, ERR_REMOTE, "etcd's reply is not JSON"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        assert_int_equal(wire_failure(rows[i].status, rows[i].body, strlen(rows[i].body), &e),
                         rows[i].fault);
        assert_string_equal(e.msg, rows[i].message);
        assert_int_equal(e.code, rows[i].code);
    }
}

static void the_end_of_a_prefix_is_the_next_key_behind_it(void **state)
{
    static const struct {
        const char *prefix, *end;
        size_t len;
    } rows[] = {
        {"/a/", "/a0", 3}, {"a", "b", 1},       {"a\xFF", "b", 1},
        {"", "", 1},       {"\xFF\xFF", "", 1}, {"a\xFE", "a\xFF", 2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len;
        auto_free char *end = wire_prefix_end(&len, rows[i].prefix, strlen(rows[i].prefix));

        assert_int_equal(len, rows[i].len);
        assert_string_equal(end, rows[i].end);
    }
}

static void only_a_name_that_ends_in_a_slash_is_a_range(void **state)
{
    struct buf b = {.max = 1000};

    (void)state;
    wire_put_range(&b, "/a");
    assert_string_equal(buf_str(&b), "\"key\":\"L2E=\"");
    buf_clear(&b);
    wire_put_range(&b, "/a/");
    assert_string_equal(buf_str(&b), "\"key\":\"L2Ev\",\"range_end\":\"L2Ew\"");
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_field_is_zero),
        cmocka_unit_test(numbers_come_as_strings_with_all_their_bits),
        cmocka_unit_test(a_name_counts_its_case),
        cmocka_unit_test(what_is_not_one_object_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_value_is_bytes_and_an_empty_one_is_left_out),
        cmocka_unit_test(failures_are_told_apart_by_their_words),
        cmocka_unit_test(the_end_of_a_prefix_is_the_next_key_behind_it),
        cmocka_unit_test(only_a_name_that_ends_in_a_slash_is_a_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
