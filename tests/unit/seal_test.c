/* SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"

static void what_was_sealed_opens_again(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "x", "a longer text, with\nlines"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        auto_free char *sealed = crypto_seal("pass", "demo/key", texts[i], strlen(texts[i]));
        auto_free char *plain = NULL;
        size_t len = 0;
        struct err e;

        assert_int_equal(strncmp(sealed, "v1:", 3), 0);
        assert_int_equal(crypto_open(&plain, &len, "pass", "demo/key", sealed, &e), 0);
        assert_int_equal(len, strlen(texts[i]));
        assert_string_equal(plain, texts[i]);
    }
}

static void sealing_twice_gives_the_same_text(void **state)
{
    (void)state;
    auto_free char *a = crypto_seal("pass", "n", "secret", 6);
    auto_free char *b = crypto_seal("pass", "n", "secret", 6);
    auto_free char *c = crypto_seal("pass", "n", "secreT", 6);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    /* other text, other nonce: 16 base64 digits are the 12 bytes of it */
    assert_int_not_equal(strncmp(a + 3, c + 3, 16), 0);
}

static void refused(const char *password, const char *name, const char *sealed)
{
    char *plain = NULL;
    size_t len = 1;
    struct err e;

    assert_int_equal(crypto_open(&plain, &len, password, name, sealed, &e), -1);
    assert_int_equal(e.code, ERR_AUTH);
    assert_null(plain);
    assert_int_equal(len, 0);
    assert_null(strstr(e.msg, "pass"));
}

static void another_password_or_name_does_not_open_it(void **state)
{
    (void)state;
    auto_free char *sealed = crypto_seal("secret", "demo/key", "text", 4);
    char *plain = NULL;
    size_t len;
    struct err e;
    assert_int_equal(crypto_open(&plain, &len, "other", "demo/key", sealed, &e), -1);
    assert_int_equal(e.code, ERR_AUTH);
    assert_int_equal(crypto_open(&plain, &len, "secret", "demo/key2", sealed, &e), -1);
    assert_int_equal(crypto_open(&plain, &len, "secret", "demo/ke", sealed, &e), -1);
    assert_int_equal(crypto_open(&plain, &len, "", "demo/key", sealed, &e), -1);
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    auto_free char *sealed = crypto_seal("p", "n", "text", 4);
    auto_free char *raw = NULL;
    size_t len;
    struct err e;
    assert_int_equal(base64_decode(&raw, &len, sealed + 3, strlen(sealed) - 3, &e), 0);
    assert_int_equal(len, 12 + 4 + 16);
    for (size_t i = 0; i < len; i++) {
        raw[i] ^= 1;
        auto_free char *text = base64_encode(raw, len);
        auto_free char *changed = mem_printf("v1:%s", text);
        char *plain = NULL;
        size_t plain_len;
        assert_int_equal(crypto_open(&plain, &plain_len, "p", "n", changed, &e), -1);
        assert_int_equal(e.code, ERR_AUTH);
        raw[i] ^= 1;
    }
}

static void what_is_no_sealed_text_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "v1:",
                                        "v2:AAAA",
                                        "plain",
                                        "v1:AAAA",
                                        "v1:!!!!",
                                        "v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        refused("p", "n", texts[i]);
}

/* Made once; a change here would make every stored secret unreadable. */
static void the_format_stays_readable(void **state)
{
    (void)state;
    auto_free char *sealed = crypto_seal("password", "ceph-osd-1/key", "hello", 5);
    assert_string_equal(sealed, "v1:rVXo0fL/MPpVptjTK4kzdcPUX7xRbLaAF4j54a9qr/e1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens_again),
        cmocka_unit_test(sealing_twice_gives_the_same_text),
        cmocka_unit_test(another_password_or_name_does_not_open_it),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(what_is_no_sealed_text_is_refused),
        cmocka_unit_test(the_format_stays_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
