/* SPDX-License-Identifier: MIT */
/*
 * What the looks of one run have in common: its lock, its line to etcd, and what was read from the
 * folders. That is read once, because it takes longer than all questions to Docker, and so that a
 * run ends with what it began with.
 */
#ifndef PLAN_SESSION_H
#define PLAN_SESSION_H

#include "engine/images.h"
#include "model/catalog.h"
#include "model/spec.h"
#include "plan/lock.h"

/* Zero-initialised. */
struct session {
    struct env_lock *lock; /* owned; NULL: none yet */
    struct etcd *c;        /* to look with, owned; NULL: none yet */
    struct strv as_before; /* instances that a round left no better than they were */
    char version[65];      /* of the catalog; "": not read yet */
    struct node *images;   /* component -> image reference */
    char *base, *mirror;   /* what `images` stand on */
};

/* Fills `version`. */
void session_read_catalog(struct session *s, const struct catalog *c);
/* Fills `images` with those of the document's components, from the folders alone. */
int session_read_images(struct session *s, struct images_opts images, const struct spec *spec,
                        struct err *e);
/* Logs out and lets go of the lock. */
void session_end(struct session *s);

#endif
