/* SPDX-License-Identifier: MIT */
#include "env/instances.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plan/object.h"

/* Each "ID INSTANCE COMPONENT". */
static struct node *containers(const char *text)
{
    auto_strv struct strv lines = {0};
    struct node *list = node_new_list();

    strv_split(&lines, text, ",");
    for (size_t i = 0; i < lines.count; i++) {
        auto_strv struct strv words = {0};
        struct node *c = node_add(list, node_new_map());
        struct node *labels = node_set(c, "Labels", node_new_map());

        strv_split(&words, lines.items[i], " ");
        node_set_text(c, "Id", words.items[0]);
        node_set_text(c, "State", "running");
        node_set_text(labels, LABEL_INSTANCE, words.items[1]);
        node_set_text(labels, LABEL_COMPONENT, words.items[2]);
    }
    return list;
}

#define SOME                                                                                       \
    "aaaa11 ceph-osd-1 ceph-osd,aaaa22 ceph-osd-2 ceph-osd,bbbb33 ceph-osd-10 ceph-osd,"           \
    "cccc44 ceph-mgr-1 ceph-mgr,dddd55 etcd-1 etcd"

/* The names that words mean, or the error. */
static char *select_text(const char *text, const char *line)
{
    auto_node struct node *list = containers(text);
    struct env env = {.name = "demo", .containers = list};
    auto_strv struct strv words = {0}, names = {0};
    struct err e;

    strv_split(&words, line, " ");
    return instances_select(&names, &env, &words, 0, &e) < 0 ? mem_strdup(e.msg)
                                                             : strv_join(&names, " ");
}

static void a_word_means_an_instance_in_several_ways(void **state)
{
    static const struct {
        const char *words, *want;
    } table[] = {
        {"ceph-osd-1", "ceph-osd-1"},
        {"demo-ceph-osd-1", "ceph-osd-1"},
        {"osd-1", "ceph-osd-1"},
        {"ceph-mg", "ceph-mgr-1"},
        {"etcd", "etcd-1"},
        {"e", "etcd-1"},
        {"cccc", "ceph-mgr-1"},
        {"ceph-osd", "ceph-osd-1 ceph-osd-2 ceph-osd-10"},
        {"osd-10 osd-1 ceph-osd-1", "ceph-osd-1 ceph-osd-10"},
        {"", "ceph-mgr-1 ceph-osd-1 ceph-osd-2 ceph-osd-10 etcd-1"},
        {"ceph-o", "ceph-o may be any of ceph-osd-1, ceph-osd-2, ceph-osd-10"},
        {"aaaa", "2 containers have an id that begins with aaaa"},
        {"10", "demo has no instance or component 10"},
        {"ccc", "demo has no instance or component ccc"},
        {"ceph-ods-2", "demo has no instance or component ceph-ods-2 (did you mean ceph-osd-2?)"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        auto_free char *got = select_text(SOME, table[i].words);

        assert_string_equal(got, table[i].want);
    }
}

/* Or `remove ceph-osd-1`, given twice, would remove another one. */
static void the_beginning_of_a_number_means_nothing(void **state)
{
    auto_free char *got = select_text("a ceph-osd-10 ceph-osd", "ceph-osd-1");

    (void)state;
    assert_string_equal(got,
                        "demo has no instance or component ceph-osd-1 (did you mean ceph-osd-10?)");
}

static void an_environment_without_containers_is_down(void **state)
{
    auto_free char *got = select_text("", "ceph-mon-1");

    (void)state;
    assert_string_equal(got, "demo is down: it has no containers; `slipway up` starts it");
}

static void one_that_has_no_container_is_known_by_its_row(void **state)
{
    auto_node struct node *rows = node_new_list(), *row = node_new_map();
    struct env env = {.name = "demo"};
    auto_strv struct strv words = {0}, names = {0};
    struct err e;

    (void)state;
    node_set_text(row, "instance", "ceph-osd-3");
    node_set_text(row, "component", "ceph-osd");
    node_add(rows, steal(row));
    strv_add(&words, "osd-3");
    assert_int_equal(instances_select_rows(&names, &env, rows, &words, &e), 0);
    assert_string_equal(names.items[0], "ceph-osd-3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_means_an_instance_in_several_ways),
        cmocka_unit_test(the_beginning_of_a_number_means_nothing),
        cmocka_unit_test(an_environment_without_containers_is_down),
        cmocka_unit_test(one_that_has_no_container_is_known_by_its_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
