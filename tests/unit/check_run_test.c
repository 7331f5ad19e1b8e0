/* SPDX-License-Identifier: MIT */
// wrap: env_need status_read
#include "check/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"

static const char *status_text;

int __wrap_env_need(struct env *env, unsigned needs, struct err *e);
int __wrap_env_need(struct env *env, unsigned needs, struct err *e)
{
    (void)env;
    (void)needs;
    (void)e;
    return 0;
}

int __wrap_status_read(struct node **out, struct env *env, struct err *e);
int __wrap_status_read(struct node **out, struct env *env, struct err *e)
{
    (void)env;
    return json_parse(out, "status", status_text, strlen(status_text), e);
}

/* "begin MODULE,...", then "RESULT code" of each row. */
static struct strv told;

static void on_begin(void *arg, const struct strv *modules)
{
    auto_free char *list = strv_join(modules, ",");

    strv_addf(arg, "begin %s", list);
}

static void on_row(void *arg, enum check_result result, const struct node *row)
{
    strv_addf(arg, "%s %s", check_result_name(result), node_get_text(row, "code"));
}

static int run(struct check_report *out, const char *status, const char *words, struct err *e)
{
    static struct catalog empty;
    struct env env = {.name = "demo", .catalog = &empty};
    const struct check_events ev = {.begin = on_begin, .row = on_row, .arg = &told};
    auto_strv struct strv list = {0};

    strv_clear(&told);
    strv_split(&list, words, " ");
    status_text = status;
    return check_run(out, &env, &list, &ev, e);
}

#define WELL "{\"instance\":\"a-1\",\"component\":\"a\",\"ok\":true}"

static void what_it_says_comes_by_the_row(void **state)
{
    struct check_report r;
    auto_free char *all = NULL;
    struct err e;

    (void)state;
    assert_int_equal(run(&r, "{\"instances\":[" WELL "]}", "instances", &e), 0);
    all = strv_join(&told, "; ");
    assert_string_equal(all, "begin instances; SUCCESS instances.ready");
    assert_true(r.good);
    assert_int_equal(r.counts[CHECK_SUCCESS], 1);
    assert_int_equal(r.rows->count, 1);
    check_report_clear(&r);
}

static void an_environment_that_is_down_is_not_good(void **state)
{
    struct check_report r;
    struct err e;

    (void)state;
    assert_int_equal(run(&r, "{\"instances\":[]}", "instances", &e), 0);
    assert_false(r.good);
    assert_string_equal(node_get_text(r.rows->items[0], "message"),
                        "demo is down: it has no instances");
    check_report_clear(&r);
}

static void a_module_that_was_named_and_skipped_everything_is_not_good(void **state)
{
    struct check_report r;
    struct err e;

    (void)state;
    assert_int_equal(run(&r, "{\"instances\":[" WELL "]}", "instances a", &e), 0);
    assert_false(r.good);
    assert_int_equal(r.counts[CHECK_SKIPPED], 1);
    assert_int_equal(r.untested.count, 1);
    assert_string_equal(r.untested.items[0], "a");
    check_report_clear(&r);
}

static void what_is_not_there_is_a_wrong_word(void **state)
{
    struct check_report r;
    struct err e;

    (void)state;
    assert_int_equal(run(&r, "{\"instances\":[]}", "nothing", &e), -1);
    assert_int_equal(e.code, ERR_USAGE);
    assert_null(r.rows);
    check_report_clear(&r);
    assert_int_equal(run(&r, "{\"instances\":[]}", "instances nothing", &e), -1);
    assert_string_equal(e.msg, "instances has no test nothing; it has: ready, configuration");
    check_report_clear(&r);
}

static int clear(void **state)
{
    (void)state;
    strv_clear(&told);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says_comes_by_the_row),
        cmocka_unit_test(an_environment_that_is_down_is_not_good),
        cmocka_unit_test(a_module_that_was_named_and_skipped_everything_is_not_good),
        cmocka_unit_test(what_is_not_there_is_a_wrong_word),
    };

    return cmocka_run_group_tests(tests, NULL, clear);
}
