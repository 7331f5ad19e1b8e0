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
/* A piece of the output, to whom `x` names. */
void exec_capture(const struct engine_exec *x, int stream, const char *p, size_t len);
/* Runs a created exec whose body has an input, with those of `x`. */
int exec_with_input(int *status, struct engine *g, const char *exec, const struct engine_exec *x,
                    struct err *e);
/* The exit status of an ended exec from GET /exec/ID/json; the stream cannot be trusted with it.
 * Waits until Docker has noticed the end: ERR_TIMEOUT, ERR_INTERRUPTED. */
int exec_status(int *status, struct engine *g, const char *exec, struct until until, struct err *e);

#endif
