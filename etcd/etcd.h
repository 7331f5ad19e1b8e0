/* SPDX-License-Identifier: MIT */
/*
 * etcd v3 over its JSON gateway: one connection object per thread of use, several endpoints with
 * failover, token fetched and renewed silently, every call with a deadline. Works with 3.4 and 3.5.
 * Facts about the gateway: https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
 *
 * Only reads and guarded transactions are retried after a connection error: a plain put may have
 * happened, so callers that must know use etcd_txn with a compare.
 */
#ifndef ETCD_ETCD_H
#define ETCD_ETCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/until.h"
#include "etcd/link.h"

struct etcd;

struct etcd_opts {
    int64_t timeout_ms;         /* per call; 0: 5000 */
    int64_t connect_timeout_ms; /* 0: 2000 */
};

/* Copies what it needs of the link; opens nothing yet. Not thread-safe: one per thread. */
int etcd_open(struct etcd **out, const struct link *link, const struct etcd_opts *o, struct err *e);
/* A second client with the same endpoints, login and deadline, for another thread: etcd is not
 * asked for another token. */
int etcd_clone(struct etcd **out, const struct etcd *c, struct err *e);
/* The token of its login, borrowed until the next call; NULL: it has not logged in. */
const char *etcd_token(const struct etcd *c);
/* From now on it uses the login that `from` has, or logs in again at its next call when that has
 * none. */
void etcd_share_login(struct etcd *c, const struct etcd *from);
/* Whether it was opened with a link of the same text. */
bool etcd_is_at(const struct etcd *c, const struct link *link);
void etcd_close(struct etcd *c);
/* From now on every call and watch ends when `until` passes or is aborted, whatever else bounds
 * it. A clone has the same. */
void etcd_set_until(struct etcd *c, struct until until);
/* The deadline of the following calls, clock.h; CLOCK_NEVER: only the per-call timeout. */
void etcd_set_deadline(struct etcd *c, int64_t deadline);

/* ---- keys ---- */

struct etcd_kv {
    char *key, *value; /* NUL-terminated; value_len counts */
    size_t value_len;
    int64_t create_revision, mod_revision, version, lease;
};
struct etcd_kvs {
    struct etcd_kv *items; /* sorted by key */
    size_t count;
    int64_t revision; /* of the store when read */
};
/* Frees the keys; usable again. */
void etcd_kvs_clear(struct etcd_kvs *kvs);
/* Borrowed, or NULL. */
const struct etcd_kv *etcd_kvs_find(const struct etcd_kvs *kvs, const char *key);
/* Where the first one is that begins with `prefix`, and how many follow each other that do. */
size_t etcd_kvs_below(size_t *count, const struct etcd_kvs *kvs, const char *prefix);

/* One key; ERR_NOTFOUND when it is not there. */
int etcd_get(struct etcd_kv *out, struct etcd *c, const char *key, struct err *e);
void etcd_kv_clear(struct etcd_kv *kv);
/* Every key with the prefix, paged at one revision. */
int etcd_range(struct etcd_kvs *out, struct etcd *c, const char *prefix, struct err *e);
/* Several prefixes and keys (a name not ending in '/' is one key) at one revision, in one
 * transaction. */
int etcd_range_many(struct etcd_kvs *out, struct etcd *c, const char *const *names, size_t count,
                    struct err *e);
/* lease 0: none. A value beyond 1.5 MiB is ERR_CONFIG. */
int etcd_put(struct etcd *c, const char *key, const char *value, int64_t lease, struct err *e);
/* *deleted may be NULL. A name ending in '/' deletes the prefix. */
int etcd_delete(struct etcd *c, const char *key, int64_t *deleted, struct err *e);

/* ---- transactions ---- */

enum etcd_cmp { ETCD_CMP_CREATE_EQ, ETCD_CMP_MOD_EQ, ETCD_CMP_VERSION_EQ };
enum { ETCD_TXN_MAX = 128 }; /* operations per transaction, etcd's default --max-txn-ops */

struct etcd_txn; /* a builder; free it after use */
/* An empty one, owned. */
struct etcd_txn *etcd_txn_new(void);
void etcd_txn_free(struct etcd_txn *t);
/* What must hold, or nothing is done: a number of the key (its create or modification revision, its
 * version; 0: there is none). Everything is copied. */
void etcd_txn_if(struct etcd_txn *t, const char *key, enum etcd_cmp cmp, int64_t number);
/* What is done then. lease 0: none. */
void etcd_txn_put(struct etcd_txn *t, const char *key, const char *value, int64_t lease);
void etcd_txn_delete(struct etcd_txn *t, const char *key); /* ending in '/': the prefix */
size_t etcd_txn_count(const struct etcd_txn *t);           /* operations so far */
/* ERR_CONFLICT when a compare failed. *revision may be NULL. */
int etcd_txn_run(struct etcd *c, const struct etcd_txn *t, int64_t *revision, struct err *e);

/*
 * Writes many keys: batches of at most 128 operations, each guarded by `guard_key`'s create
 * revision (guard_key NULL: unguarded), up to `connections` batches under way at once. The last
 * entry goes in the last batch, after all others are in. value NULL deletes. Every key stands once
 * (ERR_USAGE). ERR_LOCKED when the guard is another's by now; a batch whose answer is lost is sent
 * again. What was written before a failure stays: push again. *revision may
 * be NULL.
 */
struct etcd_write {
    const char *key, *value;
};
struct etcd_push_opts {
    const char *guard_key;
    int64_t guard_revision;
    unsigned connections;
};
int etcd_push(struct etcd *c, const struct etcd_write *writes, size_t count,
              const struct etcd_push_opts *o, int64_t *revision, struct err *e);

