/* SPDX-License-Identifier: MIT */
/*
 * A request whose connection becomes a raw stream in both directions (101 UPGRADED), which libcurl
 * does not do for input: exec and attach. The socket is the caller's own.
 */
#ifndef ENGINE_HIJACK_H
#define ENGINE_HIJACK_H

#include <stddef.h>

#include "base/err.h"
#include "base/until.h"
#include "conf/node.h"

struct engine;

/* POST `path` with `body` (or NULL) on a connection of its own. *fd is owned and does not
 * block; what follows the answer's head is still in it. */
int hijack_open(int *fd, const struct engine *g, const char *path, const struct node *body,
                struct err *e);
int hijack_write(int fd, const char *p, size_t len, struct until until, struct err *e);
/* Until the descriptor has one of poll()'s events, `until` wants to be looked at, or a second. */
void hijack_wait(int fd, short events, struct until until);

#endif
