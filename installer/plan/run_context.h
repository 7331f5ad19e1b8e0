/* SPDX-License-Identifier: MIT */
/*
 * What the looks of one run have in common: its lock, its line to etcd, and what was read from the
 * folders. That is read once, because it takes longer than all questions to Docker, and so that a
 * run ends with what it began with.
 */
#ifndef PLAN_RUN_CONTEXT_H
#define PLAN_RUN_CONTEXT_H

#include "engine/images.h"
#include "model/catalog.h"
#include "model/secret.h"
#include "model/spec.h"
#include "plan/lock.h"
#include "plan/observed.h"

/* Zero-initialised. */
struct run_context {
    struct env_lock *lock;       /* owned; NULL: none yet */
    struct etcd *c;              /* to look with, owned; NULL: none yet */
    struct strv still_unhealthy; /* instances that a round left no better than they were */
    char version[65];            /* of the catalog; "": not read yet */
    struct node *document;       /* the operator's copy as the run found it; NULL: there is none */
    struct node *images;         /* component -> image reference */
    char *base, *mirror;         /* what `images` stand on */
};

/* Fills `version` and `document`. `folder`: that of the environment. */
void run_context_read_files(struct run_context *s, const struct catalog *c, const char *folder);
/* Fills `images` with those of the document's components, from the folders alone. */
int run_context_read_images(struct run_context *s, struct images_opts images,
                            const struct spec *spec, struct err *e);
/* The link that the client of a look was opened with, and its login. *out is owned. */
int run_context_root_link(struct link **out, const struct run_context *s,
                          const struct node *containers, const char *env, const struct env_key *key,
                          struct err *e);
/* Whether nobody has the lock and etcd gives none, because its quota is used up. What takes all of
 * it away, and writes nothing there, need not wait for room. */
bool run_context_etcd_is_full(const struct run_context *s, const struct observed *w,
                              const char *env);
/* Logs out and lets go of the lock. */
void run_context_end(struct run_context *s);

#endif
