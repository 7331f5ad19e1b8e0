/* SPDX-License-Identifier: MIT */
/*
 * What an answer of Docker must look like, so that what is behind `api_call` may rely on it: the
 * kinds of the members that are read. Members that are not named may be anything.
 */
#ifndef ENGINE_SHAPE_H
#define ENGINE_SHAPE_H

#include "base/err.h"
#include "conf/node.h"

enum shape_need {
    SHAPE_MAY,     /* missing or null is fine */
    SHAPE_OR_NULL, /* there, perhaps null */
    SHAPE_MUST,    /* there, and of this kind; a string is not empty */
};

struct shape {
    const char *name;    /* as a member of a map */
    enum node_kind kind; /* a number is a whole one, of at most 2^53 either way */
    enum shape_need need;
    const struct shape *members; /* of a map; the last one has no name */
    const struct shape *each;    /* of a list or map: what all in it are */
    const char *unique; /* of a list: what no two of it share, a string that `each` must have */
};

/* `what` is the question in the error sentence, as "GET /info". ERR_REMOTE. */
int shape_check(const struct node *answer, const struct shape *s, const char *what, struct err *e);

/* A string, perhaps empty. */
extern const struct shape shape_text;
/* An object with an Id, as every creation answers. */
extern const struct shape shape_created;

#endif
