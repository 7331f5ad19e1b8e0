/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include "check/pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"

/* "access: latency auth; host:" */
static char *picked(const char *words)
{
    auto_strv struct strv in = {0}, known = {0}, out = {0};
    struct check_picks p;
    struct err e;

    strv_split(&in, words, " ");
    strv_split(&known, "instances access host etcd", " ");
    if (check_picks_parse(&p, &in, &known, &e) < 0)
        return mem_strdup(e.msg);
    for (size_t i = 0; i < p.count; i++) {
        auto_free char *tests = strv_join(&p.items[i].tests, " ");

        strv_addf(&out, "%s:%s", p.items[i].module, tests);
    }
    check_picks_clear(&p);
    return strv_join(&out, ";");
}

static void words_are_modules_and_tests_of_the_module_before(void **state)
{
    static const struct {
        const char *words, *want;
    } table[] = {
        {"", ""},
        {"access", "access:"},
        {"access host", "access:;host:"},
        {"access latency", "access:latency"},
        {"access latency auth host disk", "access:latency auth;host:disk"},
        {"access.latency host.disk access.auth", "access:latency auth;host:disk"},
        {"access etcd.quorum", "access:;etcd:quorum"},
        {"latency", "there is no check latency here; there are: instances, access, host, etcd"},
        {"nothing.latency",
         "there is no check nothing.latency here; there are: instances, access, host, etcd"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        auto_free char *got = picked(table[i].words);

        assert_string_equal(got, table[i].want);
    }
}

static void a_test_is_meant_by_its_name_or_its_code(void **state)
{
    struct strv one = {0};
    struct check_pick p = {.module = "ceph-osd"};

    (void)state;
    assert_true(check_pick_means("placement groups", "placement groups", "osd.pgs"));
    assert_true(check_pick_means("osd.pgs", "placement groups", "osd.pgs"));
    assert_true(check_pick_means("pgs", "placement groups", "osd.pgs"));
    assert_false(check_pick_means("osd", "placement groups", "osd.pgs"));
    assert_true(check_pick_has(NULL, "pgs", "osd.pgs"));
    assert_true(check_pick_has(&p, "pgs", "osd.pgs"));
    strv_add(&one, "space");
    p.tests = one;
    assert_false(check_pick_has(&p, "pgs", "osd.pgs"));
    assert_true(check_pick_has(&p, "space", "osd.space"));
    strv_clear(&p.tests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_modules_and_tests_of_the_module_before),
        cmocka_unit_test(a_test_is_meant_by_its_name_or_its_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
