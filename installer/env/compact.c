/* SPDX-License-Identifier: MIT */
#include "env/compact.h"

#include "plan/connect.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The members that lead, or those that do not. */
static int defragment(struct env_compacted *out, struct etcd *c, size_t count, bool leaders,
                      struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        struct etcd_status s;
        bool leads;

        if (etcd_status_get(&s, c, i, e) < 0)
            return -1;
        leads = s.leader == s.member;
        if (leads == leaders)
            out->before = larger(out->before, s.db_size);
        etcd_status_clear(&s);
        if (leads != leaders)
            continue;
        if (etcd_defragment(c, i, e) < 0 || etcd_status_get(&s, c, i, e) < 0)
            return -1;
        out->after = larger(out->after, s.db_size);
        out->members++;
        etcd_status_clear(&s);
    }
    return 0;
}

int env_compact(struct env_compacted *out, struct env *env, struct err *e)
{
    struct link *link = NULL;
    struct etcd_status s;
    int64_t revision;
    size_t count;

    *out = (struct env_compacted){0};
    if (connect_root_link(&link, env->containers, env->name, &env->key, e) < 0)
        return -1;
    count = link->endpoint_count;
    link_free(link);
    if (etcd_status_get(&s, env->etcd, 0, e) < 0)
        return -1;
    out->alarm = s.alarm_nospace;
    revision = s.revision;
    etcd_status_clear(&s);
    if (etcd_compact(env->etcd, revision, e) < 0)
        return -1;
    env->changed = true;
    if (defragment(out, env->etcd, count, false, e) < 0 ||
        defragment(out, env->etcd, count, true, e) < 0)
        return -1;
    return out->alarm ? etcd_alarm_disarm(env->etcd, e) : 0;
}
