/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static void memory_is_zeroed_and_never_null(void **state)
{
    (void)state;
    auto_free char *p = mem_alloc(100);
    auto_free char *none = mem_alloc(0);
    auto_free int *array = mem_array(10, sizeof(*array));

    assert_non_null(none);
    for (int i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(array[i], 0);
}

static void grow_keeps_what_was_there(void **state)
{
    (void)state;
    auto_free int *a = mem_grow(NULL, 2, sizeof(*a));

    a[0] = 1;
    a[1] = 2;
    a = mem_grow(a, 1000, sizeof(*a));
    assert_int_equal(a[0], 1);
    assert_int_equal(a[1], 2);
}

static void copies_of_text(void **state)
{
    (void)state;
    auto_free char *whole = mem_strdup("abc");
    auto_free char *part = mem_strndup("abcdef", 2);
    auto_free char *made = mem_printf("%d-%s", 7, "x");
    auto_free char *bytes = mem_dup("a\0b", 3);

    assert_string_equal(whole, "abc");
    assert_string_equal(part, "ab");
    assert_string_equal(made, "7-x");
    assert_memory_equal(bytes, "a\0b", 3);
    assert_null(mem_strdup(NULL));
}

static void a_stolen_pointer_is_not_freed(void **state)
{
    char *kept = NULL;

    (void)state;
    {
        auto_free char *p = mem_strdup("kept");

        kept = steal(p);
        assert_null(p);
    }
    assert_string_equal(kept, "kept");
    free(kept);
}

static void a_closed_descriptor_is_closed(void **state)
{
    int fds[2], copy;
    char c;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    {
        auto_close int fd = fds[1];
        auto_close int none = -1;

        copy = fd;
        (void)none;
    }
    assert_int_equal(read(fds[0], &c, 1), 0);
    assert_int_equal(write(copy, &c, 1), -1);
    close(fds[0]);
}

static void wiping_nothing_is_fine(void **state)
{
    (void)state;
    auto_wipe char *secret = mem_strdup("secret");
    auto_wipe char *none = NULL;

    mem_wipe_str(none);
    mem_wipe_free(NULL, 10);
    assert_string_equal(secret, "secret");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_never_null),
        cmocka_unit_test(grow_keeps_what_was_there),
        cmocka_unit_test(copies_of_text),
        cmocka_unit_test(a_stolen_pointer_is_not_freed),
        cmocka_unit_test(a_closed_descriptor_is_closed),
        cmocka_unit_test(wiping_nothing_is_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
