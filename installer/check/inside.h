/* SPDX-License-Identifier: MIT */
/*
 * One look into a container, and one at what Docker says of it, judged. The look is the shell
 * script inside.sh, which only prints; everything else here is pure.
 */
#ifndef CHECK_INSIDE_H
#define CHECK_INSIDE_H

#include "check/check.h"

/* What one container said. */
struct check_inside {
    const char *instance;  /* borrowed */
    struct node *inspect;  /* NULL: it could not be had */
    char *said;            /* of the script; NULL: it did not run */
    struct node *expected; /* name -> address: what it was asked to find in the DNS */
    struct err error;      /* why one of them is missing */
};

/* inside.sh, for `sh -c SCRIPT sh DATA NAME...`; its lines are told there. */
extern const char check_inside_script[];
/* Frees what it owns. */
void check_inside_clear(struct check_inside *i);

/* Each adds a row for what is wrong and counts it. */
size_t check_inside_zombies(struct check *c, const struct check_inside *i);
size_t check_inside_agent(struct check *c, const struct check_inside *i);
size_t check_inside_starts(struct check *c, const struct check_inside *i, int64_t now_wall_ms);
size_t check_inside_names(struct check *c, const struct check_inside *i);
size_t check_inside_permissions(struct check *c, const struct check_inside *i);
/* `bytes` are those of the log's files; -1: this machine does not see them. */
size_t check_inside_log(struct check *c, const struct check_inside *i, int64_t bytes);

#endif
