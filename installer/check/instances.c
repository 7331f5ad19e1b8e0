/* SPDX-License-Identifier: MIT */
/* The built-in module instances: their state, and whether their configuration is in effect. */
#include <string.h>

#include "check/modules.h"

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
            check_add(c, "instances.ready", CHECK_FAILED,
                      "`slipway logs INSTANCE` says more; `slipway up` starts what is stopped",
                      "%s is %s, %s%s%s", name, node_get_text(row, "state"),
                      node_get_text(row, "health"), reason ? ": " : "", reason ? reason : "");
        else if (error && *error)
            check_add(c, "instances.configuration", CHECK_FAILED,
                      "correct the value with `slipway config set COMPONENT KEY VALUE`", "%s: %s",
                      name, error);
        else if (node_get(config, "pending"))
            check_add(c, "instances.configuration", CHECK_WARNING,
                      "`slipway restart INSTANCE` brings them into effect",
                      "%s has keys that wait for a restart", name);
    }
    if (!rows || rows->count == 0) {
        check_add(c, "instances.ready", CHECK_FAILED, "`slipway up` starts the environment",
                  "%s is down: it has no instances", c->env->name);
        return;
    }
    if (c->rows->count == 0)
        check_add(c, "instances.ready", CHECK_SUCCESS, NULL, "all %zu instances are ready",
                  rows->count);
    if (c->pick && !has_code(c->rows, "instances.configuration"))
        check_add(c, "instances.configuration", CHECK_SUCCESS, NULL,
                  "every instance that is ready has its configuration in effect");
}

static const char *const tests[] = {"ready", "configuration", NULL};
const struct check_module check_module_instances = {
    .name = "instances", .tests = tests, .run = check_instances};
