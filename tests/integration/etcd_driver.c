/* SPDX-License-Identifier: MIT */
/*
 * etcd.h from the command line, for tests/integration/etcd.sh and the benchmarks. The link is in
 * SLIPWAY_LINK. Prints results on stdout; a failure is "CODE: message" on stderr and exit status 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/strv.h"
#include "etcd/client.h"
#include "etcd/etcd.h"

struct args {
    struct etcd *c;
    int count;
    char **items;
};

static const char *arg(const struct args *a, int i)
{
    return i < a->count ? a->items[i] : "";
}

static int64_t number(const struct args *a, int i)
{
    return strtoll(arg(a, i), NULL, 10);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_kvs(const struct etcd_kvs *kvs)
{
    for (size_t i = 0; i < kvs->count; i++)
        printf("%s=%.60s\n", kvs->items[i].key, kvs->items[i].value);
    printf("count=%zu revision=%" PRId64 "\n", kvs->count, kvs->revision);
}

static int cmd_get(const struct args *a, struct err *e)
{
    struct etcd_kv kv;

    if (etcd_get(&kv, a->c, arg(a, 0), e) < 0)
        return -1;
    printf("%s\n", kv.value);
    etcd_kv_clear(&kv);
    return 0;
}

static int cmd_range(const struct args *a, struct err *e)
{
    struct etcd_kvs kvs;

    if (etcd_range(&kvs, a->c, arg(a, 0), e) < 0)
        return -1;
    print_kvs(&kvs);
    etcd_kvs_clear(&kvs);
    return 0;
}

static int cmd_many(const struct args *a, struct err *e)
{
    struct etcd_kvs kvs;

    if (etcd_range_many(&kvs, a->c, (const char *const *)a->items, (size_t)a->count, e) < 0)
        return -1;
    print_kvs(&kvs);
    etcd_kvs_clear(&kvs);
    return 0;
}

static int cmd_put(const struct args *a, struct err *e)
{
    return etcd_put(a->c, arg(a, 0), arg(a, 1), number(a, 2), e);
}

/* put-big KEY BYTES */
static int cmd_put_big(const struct args *a, struct err *e)
{
    size_t len = (size_t)number(a, 1);
    auto_free char *value = mem_alloc(len + 1);

    memset(value, 'x', len);
    return etcd_put(a->c, arg(a, 0), value, 0, e);
}

static int cmd_delete(const struct args *a, struct err *e)
{
    int64_t n;

    if (etcd_delete(a->c, arg(a, 0), &n, e) < 0)
        return -1;
    printf("%" PRId64 "\n", n);
    return 0;
}

/* txn PREFIX COUNT: that many puts at once */
static int cmd_txn(const struct args *a, struct err *e)
{
    struct etcd_txn *t = etcd_txn_new();
    int64_t revision;

    for (int64_t i = 0; i < number(a, 1); i++) {
        auto_free char *key = mem_printf("%s%" PRId64, arg(a, 0), i);

        etcd_txn_put(t, key, "v", 0);
    }
    int r = etcd_txn_run(a->c, t, &revision, e);
    etcd_txn_free(t);
    if (r == 0)
        printf("revision=%" PRId64 "\n", revision);
    return r;
}

/* swap KEY VERSION NEW; VERSION 0: must not be there */
static int cmd_swap(const struct args *a, struct err *e)
{
    struct etcd_txn *t = etcd_txn_new();

    etcd_txn_if(t, arg(a, 0), ETCD_CMP_VERSION_EQ, number(a, 1));
    etcd_txn_put(t, arg(a, 0), arg(a, 2), 0);
    int r = etcd_txn_run(a->c, t, NULL, e);
    etcd_txn_free(t);
    return r;
}

/* push PREFIX COUNT BYTES CONNECTIONS [GUARD REVISION] */
static int cmd_push(const struct args *a, struct err *e)
{
    size_t count = (size_t)number(a, 1), len = (size_t)number(a, 2);
    auto_free char *value = mem_alloc(len + 1);
    struct etcd_write *writes = mem_array(count, sizeof(*writes));
    int64_t revision;

    memset(value, 'v', len);
    for (size_t i = 0; i < count; i++)
        writes[i] = (struct etcd_write){mem_printf("%skey-%06zu", arg(a, 0), i), value};
    double t0 = now_s();
    struct etcd_push_opts o = {a->count > 4 ? arg(a, 4) : NULL, number(a, 5),
                               (unsigned)number(a, 3)};
    int r = etcd_push(a->c, writes, count, &o, &revision, e);
    if (r == 0)
        printf("revision=%" PRId64 " seconds=%.3f\n", revision, now_s() - t0);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)writes[i].key);
    free(writes);
    return r;
}

