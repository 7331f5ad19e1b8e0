/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cmd/out.h"

static void assert_safe(const char *in, size_t len, const char *want)
{
    struct buf b;

    buf_init(&b, 1000);
    out_safe(&b, in, len);
    assert_string_equal(buf_str(&b), want);
    buf_clear(&b);
}

static void control_characters_and_broken_utf8_become_harmless(void **state)
{
    (void)state;
    assert_safe("plain\ttext", 10, "plain\ttext");
    assert_safe("\033[31mred", 8, "\\x1b[31mred");
    assert_safe("a\0b", 3, "a\\x00b");
    assert_safe("end\r", 4, "end");
    assert_safe("over\rwrite", 10, "over\\x0dwrite");
    assert_safe("\xc3\xa9t\xc3\xa9", 5, "\xc3\xa9t\xc3\xa9");
    assert_safe("\xc3", 1, "\\xc3");
    assert_safe("\xc2\x9b"
                "1m",
                4, "\\xc2\\x9b1m");
    assert_safe("\xff\xfe", 2, "\\xff\\xfe");
    assert_safe("\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf");
    assert_safe("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
    assert_safe("\xe2\x82", 2, "\\xe2\\x82");
    assert_safe("\x7f", 1, "\\x7f");
}

/* What `print` puts on stdout. */
static char *printed(void (*print)(void))
{
    char *text = mem_alloc(1000);
    FILE *file = tmpfile();
    int kept = dup(STDOUT_FILENO);

    assert_non_null(file);
    fflush(stdout);
    assert_int_not_equal(dup2(fileno(file), STDOUT_FILENO), -1);
    print();
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    assert_int_not_equal(fread(text, 1, 999, file), 0);
    fclose(file);
    return text;
}

static void print_line(void)
{
    out_line(stdout, "%-6s %s", "pool",
             "a\033]0;title\007 \xc2\x9b"
             "2J\nb");
}

static void print_value(void)
{
    out_value("a\tb\nc\033");
}

static void a_line_is_harmless_and_one_line(void **state)
{
    auto_free char *line = printed(print_line), *value = printed(print_value);

    (void)state;
    assert_string_equal(line, "pool   a\\x1b]0;title\\x07 \\xc2\\x9b"
                              "2J\\x0ab\n");
    assert_string_equal(value, "a\tb\nc\033\n"); /* for programs, as it is */
}

static void width_counts_columns_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(out_width(""), 0);
    assert_int_equal(out_width("abc"), 3);
    assert_int_equal(out_width("\xc3\xa9"), 1);
    assert_int_equal(out_width("\xe6\x97\xa5"), 2);
    assert_int_equal(out_width("e\xcc\x81"), 1);
    assert_int_equal(out_width("\xff"), 1);
}

static void columns_fit_their_widest_cell_and_the_last_is_not_padded(void **state)
{
    static const char *const heads[] = {"NAME", "X", "LAST", NULL};
    struct out_table *t = out_table_new(heads);
    struct buf b;

    (void)state;
    out_table_add(t, "ceph-osd-1", OUT_PLAIN);
    out_table_add(t, NULL, OUT_GOOD);
    out_table_addf(t, OUT_PLAIN, "%d", 7);
    out_table_add(t, "\xc3\xa9", OUT_PLAIN);
    out_table_add(t, "a\nb", OUT_PLAIN);
    out_table_add(t, "", OUT_PLAIN);
    buf_init(&b, 1000);
    out_table_format(&b, t, false);
    assert_string_equal(buf_str(&b), "NAME        X       LAST\n"
                                     "ceph-osd-1  -       7\n"
                                     "\xc3\xa9           a\\x0ab  -\n");
    buf_reset(&b);
    out_table_format(&b, t, true);
    assert_non_null(strstr(buf_str(&b), "\033[32m-\033[0m"));
    buf_clear(&b);
    out_table_free(t);
}

static void an_empty_table_is_its_head(void **state)
{
    static const char *const heads[] = {"A", "B", NULL};
    struct out_table *t = out_table_new(heads);
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    out_table_format(&b, t, false);
    assert_string_equal(buf_str(&b), "A  B\n");
    buf_clear(&b);
    out_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_and_broken_utf8_become_harmless),
        cmocka_unit_test(a_line_is_harmless_and_one_line),
        cmocka_unit_test(width_counts_columns_not_bytes),
        cmocka_unit_test(columns_fit_their_widest_cell_and_the_last_is_not_padded),
        cmocka_unit_test(an_empty_table_is_its_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