/* ---- leases ---- */

/* *lease: its number, for the writes that are to end with it after ttl_s seconds. */
int etcd_lease_grant(struct etcd *c, int64_t ttl_s, int64_t *lease, struct err *e);
/* ERR_NOTFOUND when the lease is gone. */
int etcd_lease_keepalive(struct etcd *c, int64_t lease, struct err *e);
int etcd_lease_revoke(struct etcd *c, int64_t lease, struct err *e);

/* ---- watch ---- */

struct etcd_event {
    bool deleted;
    struct etcd_kv kv; /* borrowed for the call */
};
/*
 * A watch on several prefixes (and keys: a name not ending in '/') on one connection of its own.
 * etcd_watch_run delivers events in order until the deadline, a first cancel, the stop function
 * returns true (asked each 200 ms; while it reconnects, after each call), or an error. It
 * reconnects with back-off, renews the token, resumes after the last complete revision, and lists
 * again after a compaction: then `reset` is called with the full current content first. A stream
 * silent for silence_ms is taken as dead and reopened. The callbacks may use the same client for
 * other calls.
 */
struct etcd_watch_opts {
    const char *const *prefixes;
    size_t prefix_count;
    int64_t from_revision; /* 0: from now */
    int64_t silence_ms;    /* 0: 60000 */
    int (*event)(void *arg, const struct etcd_event *ev,
                 int64_t revision); /* non-zero ends the watch */
    int (*reset)(void *arg, const struct etcd_kvs *all);
    void (*state)(void *arg, bool connected, const char *why); /* may be NULL */
    bool (*stop)(void *arg);                                   /* asked several times a second */
    int wake_fd; /* readable: it is asked at once, and makes it unreadable; 0: none */
    void *arg;
    int64_t deadline;
};
int etcd_watch_run(struct etcd *c, const struct etcd_watch_opts *o, struct err *e);

/* ---- lock ---- */

struct etcd_lock {
    char *key;
    int64_t lease, create_revision; /* create_revision is the fencing token */
};
/* Another key that its taker has to have at that create revision; key NULL: none. */
struct etcd_fence {
    const char *key;
    int64_t create_revision;
};
/* Takes `key` with a lease of ttl_s and `owner` (JSON text: who, what, since) as its value.
 * ERR_LOCKED with the holder's value in the message when held. The caller keeps the lease alive. */
int etcd_lock_take(struct etcd_lock *out, struct etcd *c, const char *key, const char *owner,
                   int64_t ttl_s, struct err *e);
/* The same; ERR_CONFLICT when nobody has it and the fence does not hold. */
struct etcd_lock_want {
    const char *key, *owner;
    int64_t ttl_s;
    struct etcd_fence fence;
};
int etcd_lock_take_behind(struct etcd_lock *out, struct etcd *c, const struct etcd_lock_want *w,
                          struct err *e);
int etcd_lock_release(struct etcd *c, struct etcd_lock *l, struct err *e); /* clears l */

/* ---- auth ---- */

struct etcd_role_grant {
    const char *key; /* ending in '/': the prefix */
    bool read, write;
};
/* Each is idempotent: existing things are brought to the wanted state. A password that is right is
 * not written again, since that would take the user's tokens; NULL leaves that of an existing user.
 * The role root is only made: it may do everything, whatever the grants. */
int etcd_user_ensure(struct etcd *c, const char *user, const char *password,
                     const char *const *roles, size_t role_count, struct err *e);
int etcd_role_ensure(struct etcd *c, const char *role, const struct etcd_role_grant *grants,
                     size_t count, struct err *e);
int etcd_user_remove(struct etcd *c, const char *user, struct err *e); /* fine when missing */
int etcd_role_remove(struct etcd *c, const char *role, struct err *e);
struct strv;
/* Adds the keys that a role may read and those that it may write, each with its range: "KEY", or
 * "PREFIX/" for all below. */
int etcd_role_get(struct strv *read, struct strv *write, struct etcd *c, const char *role,
                  struct err *e);
int etcd_user_list(struct strv *out, struct etcd *c, struct err *e);
int etcd_role_list(struct strv *out, struct etcd *c, struct err *e);
/* True in *on when an unauthenticated read is refused: works on 3.4, which has no auth/status. */
int etcd_auth_is_on(struct etcd *c, bool *on, struct err *e);

/* One request in its own words, to see whether etcd takes it; never sent twice. *refused:
 * permission was denied. Any other answer, none in time (a stream goes on) and one that is too long
 * to keep mean that it was taken. -1: etcd was not reached. */
int etcd_probe(bool *refused, struct etcd *c, const char *path, const char *body, struct err *e);

/* ---- members and maintenance ---- */

struct etcd_member {
    uint64_t id;
    char *name, *peer_url, *client_url; /* the first of each; "" when none */
    bool learner;
};
struct etcd_members {
    struct etcd_member *items;
    size_t count;
};
/* Every member. Clear it in every case. */
int etcd_member_list(struct etcd_members *out, struct etcd *c, struct err *e);
void etcd_members_clear(struct etcd_members *m);

struct etcd_status {
    char *version;
    uint64_t leader, member;
    int64_t db_size, db_in_use, revision, raft_term;
    bool alarm_nospace, alarm_corrupt;
};
/* Of the endpoint with this index in the link. */
int etcd_status_get(struct etcd_status *out, struct etcd *c, size_t endpoint, struct err *e);
void etcd_status_clear(struct etcd_status *s);
int etcd_compact(struct etcd *c, int64_t revision, struct err *e);
int etcd_defragment(struct etcd *c, size_t endpoint, struct err *e);
int etcd_alarm_disarm(struct etcd *c, struct err *e);

#endif
