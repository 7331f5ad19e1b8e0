/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "conf/text.h"

#define BEGIN "-----BEGIN PRIVATE KEY-----"
#define END "-----END PRIVATE KEY-----"
#define CERT "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----"

static void stripped(const char *text, const char *expected)
{
    auto_free char *copy = mem_strdup(text);

    text_strip_private_keys(copy);
    assert_string_equal(copy, expected);
}

static void private_keys_are_taken_out(void **state)
{
    (void)state;
    stripped("a\n" BEGIN "\nMC4C\nAQ\n" END "\nb", "a\n" BEGIN END "\nb");
    stripped("{\"k\": \"" BEGIN "\\nMC4C\\n" END "\\n\"}", "{\"k\": \"" BEGIN END "\\n\"}");
    stripped(BEGIN " MC4C " END, BEGIN END);
    stripped(BEGIN "\n1\n" END CERT BEGIN "\n2\n" END, BEGIN END CERT BEGIN END);
}

static void what_is_no_private_key_stays(void **state)
{
    (void)state;
    stripped(CERT, CERT);
    stripped(BEGIN "\nno end", BEGIN "\nno end");
    stripped("", "");
}

/* Whoever writes a log may write this: the text must not get longer. */
static void an_end_before_its_line_ends_makes_nothing_longer(void **state)
{
    (void)state;
    stripped(BEGIN END " and more of this line\n", BEGIN END " and more of this line\n");
    stripped("-----BEGIN -----END PRIVATE KEY----- and more\n",
             "-----BEGIN -----END PRIVATE KEY----- and more\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_keys_are_taken_out),
        cmocka_unit_test(what_is_no_private_key_stays),
        cmocka_unit_test(an_end_before_its_line_ends_makes_nothing_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
