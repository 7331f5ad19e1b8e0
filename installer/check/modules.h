/* SPDX-License-Identifier: MIT */
/* What a module is, and which are built in. Only the runner looks here. */
#ifndef CHECK_MODULES_H
#define CHECK_MODULES_H

#include "check/check.h"

/* A built-in module: a row in modules.def. */
struct check_module {
    const char *name;
    const char *const *tests; /* their names, "latency" of "access.latency"; ends with NULL */
    /* Whether it has anything to look at; NULL: always. */
    bool (*applies)(const struct check *c);
    bool probe; /* looks at this machine alone: works before there is an environment, when named */
    void (*run)(struct check *c);
};
extern const struct check_module *const check_modules[]; /* ends with NULL */

/* The module of a component: its hook `check`, in one of its healthy instances. */
void check_component(struct check *c, const struct manifest *m);

#endif
