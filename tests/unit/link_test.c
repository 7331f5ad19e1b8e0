/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "etcd/link.h"

#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct link *parsed(const char *text)
{
    struct link *l = NULL;
    struct err e = {0};

    if (link_parse(&l, text, &e) < 0)
        fail_msg("%s: %s", text, e.msg);
    return l;
}

static void a_full_link_is_taken_apart(void **state)
{
    (void)state;
    struct link *l = parsed("etcds://ceph-osd-1:p%40ss%2Fw@10.0.0.1:2379,etcd-2,[fd00::3]:99"
                            "/slipway/demo/instances/ceph-osd-1?pin=" PIN);

    assert_true(l->tls);
    assert_false(l->file);
    assert_string_equal(l->user, "ceph-osd-1");
    assert_string_equal(l->password, "p@ss/w");
    assert_int_equal(l->endpoint_count, 3);
    assert_string_equal(l->endpoints[0].host, "10.0.0.1");
    assert_int_equal(l->endpoints[0].port, 2379);
    assert_string_equal(l->endpoints[1].host, "etcd-2");
    assert_int_equal(l->endpoints[1].port, 2379);
    assert_string_equal(l->endpoints[2].host, "fd00::3");
    assert_int_equal(l->endpoints[2].port, 99);
    assert_string_equal(l->prefix, "/slipway/demo/instances/ceph-osd-1");
    assert_string_equal(l->pin, PIN);
    link_free(l);
}

static void a_short_link_has_defaults(void **state)
{
    (void)state;
    struct link *l = parsed("etcd://localhost");

    assert_false(l->tls);
    assert_null(l->user);
    assert_null(l->password);
    assert_null(l->pin);
    assert_string_equal(l->prefix, "");
    assert_int_equal(l->endpoints[0].port, 2379);
    link_free(l);
}

static void slashes_at_the_end_of_the_prefix_go(void **state)
{
    (void)state;
    struct link *l = parsed("etcd://h/a/b//");

    assert_string_equal(l->prefix, "/a/b");
    link_free(l);
    l = parsed("etcd://h/");
    assert_string_equal(l->prefix, "");
    link_free(l);
}

static void a_file_link_has_only_a_path(void **state)
{
    (void)state;
    struct link *l = parsed("file:///etc/slip%20way/snapshot.json");

    assert_true(l->file);
    assert_string_equal(l->path, "/etc/slip way/snapshot.json");
    assert_int_equal(l->endpoint_count, 0);
    link_free(l);
}

static void text_and_link_are_one_round_trip(void **state)
{
    static const char *const texts[] = {
        ("etcds://u:p%40%3A%2F@h:2379,[::1]:1/slipway/a%20b?pin=" PIN),
        "etcd://h:2379/x",
        "etcd://only-user@h:2379",
        "file:///a/b%25c",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct link *l = parsed(texts[i]);
        auto_free char *again = link_format(l, false);

        assert_string_equal(again, texts[i]);
        link_free(l);
    }
}

static void a_redacted_link_shows_no_password(void **state)
{
    (void)state;
    struct link *l = parsed("etcd://root:hunter22@h/x");
    auto_free char *text = link_format(l, true);

    assert_string_equal(text, "etcd://root:***@h:2379/x");
    link_free(l);
}

static void what_is_no_link_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "link: begins with etcds://, etcd:// or file://"},
        {"http://h", "link: begins with etcds://, etcd:// or file://"},
        {"etcd://", "link: a host is missing or is not a host name"},
        {"etcd://h,", "link: a host is missing or is not a host name"},
        {"etcd://-h", "link: a host is missing or is not a host name"},
        {"etcd://h:0", "link: a port is a number from 1 to 65535"},
        {"etcd://h:65536", "link: a port is a number from 1 to 65535"},
        {"etcd://h:", "link: a port is a number from 1 to 65535"},
        {"etcd://h:2379x", "link: a port is a number from 1 to 65535"},
        {"etcd://[::1", "link: a '[' has no ']'"},
        {"etcd://[::g]", "link: what is in brackets is not an IPv6 address"},
        {"etcd://[::1]x", "link: after ']' only ':PORT' may stand"},
        {"etcd://:p@h", "link: the user is empty"},
        {"etcd://u:@h", "link: the password is empty"},
        {"etcd://u:a:b@h", "link: a ':' in the password is written %3A"},
        {"etcd://u:p@ss@h", "link: a '@' in the user or the password is written %40"},
        {"etcd://u:p%4@h", "link: a % in the password is not followed by two hex digits"},
        {"etcd://u:p%00@h", "link: the password holds a control character or is not UTF-8"},
        {"etcd://u%FF@h", "link: the user holds a control character or is not UTF-8"},
        {"etcd://h/a//b", "link: the prefix has an empty part (\"//\")"},
        {"etcd://h/%0A", "link: the prefix holds a control character or is not UTF-8"},
        {"etcd://h/x?pin=" PIN, "link: a pin needs etcds://"},
        {"etcds://h/x?pin=sha256//AAAA", "link: the pin is sha256// and the base64 of 32 bytes"},
        {"etcds://h/x?pin=" PIN "&pin=" PIN, "link: the pin is given twice"},
        {"etcds://h/x?ca=1", "link: after '?' only pin=sha256//BASE64 may stand"},
        {"etcds://h/x?", "link: after '?' only pin=sha256//BASE64 may stand"},
        {"etcd://h/#x", "link: spaces, control characters, '#' and bytes over 127 are written %XX"},
        {"etcd://h/a b",
         "link: spaces, control characters, '#' and bytes over 127 are written %XX"},
        {"file://etc/x", "link: file:// is followed by an absolute path"},
        {"file://", "link: file:// is followed by an absolute path"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct link *l;
        struct err e = {0};

        assert_int_equal(link_parse(&l, rows[i].text, &e), -1);
        assert_null(l);
        assert_string_equal(e.msg, rows[i].message);
        assert_int_equal(e.code, ERR_CONFIG);
    }
}

static void a_link_has_limits(void **state)
{
    char text[LINK_MAX + 64] = "etcd://h/";
    struct link *l = NULL;
    struct err e = {0};

    (void)state;
    memset(text + 9, 'a', LINK_MAX);
    assert_int_equal(link_parse(&l, text, &e), -1);
    assert_string_equal(e.msg, "link: longer than 4096 bytes");
    assert_int_equal(link_parse(&l, "etcd://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", &e), -1);
    assert_string_equal(e.msg, "link: more than 16 endpoints");
}

static void no_message_holds_the_password(void **state)
{
    static const char *const texts[] = {
        "etcd://u:hunter22%zz@h",      "etcd://u:hunter22@h:0", "etcd://u:hunter22:x@h",
        "etcds://u:hunter22@h/?pin=x", "etcdx://u:hunter22@h",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct link *l;
        struct err e = {0};

        assert_int_equal(link_parse(&l, texts[i], &e), -1);
        assert_null(strstr(e.msg, "hunter22"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_link_is_taken_apart),
        cmocka_unit_test(a_short_link_has_defaults),
        cmocka_unit_test(slashes_at_the_end_of_the_prefix_go),
        cmocka_unit_test(a_file_link_has_only_a_path),
        cmocka_unit_test(text_and_link_are_one_round_trip),
        cmocka_unit_test(a_redacted_link_shows_no_password),
        cmocka_unit_test(what_is_no_link_is_refused_with_a_reason),
        cmocka_unit_test(a_link_has_limits),
        cmocka_unit_test(no_message_holds_the_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
