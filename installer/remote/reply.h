/* SPDX-License-Identifier: MIT */
/*
 * What a server says, which may be anybody: texts to trees and errors, and whether a tree has what
 * those who print it take for granted. Pure.
 */
#ifndef REMOTE_REPLY_H
#define REMOTE_REPLY_H

#include "base/err.h"
#include "base/strv.h"
#include "conf/node.h"

struct reply {
    long status;
    const char *type; /* of the content */
    const char *text;
    size_t len;
};

/* *out: the body's tree, owned; NULL for an answer without one. An error's code and sentence are
 * those that the server gives (RFC 9457), with its list of problems in `problems`. ERR_REMOTE, in
 * one sentence, for everything that no slipwayd says. */
int reply_read(struct node **out, const struct reply *a, struct strv *problems, struct err *e);

/* Each item of the list is a map that has texts of these names (with spaces between), fit for a
 * line of a table. ERR_REMOTE; also when `list` is not a list. */
int reply_rows(const struct node *list, const char *names, struct err *e);
/* The same of one map. */
int reply_map(const struct node *map, const char *names, struct err *e);
/* Each item of the list, which may be missing, is a text. */
int reply_texts(const struct node *list, struct err *e);

/* The code of an error of the API by its name, also of those that only the API has; ERR_REMOTE:
 * none that is known. */
enum err_code reply_code(const char *name);

#endif
