/* SPDX-License-Identifier: MIT */
#include "check/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const RESULTS[] = {
    [CHECK_SUCCESS] = "SUCCESS", [CHECK_WARNING] = "WARNING",     [CHECK_FAILED] = "FAILED",
    [CHECK_SKIPPED] = "SKIPPED", [CHECK_EXCEPTION] = "EXCEPTION",
};

const char *check_result_name(enum check_result r)
{
    return RESULTS[r];
}

bool check_result_parse(enum check_result *out, const char *name)
{
    for (int i = 0; name && i < CHECK_RESULT_COUNT; i++)
        if (strcmp(name, RESULTS[i]) == 0) {
            *out = i;
            return true;
        }
    return false;
}

void check_add(struct check *c, const char *code, enum check_result r, const char *advice,
               const char *fmt, ...)
{
    struct node *n = node_add(c->rows, node_new_map());
    auto_free char *message = NULL;
    const char *dot = strchr(code, '.');
    va_list ap;

    va_start(ap, fmt);
    message = mem_vprintf(fmt, ap);
    va_end(ap);
    node_set_text(n, "module", c->module);
    node_set_text(n, "test", dot ? dot + 1 : code);
    node_set_text(n, "result", RESULTS[r]);
    node_set_text(n, "code", code);
    node_set_text(n, "message", message);
    if (advice && *advice && r != CHECK_SUCCESS)
        node_set_text(n, "advice", advice);
}

bool check_wants(const struct check *c, const char *test)
{
    return check_pick_has(c->pick, test, test);
}

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
