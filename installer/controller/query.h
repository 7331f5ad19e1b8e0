/* SPDX-License-Identifier: MIT */
/*
 * The target of a request, "/a/b%20c?x=1&y=2", taken apart strictly: what two programs could read
 * differently is refused. Percent-encoding that is cut or of a control character, bytes that are
 * not UTF-8, "//", ".", "..", a slash that is encoded, and everything that does not begin with a
 * slash (absolute form, "*") is ERR_USAGE.
 */
#ifndef CONTROLLER_QUERY_H
#define CONTROLLER_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { QUERY_TARGET_MAX = 8192, QUERY_PARTS_MAX = 16, QUERY_PARAMS_MAX = 256 };

struct query_param {
    char *name, *value;
};

struct query {
    char *parts[QUERY_PARTS_MAX]; /* of the path, decoded; "/" has none */
    size_t part_count;
    struct query_param *params; /* in their order; a name may stand several times */
    size_t param_count;
};

/* The target of a request, "/a/b?c=d", decoded. ERR_USAGE: it is not well formed, or has too many
 * parts. Clear it in every case. */
int query_parse(struct query *out, const char *target, struct err *e);
void query_clear(struct query *q);
/* The first value of that name, borrowed; NULL: none. */
const char *query_get(const struct query *q, const char *name);
/* A whole number between min and max, or `fallback` when it is not given. ERR_USAGE. */
int query_number(long *out, const struct query *q, const char *name, const long range[3],
                 struct err *e);
/* "true" or "false"; false when it is not given. ERR_USAGE. */
int query_flag(bool *out, const struct query *q, const char *name, struct err *e);

#endif
