/* SPDX-License-Identifier: MIT */
#include "base/quote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"

static void words_that_need_no_quotes_get_none(void **state)
{
    static const char *const words[] = {"/bin/ls", "-l", "a.b,c:d@e%f+g", NULL};
    auto_free char *line = quote_words(words);

    (void)state;
    assert_string_equal(line, "/bin/ls -l a.b,c:d@e%f+g");
}

static void everything_else_is_quoted(void **state)
{
    static const struct {
        const char *word, *quoted;
    } cases[] = {
        {"", "''"},         {"a b", "'a b'"}, {"it's", "'it'\\''s'"},     {"$HOME", "'$HOME'"},
        {"a\nb", "'a\nb'"}, {"A=1", "'A=1'"}, /* as the first word it would be an assignment */
        {"~", "'~'"},       {"*", "'*'"},     {"\xc3\xa9", "'\xc3\xa9'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const words[] = {cases[i].word, NULL};
        auto_free char *line = quote_words(words);

        assert_string_equal(line, cases[i].quoted);
    }
}

static void a_shell_takes_every_byte_as_it_is(void **state)
{
    char all[256] = {0};
    auto_free char *line = NULL;
    auto_buf struct buf out;
    struct err e;
    int status = -1;

    (void)state;
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    const char *const words[] = {"printf", "%s", all, NULL};
    line = quote_words(words);
    const char *const argv[] = {"sh", "-c", line, NULL};
    buf_init(&out, 4096);
    assert_int_equal(
        proc_run(&status,
                 &(struct proc_opts){.argv = argv, .deadline = clock_deadline(30000), .out = &out},
                 &e),
        0);
    assert_int_equal(status, 0);
    assert_string_equal(buf_str(&out), all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_that_need_no_quotes_get_none),
        cmocka_unit_test(everything_else_is_quoted),
        cmocka_unit_test(a_shell_takes_every_byte_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
