/* SPDX-License-Identifier: MIT */
/* The parts of an exec that the captured and the interactive form share. */
#ifndef ENGINE_EXEC_H
#define ENGINE_EXEC_H

#include <stdbool.h>

#include "engine/engine.h"

/* The document of POST /containers/ID/exec. */
struct node *exec_body(const struct engine_exec *x, bool with_stdin);
/* *exec owned. */
int exec_create(char **exec, struct engine *g, const char *id, const struct node *body,
                struct err *e);
/* The exit status of an ended exec from GET /exec/ID/json; the stream cannot be trusted with it.
 * Waits until Docker has noticed the end. */
int exec_status(int *status, struct engine *g, const char *exec, int64_t deadline, struct err *e);

#endif
