/* SPDX-License-Identifier: MIT */
/* The built-in module access: quorum, authentication really on, instances kept apart, latency,
 * space. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "check/modules.h"
#include "check/ways.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/object.h"

enum { CALL_MS = 5000, WAYS_MS = 20000, LATENCY_TRIES = 9, LATENCY_WARN_MS = 100 };

struct subject {
    struct check *check;
    struct link *link;
    struct etcd *c;
};

static void check_members(const struct subject *s)
{
    struct etcd_members members = {0};
    struct err e;
    size_t answering = 0, total;
    bool leader = false;

    if (etcd_member_list(&members, s->c, &e) < 0) {
        check_add(s->check, "access.members", CHECK_FAILED,
                  "look at `slipway logs etcd`; without a majority of members nothing can change",
                  "no list of members: %s", e.msg);
        return;
    }
    total = members.count;
    etcd_members_clear(&members);
    for (size_t i = 0; i < s->link->endpoint_count; i++) {
        struct etcd_status status;

        if (etcd_status_get(&status, s->c, i, &e) < 0)
            continue;
        answering++;
        leader = leader || status.leader != 0;
        etcd_status_clear(&status);
    }
    if (answering == total && leader)
        check_add(s->check, "access.members", CHECK_SUCCESS, NULL, "%zu of %zu members answer",
                  answering, total);
    else
        check_add(s->check, "access.members", leader ? CHECK_WARNING : CHECK_FAILED,
                  "start what is stopped (`slipway up`), then look at `slipway logs etcd`",
                  "%zu of %zu members answer%s", answering, total,
                  leader ? "" : ", none knows a leader");
}

static void check_auth(const struct subject *s)
{
    struct err e;
    bool on;

    if (etcd_auth_is_on(s->c, &on, &e) < 0)
        check_add(s->check, "access.auth", CHECK_EXCEPTION, NULL, "%s", e.msg);
    else if (on)
        check_add(s->check, "access.auth", CHECK_SUCCESS, NULL,
                  "a read without a password is refused");
    else
        check_add(s->check, "access.auth", CHECK_FAILED,
                  "anybody who reaches etcd can read and change everything; restart etcd-1, its "
                  "start turns authentication on",
                  "a read without a password is answered");
}

/* Two instances, or false: nothing to keep apart. */
static bool pick_two(const struct subject *s, const char **a, const char **b)
{
    const struct node *row;

    *a = *b = NULL;
    node_for_each (row, node_get(s->check->status, "instances")) {
        const char *name = node_get_text(row, "instance");

        if (!*a && strcmp(node_get_text(row, "component"), ETCD_COMPONENT) != 0)
            *a = name;
        else
            *b = name;
        if (*a && *b)
            return true;
    }
    return false;
}

/* 1: refused, 0: allowed, -1: could not be tried. */
static int is_refused(struct etcd *c, const char *prefix, struct err *e)
{
    struct etcd_kvs kvs = {0};
    struct etcd_txn *t = etcd_txn_new();
    auto_free char *key = mem_printf("%sconfig/slipway_check", prefix);
    int r;

    if (etcd_range(&kvs, c, prefix, e) == 0) {
        etcd_kvs_clear(&kvs);
        etcd_txn_free(t);
        return 0;
    }
    if (e->code != ERR_AUTH) {
        etcd_txn_free(t);
        return -1;
    }
    /* A write whose condition cannot hold: were it allowed, it would still change nothing. */
    etcd_txn_if(t, key, ETCD_CMP_MOD_EQ, INT64_MAX);
    etcd_txn_put(t, key, "x", 0);
    r = etcd_txn_run(c, t, NULL, e) == 0 || e->code == ERR_CONFLICT ? 0
        : e->code == ERR_AUTH                                       ? 1
                                                                    : -1;
    etcd_txn_free(t);
    return r;
}

/* A client with the login of an instance. */
static int open_as(struct etcd **out, const struct subject *s, const char *user, struct err *e)
{
    struct env *env = s->check->env;
    auto_wipe char *text = NULL;
    struct link *link = NULL;
    int r = -1;

    *out = NULL;
    if (connect_link(&text, env->containers, env->name, &env->key, user, e) == 0 &&
        link_parse(&link, text, e) == 0)
        r = etcd_open(out, link, NULL, e);
    link_free(link);
    if (r == 0)
        etcd_set_deadline(*out, clock_deadline(CALL_MS));
    return r;
}

static int try_as(const struct subject *s, const char *user, const char *victim, struct err *e)
{
    auto_free char *prefix = keys_instance(s->check->env->name, victim);
    struct etcd *c = NULL;
    int r = open_as(&c, s, user, e) == 0 ? is_refused(c, prefix, e) : -1;

    etcd_close(c);
    return r;
}

