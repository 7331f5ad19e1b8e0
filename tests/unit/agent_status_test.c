/* SPDX-License-Identifier: MIT */
#include "agent/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/hook_env.h"
#include "agent/options.h"
#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"

static char dir[] = "/tmp/agent_status_test.XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    struct err e;
    return fs_remove_tree(dir, &e);
}

static void a_missing_state_is_unhealthy(void **state)
{
    (void)state;
    char *line = NULL;
    assert_int_equal(status_check(&line, "/nonexistent"), 1);
    assert_non_null(strstr(line, "no state yet"));
    free(line);
    assert_int_equal(status_load_state("/nonexistent"), STATE_STARTING);
}

static int checked(enum state state, enum health health, const char *reason, char **line)
{
    struct status s = {0};
    struct err e;

    status_set(&s, state, health, reason);
    assert_int_equal(status_save(&s, dir, &e), 0);
    status_clear(&s);
    assert_int_equal(status_load_state(dir), state);
    return status_check(line, dir);
}

static void only_ready_and_not_unhealthy_is_well(void **state)
{
    (void)state;
    char *line = NULL;
    assert_int_equal(checked(STATE_READY, HEALTH_HEALTHY, "", &line), 0);
    assert_string_equal(line, "ready, healthy");
    free(line);
    assert_int_equal(checked(STATE_READY, HEALTH_UNKNOWN, "", &line), 0);
    free(line);
    assert_int_equal(checked(STATE_READY, HEALTH_UNHEALTHY, "two\nlines", &line), 1);
    assert_string_equal(line, "ready, unhealthy: two lines");
    free(line);
    assert_int_equal(checked(STATE_STARTING, HEALTH_UNKNOWN, "", &line), 1);
    free(line);
    assert_int_equal(checked(STATE_FAILED, HEALTH_HEALTHY, "", &line), 1);
    free(line);
}

static void a_reason_whose_numbers_alone_changed_is_no_other(void **state)
{
    (void)state;
    assert_false(status_reason_is_other("", ""));
    assert_false(status_reason_is_other("3 of 10 are slow", "12 of 10 are slow"));
    assert_false(status_reason_is_other("slow for 1.5 s", "slow for 90 s"));
    assert_true(status_reason_is_other("3 are slow", "3 are stuck"));
    assert_true(status_reason_is_other("3 are slow", "some are slow"));
    assert_true(status_reason_is_other("slow", "slow 1"));
    assert_true(status_reason_is_other("", "slow"));
}

static void an_agent_that_is_silent_is_unhealthy(void **state)
{
    (void)state;
    auto_free char *path = fs_join(dir, "state.json");
    static const char text[] = "{\"state\":\"ready\",\"health\":\"healthy\",\"at\":1000}";
    struct fs_write_opts o = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct err e;
    char *line = NULL;
    assert_int_equal(fs_write(path, text, strlen(text), &o, &e), 0);
    assert_int_equal(status_check(&line, dir), 1);
    assert_non_null(strstr(line, "silent"));
    free(line);
}

static void only_changes_are_news(void **state)
{
    (void)state;
    struct status s = {0};
    assert_true(status_set(&s, STATE_STARTING, HEALTH_UNKNOWN, ""));
    int64_t since = s.since_ms;
    assert_false(status_set(&s, STATE_STARTING, HEALTH_UNKNOWN, ""));
    assert_false(status_set(&s, STATE_STARTING, HEALTH_UNKNOWN, NULL));
    assert_true(status_set(&s, STATE_STARTING, HEALTH_UNKNOWN, "why"));
    assert_int_equal(s.since_ms, since);
    assert_true(status_set(&s, STATE_READY, HEALTH_UNKNOWN, NULL));
    assert_string_equal(s.reason, "why");
    status_clear(&s);
}

static void an_acknowledgement_says_what_and_how(void **state)
{
    (void)state;
    auto_strv struct strv pending = {0};
    strv_add(&pending, "port needs restart");
    auto_free char *text = applied_text(&(struct applied){
        .revision = 7, .hash = "abc", .error = "line \"one\"\ntwo", .pending = &pending});
    auto_node struct node *n = NULL;
    struct err e;
    assert_int_equal(json_parse(&n, "applied", text, strlen(text), &e), 0);
    assert_int_equal(node_get_int(n, "revision", 0), 7);
    assert_string_equal(node_get_text(n, "result"), "failed");
    assert_string_equal(node_get_text(n, "error"), "line \"one\"\ntwo");
    assert_int_equal(node_get(n, "pending")->count, 1);
}

static void the_environment_of_hooks_survives_a_file(void **state)
{
    (void)state;
    auto_strv struct strv env = {0};
    auto_strv struct strv back = {0};
    struct err e;
    strv_add(&env, "A=1");
    strv_add(&env, "B=two\nlines");
    strv_add(&env, "C=");
    assert_int_equal(hook_env_save(&env, dir, &e), 0);
    assert_int_equal(hook_env_load(&back, dir, &e), 0);
    assert_int_equal(back.count, 3);
    assert_string_equal(back.items[1], "B=two\nlines");
    assert_string_equal(back.items[2], "C=");
}

static void words_are_divided_into_options_link_and_arguments(void **state)
{
    (void)state;
    struct options o;
    struct err e;
    const char *run[] = {"agent", "--set", "a=b", "--run=/r", "etcd://u:p@h/x", NULL};
    assert_int_equal(options_parse(&o, run, &e), 0);
    assert_string_equal(o.link, "etcd://u:p@h/x");
    assert_string_equal(o.run_dir, "/r");
    assert_string_equal(o.set.items[0], "a=b");
    assert_int_equal(o.rest.count, 0);
    options_clear(&o);
    const char *rest[] = {"agent", "--login",    "root", "--component",
                          "rel",   "--password", "x",    NULL};
    assert_int_equal(options_parse(&o, rest, &e), 0);
    assert_int_equal(o.rest.count, 4);
    assert_int_equal(o.component_dir[0], '/');
    options_clear(&o);
    const char *both[] = {"agent", "etcd://h/x", "more", NULL};
    assert_int_equal(options_parse(&o, both, &e), -1);
    assert_int_equal(e.code, ERR_USAGE);
    options_clear(&o);
    const char *hook[] = {"agent", "hook", "check", NULL};
    assert_int_equal(options_parse(&o, hook, &e), 0);
    assert_int_equal(o.command, COMMAND_HOOK);
    assert_string_equal(o.hook, "check");
    options_clear(&o);
    const char *words[] = {"agent", "hook", "io", "read", "disk", NULL};
    assert_int_equal(options_parse(&o, words, &e), 0);
    assert_string_equal(o.hook, "io");
    assert_int_equal(o.rest.count, 2);
    assert_string_equal(o.rest.items[1], "disk");
    options_clear(&o);
    const char *escape[] = {"agent", "hook", "../../bin/sh", NULL};
    assert_int_equal(options_parse(&o, escape, &e), -1);
    options_clear(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_state_is_unhealthy),
        cmocka_unit_test(only_ready_and_not_unhealthy_is_well),
        cmocka_unit_test(a_reason_whose_numbers_alone_changed_is_no_other),
        cmocka_unit_test(an_agent_that_is_silent_is_unhealthy),
        cmocka_unit_test(only_changes_are_news),
        cmocka_unit_test(an_acknowledgement_says_what_and_how),
        cmocka_unit_test(the_environment_of_hooks_survives_a_file),
        cmocka_unit_test(words_are_divided_into_options_link_and_arguments),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
