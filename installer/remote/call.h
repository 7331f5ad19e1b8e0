/* SPDX-License-Identifier: MIT */
/* One call of the API: a row of routes.def, what goes in and what comes out. */
#ifndef REMOTE_CALL_H
#define REMOTE_CALL_H

#include "conf/node.h"
#include "remote/remote.h"
#include "remote/talk.h"

enum call_route {
#define ROUTE(id, ...) CALL_##id,
#include "controller/routes.def"
#undef ROUTE
    CALL_COUNT
};

enum { CALL_ARGS_MAX = 2, CALL_PARAMS_MAX = 8 };

struct call_param {
    const char *name, *value; /* a value of NULL: not given */
};

struct call {
    enum call_route route;
    const char *args[CALL_ARGS_MAX]; /* for the {x} of its path */
    struct call_param params[CALL_PARAMS_MAX];
    const struct strv *words; /* further values of the parameter `instance`; NULL: none */
    const struct node *body;
    const char *tag; /* for If-Match */
};

struct remote {
    struct talk *talk;
    char *url, *token;
    struct until until; /* of all of it: the timeout and the cancel */
    struct strv problems;
    char tag[TALK_WORD_MAX + 1]; /* ETag of the last answer */
    bool in_doubt;               /* the last call may have reached the server, and has no answer */
    bool changed;
};

/* *out: the answer, owned, as the program's own trees are named (conf/camel.h); NULL for one
 * without a body. */
int call_run(struct node **out, struct remote *r, const struct call *c, struct err *e);
/* After call_run failed: adds the sentence when the server may have done it all the same. -1. */
int call_doubt(const struct remote *r, const char *sentence, struct err *e);
/* Every row of a list, whatever its pages. Owned. */
int call_rows(struct node **rows, struct remote *r, struct call *c, struct err *e);
/* For an answer without an end: its lines as they come, without the empty ones. `line` returns 0,
 * or 1 when no more is wanted, or -1 with *e. */
struct call_lines {
    int (*line)(void *arg, const char *text, size_t len, struct err *e);
    void *arg;
};
int call_stream(struct remote *r, const struct call *c, const struct call_lines *l, struct err *e);
/* "/api/v1/volumes/a/attach?x=1", encoded, owned. For tests. */
char *call_path(const struct call *c);

#endif
