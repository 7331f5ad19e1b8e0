/* SPDX-License-Identifier: MIT */
/* All problems of one document, collected, so that the operator sees every one at once. */
#ifndef CONF_PROBLEMS_H
#define CONF_PROBLEMS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "conf/node.h"

struct problem_place {
    int line, column; /* 0: of no place, after those with one; -1: other lines stay on their side */
};

struct problems {
    const char *name;             /* borrowed: the file's; NULL: there is none, nor places */
    struct strv lines;            /* "file:line:column: sentence" by place; at most 200 are kept */
    struct problem_place *places; /* of the lines */
    size_t count;
};

/* None yet, of the file `name`, which is borrowed. Clear it in every case. */
void problems_init(struct problems *p, const char *name);
void problems_clear(struct problems *p);
/* What follows is about the file `name`, which is borrowed, until problems_end. */
struct problems_part {
    const char *name; /* of the file before */
    size_t count;     /* of its problems and all before them */
};
struct problems_part problems_begin(struct problems *p, const char *name);
/* Whether the part had no problem. */
bool problems_end(struct problems *p, const struct problems_part *part);

/* At the place of `at` (its key if at_key), or of no place when NULL. */
void problems_add(struct problems *p, const struct node *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void problems_add_key(struct problems *p, const struct node *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The message of a failed yaml_parse or the like, which has its place in front already. */
void problems_add_err(struct problems *p, const struct err *e);
/* 0 when there are none; else -1 with e->msg = the first ones joined by newlines, ERR_CONFIG. */
int problems_result(const struct problems *p, struct err *e);

#endif