static int cmd_grant(const struct args *a, struct err *e)
{
    int64_t lease;

    if (etcd_lease_grant(a->c, number(a, 0), &lease, e) < 0)
        return -1;
    printf("%" PRId64 "\n", lease);
    return 0;
}

static int cmd_keepalive(const struct args *a, struct err *e)
{
    return etcd_lease_keepalive(a->c, number(a, 0), e);
}

static int cmd_revoke(const struct args *a, struct err *e)
{
    return etcd_lease_revoke(a->c, number(a, 0), e);
}

/* lock KEY OWNER TTL [hold MS]: takes, holds without keeping alive, releases */
static int cmd_lock(const struct args *a, struct err *e)
{
    struct etcd_lock l;

    if (etcd_lock_take(&l, a->c, arg(a, 0), arg(a, 1), number(a, 2), e) < 0)
        return -1;
    printf("lease=%" PRId64 " create_revision=%" PRId64 "\n", l.lease, l.create_revision);
    fflush(stdout);
    clock_sleep_ms(number(a, 4));
    if (strcmp(arg(a, 3), "leave") == 0) {
        free(l.key);
        return 0;
    }
    return etcd_lock_release(a->c, &l, e);
}

/* ---- watch ---- */

struct watching {
    int64_t left;
};

static int on_event(void *arg, const struct etcd_event *ev, int64_t revision)
{
    struct watching *w = arg;

    printf("%s %s %.60s %" PRId64 "\n", ev->deleted ? "DELETE" : "PUT", ev->kv.key,
           ev->deleted ? "-" : ev->kv.value, revision);
    fflush(stdout);
    return --w->left == 0;
}

static int on_reset(void *arg, const struct etcd_kvs *all)
{
    (void)arg;
    printf("RESET %zu\n", all->count);
    fflush(stdout);
    return 0;
}

static void on_state(void *arg, bool connected, const char *why)
{
    (void)arg;
    printf("STATE %s %s\n", connected ? "up" : "down", why ? why : "");
    fflush(stdout);
}

static bool on_stop(void *arg)
{
    return ((struct watching *)arg)->left == 0;
}

/* watch EVENTS FROM DEADLINE_MS SILENCE_MS PREFIX... */
static int cmd_watch(const struct args *a, struct err *e)
{
    struct watching w = {.left = number(a, 0)};
    struct etcd_watch_opts o = {
        .prefixes = (const char *const *)a->items + 4,
        .prefix_count = (size_t)(a->count > 4 ? a->count - 4 : 0),
        .from_revision = number(a, 1),
        .deadline = clock_deadline(number(a, 2)),
        .silence_ms = number(a, 3),
        .event = on_event,
        .reset = on_reset,
        .state = on_state,
        .stop = on_stop,
        .arg = &w,
    };

    return etcd_watch_run(a->c, &o, e);
}

/* ---- auth and members ---- */

/* user NAME PASSWORD ROLE... */
static int cmd_user(const struct args *a, struct err *e)
{
    return etcd_user_ensure(a->c, arg(a, 0), arg(a, 1), (const char *const *)a->items + 2,
                            (size_t)(a->count > 2 ? a->count - 2 : 0), e);
}

/* role NAME r:KEY w:KEY rw:KEY ... */
static int cmd_role(const struct args *a, struct err *e)
{
    struct etcd_role_grant grants[16] = {0};
    size_t n = 0;

    for (int i = 1; i < a->count && n < ARRAY_LEN(grants); i++) {
        const char *key = strchr(a->items[i], ':');

        if (!key)
            continue;
        grants[n].read = a->items[i][0] == 'r';
        grants[n].write = key[-1] == 'w';
        grants[n++].key = key + 1;
    }
    return etcd_role_ensure(a->c, arg(a, 0), grants, n, e);
}

static int cmd_user_remove(const struct args *a, struct err *e)
{
    return etcd_user_remove(a->c, arg(a, 0), e);
}

static int cmd_role_remove(const struct args *a, struct err *e)
{
    return etcd_role_remove(a->c, arg(a, 0), e);
}

static int cmd_users(const struct args *a, struct err *e)
{
    auto_strv struct strv users = {0};

    if (etcd_user_list(&users, a->c, e) < 0)
        return -1;
    for (size_t i = 0; i < users.count; i++)
        printf("%s\n", users.items[i]);
    return 0;
}

static int cmd_auth_on(const struct args *a, struct err *e)
{
    bool refused;

    if (etcd_probe(&refused, a->c, "/v3/auth/enable", "{}", e) < 0)
        return -1;
    return refused ? err_set(e, ERR_AUTH, "enabling authentication is refused") : 0;
}

static int cmd_auth(const struct args *a, struct err *e)
{
    bool on;

    if (etcd_auth_is_on(a->c, &on, e) < 0)
        return -1;
    printf("%s\n", on ? "on" : "off");
    return 0;
}

