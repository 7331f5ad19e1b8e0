/* SPDX-License-Identifier: MIT */
/* Which file an environment was made from: for people who look for it, and to tell them that it
 * says something else than what is in force. Nothing depends on it. */
#ifndef ENV_DOCUMENT_PATH_H
#define ENV_DOCUMENT_PATH_H

#include "env/env.h"

/* Remembers --file, as an absolute path, beside the key. */
void document_path_save(const struct env *env);
/* The path, owned, or NULL. */
char *document_path_load(const struct env *env);
/* One sentence, owned, when that file says something else than the document `in_force`, for whoever
 * edited it and forgot to name it; NULL: it does not, or there is none, or a file was named. Needs
 * the catalog. */
char *document_path_difference(const struct env *env, const struct node *in_force);

#endif
