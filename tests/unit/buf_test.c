/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void text_grows_and_ends_in_nul(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 100000);
    assert_string_equal(buf_str(&b), "");
    buf_puts(&b, "ab");
    buf_putc(&b, 'c');
    buf_printf(&b, "%d", 42);
    buf_add(&b, "xyz", 2);
    assert_string_equal(buf_str(&b), "abc42xy");
    for (int i = 0; i < 5000; i++)
        buf_puts(&b, "0123456789");
    assert_int_equal(b.len, 50007);
    assert_int_equal(b.data[b.len], '\0');
    assert_false(b.full);
}

static void the_maximum_holds_and_is_remembered(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 5);
    buf_puts(&b, "abc");
    assert_false(b.full);
    buf_puts(&b, "defg");
    assert_true(b.full);
    assert_string_equal(buf_str(&b), "abcde");
    buf_printf(&b, "%0300d", 1);
    assert_string_equal(buf_str(&b), "abcde");
    buf_reset(&b);
    assert_false(b.full);
    buf_puts(&b, "xy");
    assert_string_equal(buf_str(&b), "xy");
}

static void exactly_the_maximum_is_not_too_much(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 3);
    buf_puts(&b, "abc");
    buf_puts(&b, "");
    assert_false(b.full);
}

static void a_long_formatted_text_arrives_whole(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 10000);
    buf_printf(&b, "%s%05000d", "a", 7);
    assert_int_equal(b.len, 5001);
    assert_int_equal(b.data[5000], '7');
}

static void consume_drops_the_front(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_consume(&b, 3);
    buf_puts(&b, "abcdef");
    buf_consume(&b, 2);
    assert_string_equal(buf_str(&b), "cdef");
    buf_consume(&b, 100);
    assert_string_equal(buf_str(&b), "");
}

static void taken_text_is_the_callers_and_the_buffer_goes_on(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 100);
    auto_free char *none = buf_take(&b);
    assert_string_equal(none, "");
    buf_puts(&b, "abc");
    auto_free char *text = buf_take(&b);
    assert_string_equal(text, "abc");
    assert_int_equal(b.len, 0);
    buf_puts(&b, "next");
    assert_string_equal(buf_str(&b), "next");
}

static void bytes_may_be_nul(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 100);
    buf_add(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_and_ends_in_nul),
        cmocka_unit_test(the_maximum_holds_and_is_remembered),
        cmocka_unit_test(exactly_the_maximum_is_not_too_much),
        cmocka_unit_test(a_long_formatted_text_arrives_whole),
        cmocka_unit_test(consume_drops_the_front),
        cmocka_unit_test(taken_text_is_the_callers_and_the_buffer_goes_on),
        cmocka_unit_test(bytes_may_be_nul),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
