/* SPDX-License-Identifier: MIT */
/* The module of a component: its hook `check`. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "check/modules.h"
#include "env/instances.h"
#include "conf/json.h"
#include "engine/images.h"

enum { OUTPUT_MAX = 1 << 20, ERRORS_MAX = 16384, LINES_MAX = 1000, TESTS_MAX = 16 };

static void add_line(struct check *c, const char *line)
{
    auto_node struct node *n = NULL;
    auto_free char *fallback = mem_printf("%s.check", c->module);
    const char *code, *message, *test;
    enum check_result r;
    struct err e;

    if (json_parse(&n, "output", line, strlen(line), &e) < 0 ||
        !check_result_parse(&r, node_get_text(n, "result"))) {
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
    struct engine_exec call = {
        .argv = argv, .out = &out, .err = &errors, .deadline = c->until.deadline};
    const char *id;
    int status;
    struct err e;

    for (size_t i = 0; c->pick && i < c->pick->tests.count && i < TESTS_MAX; i++)
        argv[3 + i] = c->pick->tests.items[i];
    buf_init(&out, OUTPUT_MAX);
    buf_init(&errors, ERRORS_MAX);
    if (instances_container(NULL, &id, c->env, instance, &e) < 0 ||
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
    if (engine_clone(&g, c->env->engine, &e) < 0) {
        check_add(c, code, CHECK_EXCEPTION, NULL, "%s", e.msg);
        return;
    }
    run_hook(c, g, instance);
    engine_close(g);
}
