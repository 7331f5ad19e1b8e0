/* SPDX-License-Identifier: MIT */
// wrap: status_read
#include "env/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "env/status.h"
#include "plan/object.h"

/* osd-2 is unhealthy, what etcd knows of mgr-1 is nothing; old-1 has no container any more. */
int __wrap_status_read(struct node **out, struct env *env, struct err *e);
int __wrap_status_read(struct node **out, struct env *env, struct err *e)
{
    static const char *const rows[][2] = {{"ceph-osd-1", "healthy"},
                                          {"ceph-osd-2", "unhealthy"},
                                          {"ceph-osd-10", "healthy"},
                                          {"ceph-mgr-1", "unknown"},
                                          {"old-1", "unhealthy"}};
    struct node *list;

    (void)env;
    if (!env->o.home)
        return err_set(e, ERR_NET, "etcd does not answer");
    *out = node_new_map();
    list = node_set(*out, "instances", node_new_list());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct node *row = node_add(list, node_new_map());

        node_set_text(row, "instance", rows[i][0]);
        node_set_text(row, "health", rows[i][1]);
    }
    return 0;
}

static struct node *containers(void)
{
    static const char *const all[][2] = {{"ceph-osd-10", "ceph-osd"},
                                         {"ceph-osd-1", "ceph-osd"},
                                         {"ceph-osd-2", "ceph-osd"},
                                         {"ceph-mgr-1", "ceph-mgr"},
                                         {"etcd-1", "etcd"}};
    struct node *list = node_new_list();

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct node *c = node_add(list, node_new_map());
        struct node *labels = node_set(c, "Labels", node_new_map());

        node_set_text(c, "Id", all[i][0]);
        node_set_text(labels, LABEL_INSTANCE, all[i][0]);
        node_set_text(labels, LABEL_COMPONENT, all[i][1]);
    }
    return list;
}

/* The names that a selector means, or the error; "~" is the environment without etcd. */
static char *meant(const char *text)
{
    auto_node struct node *list = containers();
    bool away = *text == '~';
    struct env env = {.name = "demo", .containers = list, .o.home = away ? NULL : "/x"};
    auto_strv struct strv names = {0};
    struct selector s;
    struct err e;
    int r = selector_parse(&s, text + away, &e);

    if (r == 0)
        r = selector_find(&names, &env, &s, &e);
    selector_clear(&s);
    return r < 0 ? mem_strdup(e.msg) : strv_join(&names, " ");
}

static void terms_mean_instances(void **state)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        {"all", "ceph-mgr-1 ceph-osd-1 ceph-osd-2 ceph-osd-10 etcd-1"},
        {"ceph-osd-1", "ceph-osd-1"},
        {"osd-1", "ceph-osd-1"},
        {"ceph-osd", "ceph-osd-1 ceph-osd-2 ceph-osd-10"},
        {"etcd,ceph-osd-2", "ceph-osd-2 etcd-1"},
        {"ceph-osd-2,ceph-osd,all,ceph-osd-2",
         "ceph-mgr-1 ceph-osd-1 ceph-osd-2 ceph-osd-10 etcd-1"},
        {"ceph-osd-1*", "ceph-osd-1 ceph-osd-10"},
        {"*-1", "ceph-mgr-1 ceph-osd-1 etcd-1"},
        {"ceph-osd-?", "ceph-osd-1 ceph-osd-2"},
        {"ceph-osd-[12]", "ceph-osd-1 ceph-osd-2"},
        {"health=unhealthy", "ceph-osd-2"},
        {"health=unknown,etcd", "ceph-mgr-1 etcd-1"},
        {"nothing-*,etcd", "etcd-1"},
        {"~etcd", "etcd-1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        auto_free char *got = meant(table[i].text);

        assert_string_equal(got, table[i].want);
    }
}

static void what_means_nothing_is_said(void **state)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        {"", "selector, column 1: a term is missing; say `all`, an instance, a component, a "
             "pattern or health=unhealthy"},
        {"etcd,,all", "selector, column 6: a term is missing; say `all`, an instance, a component, "
                      "a pattern or health=unhealthy"},
        {"etcd,", "selector, column 6: a term is missing; say `all`, an instance, a component, a "
                  "pattern or health=unhealthy"},
        {"etcd, all", "selector, column 6: a blank or control character; terms have commas between "
                      "them and nothing else"},
        {"health=unwell", "selector, column 8: health is healthy, unhealthy or unknown, not "
                          "\"unwell\""},
        {"health=unhealty", "selector, column 8: health is healthy, unhealthy or unknown, not "
                            "\"unhealty\" (did you mean unhealthy?)"},
        {"all,state=up", "selector, column 5: state= is unknown; there is health="},
        {"ceph-osd-7", "demo has no instance or component ceph-osd-7 (did you mean ceph-osd-1?)"},
        {"nothing-*", "no instance of demo matches nothing-*"},
        {"x-*,y-*", "no instance of demo matches x-*,y-*"},
        {"~health=unhealthy", "etcd does not answer"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        auto_free char *got = meant(table[i].text);

        assert_string_equal(got, table[i].want);
    }
}

static void there_is_a_limit(void **state)
{
    auto_buf struct buf b;
    struct selector s;
    struct err e;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < SELECTOR_MAX_TERMS; i++)
        buf_puts(&b, "a,");
    assert_int_equal(selector_parse(&s, buf_str(&b), &e), -1);
    assert_string_equal(e.msg, "selector: more than 1000 terms");
    selector_clear(&s);
    while (b.len <= SELECTOR_MAX_LEN)
        buf_putc(&b, 'a');
    assert_int_equal(selector_parse(&s, buf_str(&b), &e), -1);
    assert_string_equal(e.msg, "selector: longer than 65536 bytes");
    selector_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_mean_instances),
        cmocka_unit_test(what_means_nothing_is_said),
        cmocka_unit_test(there_is_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
