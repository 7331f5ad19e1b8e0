/* SPDX-License-Identifier: MIT */
/*
 * What a lock says of its holder: JSON, for the one who finds it held. It has the boot, the
 * namespaces, the number and the start of the process. The same boot and pid namespace, and no
 * such process (or a zombie, or another start): the holder is dead, and the lock is taken over.
 * The key is removed by a compare of its create revision, the lease revoked, the lock taken with a
 * new create revision, and a warning says so. In doubt it is left to its lease: a run killed in
 * another container of the same machine holds the lock for up to 15 s.
 */
#ifndef PLAN_LOCK_OWNER_H
#define PLAN_LOCK_OWNER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/procid.h"

/* Of this process, which does `command` for `user`; owned. */
char *lock_owner_text(const char *command, const char *user);
/* PROCID_UNKNOWN too for a text that does not say enough. */
enum procid_fate lock_owner_fate(const char *owner);
/* "`up` of ann@far, process 12, since 2026-01-31T00:00:00.000Z", owned; NULL when it is not such a
 * text. */
char *lock_owner_name(const char *owner);
/* Whether a run of Slipway wrote it. */
bool lock_owner_is_valid(const char *owner);
bool lock_owner_is_command(const char *owner, const char *command);
/* -1 and ERR_LOCKED that says who holds it; owner may be NULL. */
int lock_owner_error(struct err *e, const char *env, const char *owner);

#endif