static int cmd_members(const struct args *a, struct err *e)
{
    struct etcd_members m;

    if (etcd_member_list(&m, a->c, e) < 0)
        return -1;
    for (size_t i = 0; i < m.count; i++)
        printf("%" PRIu64 " %s %s %s%s\n", m.items[i].id, m.items[i].name, m.items[i].peer_url,
               m.items[i].client_url, m.items[i].learner ? " learner" : "");
    etcd_members_clear(&m);
    return 0;
}

static int cmd_status(const struct args *a, struct err *e)
{
    struct etcd_status s;

    if (etcd_status_get(&s, a->c, (size_t)number(a, 0), e) < 0)
        return -1;
    printf("version=%s leader=%d size=%" PRId64 " used=%" PRId64 " revision=%" PRId64
           " term=%" PRId64 " nospace=%d corrupt=%d\n",
           s.version, s.leader == s.member, s.db_size, s.db_in_use, s.revision, s.raft_term,
           s.alarm_nospace, s.alarm_corrupt);
    etcd_status_clear(&s);
    return 0;
}

static int cmd_compact(const struct args *a, struct err *e)
{
    return etcd_compact(a->c, number(a, 0), e);
}

static int cmd_defragment(const struct args *a, struct err *e)
{
    return etcd_defragment(a->c, (size_t)number(a, 0), e);
}

static int cmd_disarm(const struct args *a, struct err *e)
{
    return etcd_alarm_disarm(a->c, e);
}

/* repeat COUNT PAUSE_MS KEY: gets on one client, each with the endpoint that answered */
static int cmd_repeat(const struct args *a, struct err *e)
{
    for (int64_t i = 0; i < number(a, 0); i++) {
        struct etcd_kv kv;
        double t0 = now_s();

        if (etcd_get(&kv, a->c, arg(a, 2), e) < 0)
            return -1;
        printf("%s %s %.1f ms\n", a->c->endpoints[a->c->current].name, kv.value,
               (now_s() - t0) * 1000);
        fflush(stdout);
        etcd_kv_clear(&kv);
        clock_sleep_ms(number(a, 1));
    }
    return 0;
}

/* start NAME...: what an agent does first, with its cost in time and private memory */
static int cmd_start(const struct args *a, struct err *e)
{
    char line[256];
    double t0 = now_s();

    if (cmd_many(a, e) < 0)
        return -1;
    printf("milliseconds=%.1f\n", (now_s() - t0) * 1000);
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, "RssAnon", 7) == 0 || strncmp(line, "VmRSS", 5) == 0)
            fputs(line, stdout);
    if (f)
        fclose(f);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const struct args *a, struct err *e);
} commands[] = {
    {"get", cmd_get},
    {"range", cmd_range},
    {"many", cmd_many},
    {"put", cmd_put},
    {"put-big", cmd_put_big},
    {"delete", cmd_delete},
    {"txn", cmd_txn},
    {"swap", cmd_swap},
    {"push", cmd_push},
    {"grant", cmd_grant},
    {"keepalive", cmd_keepalive},
    {"revoke", cmd_revoke},
    {"lock", cmd_lock},
    {"watch", cmd_watch},
    {"user", cmd_user},
    {"role", cmd_role},
    {"user-remove", cmd_user_remove},
    {"role-remove", cmd_role_remove},
    {"users", cmd_users},
    {"auth-on", cmd_auth_on},
    {"auth", cmd_auth},
    {"members", cmd_members},
    {"status", cmd_status},
    {"compact", cmd_compact},
    {"defragment", cmd_defragment},
    {"disarm", cmd_disarm},
    {"repeat", cmd_repeat},
    {"start", cmd_start},
};

int main(int argc, char **argv)
{
    const char *text = getenv("SLIPWAY_LINK");
    struct args a = {.count = argc - 2, .items = argv + 2};
    struct link *link = NULL;
    struct err e = {0};
    int r = -1;

    if (argc < 2 || !text) {
        fprintf(stderr, "usage: SLIPWAY_LINK=... etcd_driver COMMAND ...\n");
        return 2;
    }
    if (link_parse(&link, text, &e) == 0 && etcd_open(&a.c, link, NULL, &e) == 0) {
        err_set(&e, ERR_USAGE, "no command %s", argv[1]);
        for (size_t i = 0; i < ARRAY_LEN(commands); i++)
            if (strcmp(commands[i].name, argv[1]) == 0)
                r = commands[i].run(&a, &e);
    }
    etcd_close(a.c);
    link_free(link);
    if (r == 0)
        return 0;
    fprintf(stderr, "%s: %s\n", err_code_name(e.code), e.msg);
    return 1;
}
