/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"

/* RFC 4648 section 10. */
static const struct {
    const char *plain, *text, *url;
} rows[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+", "-__-"},
};

static void the_vectors_of_the_rfc_hold_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].plain), back = 99;
        auto_free char *text = base64_encode(rows[i].plain, len);
        auto_free char *url = base64url_encode(rows[i].plain, len);
        auto_free char *plain = NULL;
        struct err e;

        assert_string_equal(text, rows[i].text);
        assert_string_equal(url, rows[i].url);
        assert_int_equal(base64_decode(&plain, &back, text, strlen(text), &e), 0);
        assert_int_equal(back, len);
        assert_string_equal(plain, rows[i].plain);
    }
}

static void every_byte_survives(void **state)
{
    unsigned char all[256];
    struct err e;
    size_t len;

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    auto_free char *text = base64_encode(all, sizeof(all));
    auto_free char *back = NULL;
    assert_int_equal(base64_decode(&back, &len, text, strlen(text), &e), 0);
    assert_int_equal(len, sizeof(all));
    assert_memory_equal(back, all, sizeof(all));
}

static void what_is_not_canonical_is_refused(void **state)
{
    static const char *const bad[] = {"Z",    "Zg",     "Zg=",  "Zg==Zg==", "Z===",
                                      "====", "Zh==",   "Zm9=", "Zm 9",     "Zm9\n",
                                      "Z-_v", "Zg==\n", "=AAA", "A=AA",     "AA=A"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        char *out = NULL;
        size_t len;

        assert_int_equal(base64_decode(&out, &len, bad[i], strlen(bad[i]), &e), -1);
        assert_int_equal(e.code, ERR_CONFIG);
        assert_null(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc_hold_both_ways),
        cmocka_unit_test(every_byte_survives),
        cmocka_unit_test(what_is_not_canonical_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
