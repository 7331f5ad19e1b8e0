/* SPDX-License-Identifier: MIT */
/* `slipway check`: modules that report results; what they share. */
#ifndef CMD_CHECK_H
#define CMD_CHECK_H

#include "cmd/check_pick.h"
#include "cmd/cmd.h"

enum check_result {
    CHECK_SUCCESS,
    CHECK_WARNING,
    CHECK_FAILED,
    CHECK_SKIPPED,
    CHECK_EXCEPTION, /* the check itself could not be carried out */
    CHECK_RESULT_COUNT
};

/* One module's results: a list of {"module","test","result","code","message","advice"}. */
struct check {
    struct cmd_context *x;
    const struct node *status; /* of status_read */
    const char *module;
    const struct check_pick *pick; /* the tests that were asked for; NULL: all */
    struct node *rows;
    int64_t deadline;
};

/* A built-in module: a row in check_modules.def. */
struct check_module {
    const char *name;
    const char *const *tests; /* their names, "latency" of "access.latency"; ends with NULL */
    /* Whether it has anything to look at; NULL: always. */
    bool (*applies)(const struct check *c);
    bool probe; /* looks at this machine alone: works before there is an environment, when named */
    void (*run)(struct check *c);
};
extern const struct check_module *const check_modules[]; /* ends with NULL */

const char *check_result_name(enum check_result r);
/* `code` is "module.test"; `advice` may be NULL. */
void check_add(struct check *c, const char *code, enum check_result r, const char *advice,
               const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Whether somebody wants to know: a module need not do what nobody asked for. */
bool check_wants(const struct check *c, const char *test);

bool check_has_drivers(const struct check *c);
/* Borrowed from c->status; NULL: none is well. */
const char *check_healthy_instance(const struct check *c, const char *component);
bool check_has_instances(const struct check *c, const char *component);
/* The hook `check` of a component, in one of its healthy instances. */
void check_component(struct check *c, const struct manifest *m);

#endif
