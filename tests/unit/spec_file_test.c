/* SPDX-License-Identifier: MIT */
#include "model/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

static int load_catalog(void **state)
{
    static const char *const dirs[] = {"tests/data/catalog"};
    struct problems p;
    struct catalog *c;

    problems_init(&p, "catalog");
    if (catalog_load(&c, dirs, 1, &p) < 0)
        return -1;
    *state = c;
    return 0;
}

static int free_catalog(void **state)
{
    catalog_free(*state);
    return 0;
}

static void a_broken_file_is_told_by_name(void **state)
{
    struct problems p;

    problems_init(&p, "x");
    assert_null(spec_load("/nonexistent.yaml", *state, &p));
    assert_int_equal(p.count, 1);
    assert_non_null(strstr(p.lines.items[0], "/nonexistent.yaml"));
    problems_clear(&p);
}

static void refuse_file(const struct catalog *c, const char *text, size_t len, const char *expected)
{
    char path[] = "/tmp/slipway-spec-XXXXXX";
    struct err e = {0};
    struct problems p;
    struct fs_write_opts mode = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(fs_write(path, text, len, &mode, &e), 0);
    problems_init(&p, "x");
    clock_t start = clock(); /* of this process: others do not count */
    assert_null(spec_load(path, c, &p));
    assert_true(clock() - start < 4 * CLOCKS_PER_SEC);
    auto_free char *all = strv_join(&p.lines, "\n");
    if (!strstr(all, expected))
        fail_msg("%s", all);
    problems_clear(&p);
    unlink(path);
}

static void hostile_files_are_refused_quickly(void **state)
{
    enum { KIB = 1 << 10, MIB = 1 << 20 };
    struct catalog *c = *state;
    auto_free char *text = mem_alloc(2 * MIB);

    memset(text, '[', 200 * KIB);
    refuse_file(c, text, 200 * KIB, ":1:33: nested more than 32 deep");
    memset(text, 'x', 2 * MIB);
    refuse_file(c, text, 2 * MIB, "");
    int head = snprintf(text, 100, "name: demo\ncomponents: {etcd: {config: {quota: ");
    text[head] = 'x';
    refuse_file(c, text, MIB, ":2:37: a text is longer than 64 KiB");
    refuse_file(c, "name: a\0b\n", 10, ":1:8: a NUL byte is not allowed");
    refuse_file(c, "name: \"a\\0b\"\n", 13, ":1:7: a text holds a NUL character");
    auto_buf struct buf b;
    buf_init(&b, MIB);
    buf_puts(&b, "name: demo\ncomponents:\n");
    for (int i = 0; i < 9000; i++)
        buf_printf(&b, "  etcd%d: {}\n", i);
    refuse_file(c, buf_str(&b), b.len, "more than 20000 values and brackets");
    buf_reset(&b);
    buf_puts(&b, "name: demo\ncomponents: {etcd: {config: {");
    for (int i = 0; i < 9000; i++)
        buf_printf(&b, "%squota%d: 1", i ? ", " : "", i);
    buf_puts(&b, "}}}\n");
    refuse_file(c, buf_str(&b), b.len, "unknown configuration key of etcd \"quota0\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_file_is_told_by_name),
        cmocka_unit_test(hostile_files_are_refused_quickly),
    };

    return cmocka_run_group_tests(tests, load_catalog, free_catalog);
}
