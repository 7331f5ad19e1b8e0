/* SPDX-License-Identifier: MIT */
/* What the modules of `slipway check` share: results, and how they are reported. */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "check/pick.h"
#include "env/env.h"

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
    struct env *env;
    const struct node *status; /* of status_read */
    const char *module;
    const struct check_pick *pick; /* the tests that were asked for; NULL: all */
    struct node *rows;
    struct until until; /* of this module's run */
};

/* "SUCCESS", "FAILED", ... Static. */
const char *check_result_name(enum check_result r);
/* False: there is no such result. `name` may be NULL. */
bool check_result_parse(enum check_result *out, const char *name);
/* `code` is "module.test"; `advice` may be NULL. */
void check_add(struct check *c, const char *code, enum check_result r, const char *advice,
               const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Whether somebody wants to know: a module need not do what nobody asked for. */
bool check_wants(const struct check *c, const char *test);

/* Borrowed from c->status; NULL: none is well. */
const char *check_healthy_instance(const struct check *c, const char *component);
/* Whether the environment has an instance of it, well or not. */
bool check_has_instances(const struct check *c, const char *component);

#endif
