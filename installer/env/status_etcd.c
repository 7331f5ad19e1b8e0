/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "env/status.h"
#include "plan/connect.h"

enum { ETCD_DEADLINE_MS = 3000 };

static void add_alarms(struct node *etcd, const struct etcd_status *s)
{
    struct node *alarms = node_get(etcd, "alarms");

    if (!alarms)
        alarms = node_set(etcd, "alarms", node_new_list());
    if (s->alarm_nospace && alarms->count == 0)
        node_add_text(alarms, "NOSPACE");
    if (s->alarm_corrupt && alarms->count < 2)
        node_add_text(alarms, "CORRUPT");
}

/* As the cluster itself counts: a member that is down or removed by hand has no endpoint here. */
static size_t member_count(struct etcd *c, const struct link *link)
{
    struct etcd_members members = {0};
    size_t count;
    struct err e;

    if (etcd_member_list(&members, c, &e) < 0) {
        err_drop(&e, "the list of etcd's members");
        return link->endpoint_count;
    }
    count = members.count;
    etcd_members_clear(&members);
    return count;
}

static void read_etcd(struct node *etcd, const struct observed *w, struct env *env)
{
    struct link *link = NULL;
    struct etcd *c = NULL;
    struct err e;
    int64_t answering = 0;

    if (connect_root_link(&link, w->containers, env->name, &env->key, &e) < 0 ||
        etcd_open(&c, link, NULL, &e) < 0) {
        node_set_text(etcd, "error", e.msg);
        link_free(link);
        return;
    }
    etcd_set_deadline(c, clock_deadline(ETCD_DEADLINE_MS));
    for (size_t i = 0; i < link->endpoint_count; i++) {
        struct etcd_status s;

        if (etcd_status_get(&s, c, i, &e) < 0) {
            err_drop(&e, "the status of an etcd member");
            continue;
        }
        answering++;
        node_set_text(etcd, "version", s.version);
        node_set_int(etcd, "db_size", s.db_size);
        node_set_int(etcd, "db_in_use", s.db_in_use);
        node_set_int(etcd, "revision", s.revision);
        node_set_bool(etcd, "has_leader", s.leader != 0);
        add_alarms(etcd, &s);
        etcd_status_clear(&s);
    }
    node_set_int(etcd, "members", (int64_t)member_count(c, link));
    node_set_int(etcd, "answering", answering);
    etcd_close(c);
    link_free(link);
}

struct node *status_etcd(const struct observed *w, struct env *env)
{
    struct node *etcd = node_new_map();

    node_set_bool(etcd, "answers", w->etcd_answers);
    if (w->etcd_answers)
        read_etcd(etcd, w, env);
    else
        node_set_text(etcd, "error",
                      w->etcd_expected ? w->etcd_error.msg : "no etcd container runs");
    return etcd;
}
