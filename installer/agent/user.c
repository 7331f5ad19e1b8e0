/* SPDX-License-Identifier: MIT */
#include "agent/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { ENTRY_MAX = 16384 };

int user_find(struct user *out, const char *name, struct err *e)
{
    *out = (struct user){.uid = geteuid(), .gid = getegid()};
    if (!name || (strcmp(name, "root") == 0 && out->uid == 0))
        return 0;
    auto_free char *buffer = mem_alloc(ENTRY_MAX);
    struct passwd entry, *found = NULL;
    int why = getpwnam_r(name, &entry, buffer, ENTRY_MAX, &found);
    if (why) {
        errno = why;
        return err_sys(e, "user %s", name);
    }
    if (!found)
        return err_set(e, ERR_CONFIG, "user %s does not exist here", name);
    out->uid = found->pw_uid;
    out->gid = found->pw_gid;
    gid_t groups[USER_GROUPS_MAX];
    int count = USER_GROUPS_MAX;
    if (getgrouplist(name, out->gid, groups, &count) < 0)
        return err_set(e, ERR_CONFIG, "user %s is in more than %d groups", name, USER_GROUPS_MAX);
    for (int i = 0; i < count; i++)
        if (groups[i] != out->gid)
            out->groups[out->group_count++] = groups[i];
    return 0;
}
