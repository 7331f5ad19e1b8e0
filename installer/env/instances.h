/* SPDX-License-Identifier: MIT */
/*
 * Words to instances, the same everywhere: an instance's name, with or without the environment's in
 * front ("demo-ceph-osd-1", as its container is called), the beginning of its container's id (four
 * digits at least), and what only one name begins with or ends with behind a dash ("ceph-mg",
 * "osd-1"). Where several are wanted, a component means all of its instances.
 */
#ifndef ENV_INSTANCES_H
#define ENV_INSTANCES_H

#include "env/env.h"

/* Names of every instance that has a container, sorted as people count (osd-2 before osd-10). */
void instances_all(struct strv *out, const struct env *env);
/* Sorts names as people count. */
void instances_sort(struct strv *names);
/* Instances with a container, named from `words[first]` on, by instance or component, each once;
 * none named: all. ERR_NOTFOUND with the nearest name. */
int instances_select(struct strv *out, const struct env *env, const struct strv *words,
                     size_t first, struct err *e);
/* The same among the rows of a status, which may have no container. */
int instances_select_rows(struct strv *out, const struct env *env, const struct node *rows,
                          const struct strv *words, struct err *e);
/* The one instance that a word means among the `known` names. *name is borrowed from those.
 * ERR_NOTFOUND with the nearest name, ERR_USAGE when it may be several. */
int instances_name(const char **name, const struct env *env, const struct strv *known,
                   const char *word, struct err *e);
/* The container of the instance that a word means: its name and id, borrowed from env->containers.
 * `name` may be NULL. ERR_NOTFOUND. */
int instances_container(const char **name, const char **id, const struct env *env, const char *word,
                        struct err *e);
/* The same, and it runs; else ERR_CONFLICT. */
int instances_running(const char **name, const char **id, const struct env *env, const char *word,
                      struct err *e);
/* "running", "exited", ... of an instance's container, or "missing". */
const char *instances_state(const struct env *env, const char *instance);

#endif
