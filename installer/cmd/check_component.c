/* SPDX-License-Identifier: MIT */
/* Modules that are about instances: their own state, and the hook `check` of their component. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/check.h"
#include "cmd/instances.h"
#include "conf/json.h"
#include "engine/images.h"

enum { OUTPUT_MAX = 1 << 20, ERRORS_MAX = 16384, LINES_MAX = 1000, TESTS_MAX = 16 };

static bool has_code(const struct node *rows, const char *code)
{
    const struct node *row;

    node_for_each (row, rows) {
        if (node_text_is(row, "code", code))
            return true;
    }
    return false;
}

static void check_instances(struct check *c)
{
    const struct node *row, *rows = node_get(c->status, "instances");

    node_for_each (row, rows) {
        const char *name = node_get_text(row, "instance"), *reason = node_get_text(row, "reason");
        const struct node *config = node_get(row, "config");
        const char *error = node_get_text(config, "error");

        if (!node_get_bool(row, "ok", false))
            check_add(
                c, "instances.ready", CHECK_FAILED,
                "`slipway logs` of the instance says more; `slipway up` starts what is stopped",
                "%s is %s, %s%s%s", name, node_get_text(row, "state"), node_get_text(row, "health"),
                reason ? ": " : "", reason ? reason : "");
        else if (error && *error)
            check_add(c, "instances.configuration", CHECK_FAILED,
                      "correct the value with `slipway config set`", "%s: %s", name, error);
        else if (node_get(config, "pending"))
            check_add(c, "instances.configuration", CHECK_WARNING,
                      "`slipway restart` of the instance brings them into effect",
                      "%s has keys that wait for a restart", name);
    }
    if (c->rows->count == 0)
        check_add(c, "instances.ready", CHECK_SUCCESS, NULL, "all %zu instances are ready",
                  rows ? rows->count : 0);
    if (c->pick && !has_code(c->rows, "instances.configuration"))
        check_add(c, "instances.configuration", CHECK_SUCCESS, NULL,
                  "every instance that is ready has its configuration in effect");
}

static const char *const tests[] = {"ready", "configuration", NULL};
const struct check_module check_module_instances = {
    .name = "instances", .tests = tests, .run = check_instances};

const char *check_healthy_instance(const struct check *c, const char *component)
{
    const struct node *row;

    node_for_each (row, node_get(c->status, "instances")) {
        if (strcmp(node_get_text(row, "component"), component) == 0 &&
            node_get_bool(row, "ok", false))
            return node_get_text(row, "instance");
    }
    return NULL;
}

bool check_has_instances(const struct check *c, const char *component)
{
    const struct node *row;

    node_for_each (row, node_get(c->status, "instances")) {
        if (strcmp(node_get_text(row, "component"), component) == 0)
            return true;
    }
    return false;
}

static bool result_of(enum check_result *out, const char *name)
{
    for (int i = 0; name && i < CHECK_RESULT_COUNT; i++)
        if (strcmp(name, check_result_name(i)) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static void add_line(struct check *c, const char *line)
{
    auto_node struct node *n = NULL;
    auto_free char *fallback = mem_printf("%s.check", c->module);
    const char *code, *message, *test;
    enum check_result r;
    struct err e;

    if (json_parse(&n, "output", line, strlen(line), &e) < 0 ||
        !result_of(&r, node_get_text(n, "result"))) {
        check_add(c, fallback, CHECK_EXCEPTION, NULL, "the hook printed no result: %.200s", line);
        return;
    }
    code = node_get_text(n, "code");
    message = node_get_text(n, "message");
    test = node_get_text(n, "test");
    check_add(c, code ? code : fallback, r, node_get_text(n, "advice"), "%s",
              message ? message
              : test  ? test
                      : "");
    if (test)
        node_set_text(c->rows->items[c->rows->count - 1], "test", test);
}

/* A hook may end with a failure because it has reported one. */
static bool has_failed(const struct node *rows)
{
    const struct node *row;

    node_for_each (row, rows) {
        if (strcmp(node_get_text(row, "result"), "FAILED") == 0 ||
            strcmp(node_get_text(row, "result"), "EXCEPTION") == 0)
            return true;
    }
    return false;
}

static const char *last_line(struct buf *b)
{
    char *end;

    while (b->len && (b->data[b->len - 1] == '\n' || b->data[b->len - 1] == ' '))
        b->data[--b->len] = '\0';
    end = b->len ? strrchr(b->data, '\n') : NULL;
    return end ? end + 1 : buf_str(b);
}

static void run_hook(struct check *c, struct engine *g, const char *instance)
{
    const char *argv[4 + TESTS_MAX] = {IMAGES_AGENT, "hook", "check"};
    auto_free char *code = mem_printf("%s.check", c->module);
    auto_buf struct buf out = {0}, errors = {0};
    auto_strv struct strv lines = {0};
    struct engine_exec call = {.argv = argv, .out = &out, .err = &errors, .deadline = c->deadline};
    const char *id;
    int status;
    struct err e;

    for (size_t i = 0; c->pick && i < c->pick->tests.count && i < TESTS_MAX; i++)
        argv[3 + i] = c->pick->tests.items[i];
    buf_init(&out, OUTPUT_MAX);
    buf_init(&errors, ERRORS_MAX);
    if (instances_container(&id, c->x, instance, &e) < 0 ||
        engine_exec_run(&status, g, id, &call, &e) < 0) {
        check_add(c, code, CHECK_EXCEPTION, NULL, "in %s: %s", instance, e.msg);
        return;
    }
    strv_split(&lines, buf_str(&out), "\n");
    for (size_t i = 0; i < lines.count && i < LINES_MAX; i++)
        add_line(c, lines.items[i]);
    if (status != 0 && !has_failed(c->rows))
        check_add(c, code, CHECK_EXCEPTION, NULL, "the hook ended with status %d in %s%s%s", status,
                  instance, errors.len ? ": " : "", last_line(&errors));
    else if (lines.count == 0)
        check_add(c, code, CHECK_EXCEPTION, NULL, "the hook said nothing in %s", instance);
}

void check_component(struct check *c, const struct manifest *m)
{
    auto_free char *code = mem_printf("%s.check", m->name);
    const char *instance = check_healthy_instance(c, m->name);
    struct engine *g = NULL;
    struct err e;

    if (!instance) {
        check_add(c, code, CHECK_SKIPPED, NULL, "no instance of %s is ready", m->name);
        return;
    }
    if (engine_clone(&g, c->x->engine, &e) < 0) {
        check_add(c, code, CHECK_EXCEPTION, NULL, "%s", e.msg);
        return;
    }
    run_hook(c, g, instance);
    engine_close(g);
}
