/* SPDX-License-Identifier: MIT */
/* A system user by name, as the manifest gives it; NULL is root, or whoever runs outside a
 * container. */
#ifndef AGENT_USER_H
#define AGENT_USER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum { USER_GROUPS_MAX = 32 };

struct user {
    uid_t uid;
    gid_t gid;
    uint32_t groups[USER_GROUPS_MAX]; /* supplementary, without gid */
    size_t group_count;
};

/* NULL: the process's own. ERR_CONFIG: there is no such user, or it is in too many groups. */
int user_find(struct user *out, const char *name, struct err *e);

#endif
