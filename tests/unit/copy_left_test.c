/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "env/copy_item.h"

static void take(struct copy_left *l, const char *printed)
{
    strv_clear(&l->names);
    *l = (struct copy_left){0};
    copy_left_take(l, printed);
}

static void what_rsync_skipped_is_named(void **state)
{
    const struct {
        const char *printed, *names;
        size_t count;
    } rows[] = {
        {NULL, "", 0},
        {"", "", 0},
        {"skipping non-regular file \"a/link\"\n", "a/link", 1},
        {"skipping non-regular file \"a\"\nskipping non-regular file \"b\"\n", "a, b", 2},
        {"skipping non-regular file \"a \\#012 \"b\" c\"\n", "a \\#012 \"b\" c", 1},
        {"skipping non-regular file \"\"\n", "", 1},
        {"skipping non-regular file \"\nskipping non-regular file\n\"\n", "", 0},
        {"skipping directory a\nskipping non-regular file \"cut o", "", 0},
    };
    struct copy_left l = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        take(&l, rows[i].printed);
        auto_free char *names = strv_join(&l.names, ", ");
        assert_string_equal(names, rows[i].names);
        assert_int_equal(l.count, rows[i].count);
    }
    strv_clear(&l.names);
}

static void of_many_the_first_are_named_and_all_are_counted(void **state)
{
    auto_buf struct buf b = {0};
    struct copy_left l = {0};

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "skipping non-regular file \"%d\"\n", i);
    take(&l, buf_str(&b));
    assert_int_equal(l.count, 1000);
    assert_int_equal(l.names.count, COPY_LEFT_NAMES);
    assert_string_equal(l.names.items[COPY_LEFT_NAMES - 1], "19");
    strv_clear(&l.names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rsync_skipped_is_named),
        cmocka_unit_test(of_many_the_first_are_named_and_all_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
