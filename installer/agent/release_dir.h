/* SPDX-License-Identifier: MIT */
/* The folder of releases, for who changes it: one at a time. */
#ifndef AGENT_RELEASE_DIR_H
#define AGENT_RELEASE_DIR_H

#include "base/err.h"
#include "base/release.h"
#include "conf/node.h"

struct release_dir {
    char *home, *path; /* of the image's programs; of the folder of releases */
    int fd;            /* of that; -1: there is none */
    int lock;          /* -1: not held */
};

/* The folder need not be there. release_dir_close in every case. */
int release_dir_open(struct release_dir *d, struct err *e);
/* Makes it, and keeps others from changing it; waits some seconds for them: ERR_LOCKED. The lock
 * goes over an exec. */
int release_dir_begin(struct release_dir *d, struct err *e);
void release_dir_close(struct release_dir *d);
/* SHA-256 of a release's file, or of the image's agent. Noted beside it, with what tells that the
 * file was not changed since: so it is read once. */
int release_dir_digest(char out[RELEASE_NAME_SIZE], const struct release_dir *d, const char *name,
                       struct err *e);
/* Checks what was sent, and gives it its name. */
int release_dir_accept(const struct release_dir *d, const char *digest, struct err *e);
/* What is on trial could not report yet, because etcd did not answer. */
bool release_dir_waits(const struct release_dir *d);
/* The reason that a release was put back for, owned, or NULL. */
char *release_dir_why_bad(const struct release_dir *d, const char *digest);
/* Map of all of them. */
struct node *release_dir_bad(const struct release_dir *d);
/* Takes away all but what is current, what was before, what comes back in the place of that when
 * current does not last, and what was sent within the last hour. */
void release_dir_tidy(const struct release_dir *d);

#endif