static void check_isolation(const struct subject *s)
{
    const char *user, *victim;
    struct err e;

    if (!pick_two(s, &user, &victim)) {
        check_add(s->check, "access.isolation", CHECK_SKIPPED, NULL,
                  "there are no two instances to keep apart");
        return;
    }
    switch (try_as(s, user, victim, &e)) {
    case 1:
        check_add(s->check, "access.isolation", CHECK_SUCCESS, NULL,
                  "%s may neither read nor write the keys of %s", user, victim);
        break;
    case 0:
        check_add(s->check, "access.isolation", CHECK_FAILED,
                  "run `slipway up`, which brings roles to what they should be",
                  "%s reaches the keys of %s", user, victim);
        break;
    default:
        check_add(s->check, "access.isolation", CHECK_EXCEPTION, NULL, "as %s: %s", user, e.msg);
    }
}

static void check_ways(const struct subject *s)
{
    const char *user, *victim;
    auto_strv struct strv open = {0};
    struct etcd *c = NULL;
    struct err e;
    int tried = -1;

    if (!pick_two(s, &user, &victim)) {
        check_add(s->check, "access.ways", CHECK_SKIPPED, NULL,
                  "there are no two instances to keep apart");
        return;
    }
    if (open_as(&c, s, user, &e) == 0) {
        struct check_ways w = {
            .env = s->check->env->name, .user = user, .victim = victim, .c = c, .root = s->c};

        etcd_set_deadline(c, clock_deadline(WAYS_MS));
        tried = check_ways_try(&open, &w, &e);
    }
    etcd_close(c);
    if (tried < 0)
        check_add(s->check, "access.ways", CHECK_EXCEPTION, NULL, "as %s: %s", user, e.msg);
    else if (open.count == 0)
        check_add(s->check, "access.ways", CHECK_SUCCESS, NULL,
                  "%d ways past the rights of %s are refused", tried, user);
    else {
        auto_free char *list = strv_join(&open, "; ");

        check_add(s->check, "access.ways", CHECK_FAILED,
                  "the gate before etcd does not hold: see `slipway logs etcd`, and make its "
                  "containers again (`slipway remove --force INSTANCE` of each, and `slipway up`)",
                  "past its rights %s gets through with %s", user, list);
    }
}

static int compare(const void *a, const void *b)
{
    int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;

    return p < q ? -1 : p > q;
}

static void check_latency(const struct subject *s)
{
    auto_free char *key = keys_spec(s->check->env->name);
    int64_t took[LATENCY_TRIES];
    struct err e;

    for (size_t i = 0; i < LATENCY_TRIES; i++) {
        struct etcd_kv kv = {0};
        int64_t began = clock_now_ms();

        if (etcd_get(&kv, s->c, key, &e) < 0 && e.code != ERR_NOTFOUND) {
            check_add(s->check, "access.latency", CHECK_FAILED, NULL, "%s", e.msg);
            return;
        }
        etcd_kv_clear(&kv);
        took[i] = clock_now_ms() - began;
    }
    qsort(took, LATENCY_TRIES, sizeof(took[0]), compare);
    check_add(s->check, "access.latency",
              took[LATENCY_TRIES / 2] > LATENCY_WARN_MS ? CHECK_WARNING : CHECK_SUCCESS,
              took[LATENCY_TRIES / 2] > LATENCY_WARN_MS
                  ? "etcd wants a fast disk; see what else writes to it"
                  : NULL,
              "a read takes %lld ms, the slowest of %d %lld ms", (long long)took[LATENCY_TRIES / 2],
              LATENCY_TRIES, (long long)took[LATENCY_TRIES - 1]);
}

static const char *const tests[] = {"members", "auth", "isolation", "ways", "latency", NULL};
static void (*const runs[])(const struct subject *s) = {check_members, check_auth, check_isolation,
                                                        check_ways, check_latency};

static const char *first_wanted(const struct check *check)
{
    size_t i = 0;

    while (tests[i + 1] && !check_wants(check, tests[i]))
        i++;
    return tests[i];
}

static void check_access(struct check *check)
{
    struct subject s = {.check = check};
    struct env *env = check->env;
    struct err e;

    if (connect_root_link(&s.link, env->containers, env->name, &env->key, &e) < 0 ||
        etcd_open(&s.c, s.link, NULL, &e) < 0) {
        auto_free char *code = mem_printf("access.%s", first_wanted(check));

        check_add(check, code, CHECK_FAILED, "`slipway up` starts it", "%s", e.msg);
        link_free(s.link);
        return;
    }
    etcd_set_deadline(s.c, clock_deadline(CALL_MS * 2));
    for (size_t i = 0; tests[i]; i++)
        if (check_wants(check, tests[i]))
            runs[i](&s);
    etcd_close(s.c);
    link_free(s.link);
}

const struct check_module check_module_access = {
    .name = "access", .tests = tests, .run = check_access};
