/* SPDX-License-Identifier: MIT */
#include "model/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"

static void write_file(const char *dir, const char *name, const char *text)
{
    struct err e = {0};
    struct fs_write_opts mode = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *path = fs_join(dir, name);
    auto_free char *folder = mem_strndup(path, (size_t)(strrchr(path, '/') - path));

    assert_int_equal(fs_mkdirs(folder, 0755, &e), 0);
    assert_int_equal(fs_write(path, text, strlen(text), &mode, &e), 0);
}

static char *scratch(void)
{
    char dir[] = "/tmp/slipway-catalog-XXXXXX";

    assert_non_null(mkdtemp(dir));
    return mem_strdup(dir);
}

static void remove_scratch(const char *dir)
{
    struct err e = {0};

    assert_int_equal(fs_remove_tree(dir, &e), 0);
}

/* What is left without the components that have problems. */
static void leaves(const char *const *dirs, size_t count, const char *expected, const char *left)
{
    struct problems p;
    struct catalog *c;

    problems_init(&p, "catalog");
    assert_int_equal(catalog_load(&c, dirs, count, &p), -1);
    auto_free char *all = strv_join(&p.lines, "\n");
    if (!strstr(all, expected))
        fail_msg("%s", all);
    problems_clear(&p);
    assert_int_equal(!c, !left);
    if (left) {
        auto_strv struct strv names = {0};

        catalog_names(c, &names);
        auto_free char *text = strv_join(&names, " ");
        assert_string_equal(text, left);
    }
    catalog_free(c);
}

static struct catalog *load(const char *dir)
{
    struct problems p;
    struct catalog *c;

    problems_init(&p, "catalog");
    if (catalog_load(&c, &dir, 1, &p) < 0)
        fail_msg("%s", p.lines.items[0]);
    return c;
}

static void components_are_found_by_their_folders(void **state)
{
    (void)state;
    struct catalog *c = load("tests/data/catalog");
    auto_strv struct strv names = {0};
    catalog_names(c, &names);
    auto_free char *all = strv_join(&names, " ");
    assert_string_equal(all, "ceph-mgr ceph-mon ceph-osd etcd");
    assert_string_equal(catalog_find(c, "etcd")->summary, "holds the configuration");
    assert_null(catalog_find(c, "arakoon"));
    catalog_free(c);
}

static void shipped_components_are_valid(void **state)
{
    (void)state;
    struct catalog *c = load("components");
    assert_non_null(catalog_find(c, "etcd"));
    catalog_free(c);
}

static void a_ring_is_told_by_its_names(void **state)
{
    (void)state;
    auto_free char *dir = scratch();
    write_file(dir, "a/component.yaml", "name: a\nsummary: s\nrequires: [b]\n");
    write_file(dir, "b/component.yaml", "name: b\nsummary: s\nrequires: [c]\n");
    write_file(dir, "c/component.yaml", "name: c\nsummary: s\nrequires: [b]\n");
    auto_free char *line =
        mem_printf("%s/b/component.yaml: requires goes round in a ring: b -> c -> b", dir);
    leaves((const char *const[]){dir}, 1, line, "");
    remove_scratch(dir);
}

static void what_needs_nothing_broken_is_left(void **state)
{
    (void)state;
    auto_free char *dir = scratch();
    write_file(dir, "a/component.yaml", "name: a\nsumary: s\n");
    write_file(dir, "b/component.yaml", "name: b\nsummary: s\nrequires: [c]\n");
    write_file(dir, "c/component.yaml", "name: c\nsummary: s\nrequires: [a]\n");
    write_file(dir, "d/component.yaml", "name: d\nsummary: s\nrequires: [e]\n");
    write_file(dir, "e/component.yaml", "name: e\nsummary: s\n");
    leaves((const char *const[]){dir}, 1, "a/component.yaml:2:1: unknown key \"sumary\"", "d e");
    remove_scratch(dir);
}

static void of_two_rings_none_is_left(void **state)
{
    (void)state;
    auto_free char *dir = scratch();
    write_file(dir, "a/component.yaml", "name: a\nsummary: s\nrequires: [b]\n");
    write_file(dir, "b/component.yaml", "name: b\nsummary: s\nrequires: [a]\n");
    write_file(dir, "c/component.yaml", "name: c\nsummary: s\nrequires: [d]\n");
    write_file(dir, "d/component.yaml", "name: d\nsummary: s\nrequires: [c]\n");
    write_file(dir, "e/component.yaml", "name: e\nsummary: s\n");
    leaves((const char *const[]){dir}, 1, "goes round in a ring: c -> d -> c", "e");
    remove_scratch(dir);
}

static void names_nobody_has_and_names_twice_are_refused(void **state)
{
    (void)state;
    auto_free char *dir = scratch();
    write_file(dir, "one/a/component.yaml",
               "name: a\nsummary: s\nrequires: [z]\nshared: {m: {count: y}}\n");
    write_file(dir, "two/a/component.yaml", "name: a\nsummary: s\n");
    write_file(dir, "three/b/component.yaml", "name: b\nsumary: s\n");
    write_file(dir, "three/not-a-component", "");
    auto_free char *one = fs_join(dir, "one"), *two = fs_join(dir, "two");
    auto_free char *three = fs_join(dir, "three");
    leaves((const char *const[]){one}, 1, "one/a/component.yaml: requires: no component is named z",
           "");
    leaves((const char *const[]){one}, 1, "shared: m: no component is named y", "");
    leaves((const char *const[]){one, two}, 2, "component a is in ", "");
    leaves((const char *const[]){two, three}, 2, "b/component.yaml:2:1: unknown key \"sumary\"",
           "a");
    leaves((const char *const[]){"/nonexistent"}, 1, "/nonexistent", NULL);
    remove_scratch(dir);
}

static void version_changes_with_any_file(void **state)
{
    (void)state;
    auto_free char *dir = scratch();
    write_file(dir, "a/component.yaml", "name: a\nsummary: s\n");
    write_file(dir, "a/README.md", "one");
    struct catalog *c = load(dir);
    char first[65], second[65];
    catalog_version(c, first);
    assert_int_equal(strlen(first), 64);
    write_file(dir, "a/README.md", "two");
    catalog_version(c, second);
    assert_string_equal(first, second);
    write_file(dir, "a/hooks/lib/x", "1");
    catalog_version(c, second);
    assert_string_not_equal(first, second);
    write_file(dir, "a/hooks/lib/x", "2");
    catalog_version(c, first);
    assert_string_not_equal(first, second);
    catalog_free(c);
    remove_scratch(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components_are_found_by_their_folders),
        cmocka_unit_test(shipped_components_are_valid),
        cmocka_unit_test(a_ring_is_told_by_its_names),
        cmocka_unit_test(what_needs_nothing_broken_is_left),
        cmocka_unit_test(of_two_rings_none_is_left),
        cmocka_unit_test(names_nobody_has_and_names_twice_are_refused),
        cmocka_unit_test(version_changes_with_any_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
