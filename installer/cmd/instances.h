/* SPDX-License-Identifier: MIT */
/* Words on the command line to instances of the environment: by name, or all of a component. */
#ifndef CMD_INSTANCES_H
#define CMD_INSTANCES_H

#include "cmd/cmd.h"

/* Names of every instance that has a container, sorted as people count (osd-2 before osd-10). */
void instances_all(struct strv *out, const struct cmd_context *x);
/* Sorts names as people count. */
void instances_sort(struct strv *names);
/* Instances named from `words[first]` on, by instance or component, each once; none named: all.
 * ERR_NOTFOUND with the nearest name. */
int instances_select(struct strv *out, const struct cmd_context *x, const struct strv *words,
                     size_t first, struct err *e);
/* The container of one instance: id, borrowed from x->containers. ERR_NOTFOUND. */
int instances_container(const char **id, const struct cmd_context *x, const char *instance,
                        struct err *e);
/* The container that a word means: an instance's name, the container's name or the beginning of its
 * id (four digits at least). Borrowed; NULL when there is none. ERR_USAGE when several ids begin
 * with it. */
int instances_find(const struct node **out, const struct cmd_context *x, const char *word,
                   struct err *e);
/* Fills *e: there is none of that name, and which one is near. `known` NULL: those that have a
 * container. */
int instances_unknown(const struct cmd_context *x, const char *word, const struct strv *known,
                      struct err *e);
/* "running", "exited", ... of an instance's container, or "missing". */
const char *instances_state(const struct cmd_context *x, const char *instance);

#endif
