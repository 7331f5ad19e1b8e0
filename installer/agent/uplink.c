/* SPDX-License-Identifier: MIT */
#include "agent/uplink.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/bell.h"
#include "agent/outbox.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "model/keys.h"

enum {
    STACK_BYTES = 256 << 10,
    LEASE_TTL_S = 15,
    HEARTBEAT_MS = 5000,
    COMPARE_MS = 60000, /* etcd 3.4 loses watch events under load (issue 17529): look again */
    RETRY_FIRST_MS = 100,
    RETRY_MAX_MS = 2000,
    TURN_MS = 100,
    CORRECT_MS = 1000, /* who writes what is ours is not answered faster */
};

struct uplink {
    const struct link *link;
    const char *component;
    struct strv names, watched; /* keys that are read; with the two that are written */
    char *status_key, *applied_key;
    pthread_t thread;
    int event_fd; /* for the main thread: there is a new tree */
    int wake_fd;  /* for this one: there is something to write */

    struct outbox status, applied;
    pthread_mutex_t lock; /* over the next ones */
    struct tree *fresh;
    bool stopping, done;
    bool silent; /* etcd does not answer */

    /* The thread's own. */
    struct etcd *client;  /* reads and reports */
    struct etcd *watcher; /* a connection of its own */
    int64_t revision;     /* of the store when it was last read; 0: not yet */
    char seen_hash[65];   /* of the tree handed over last */
    int64_t seen_revision;
    int64_t lease;
    int64_t report_revision; /* of the last report of ours that etcd took */
    int64_t heartbeat_at, compare_at, report_at;
    struct clock_backoff backoff, report_backoff;
    bool away;   /* said so */
    bool denied; /* what it reads: then it reports nothing, and is seen to be silent */
};

int uplink_fd(const struct uplink *u)
{
    return u->event_fd;
}

void uplink_say_status(struct uplink *u, char *text)
{
    outbox_say(&u->status, text);
    bell_ring(u->wake_fd);
}

void uplink_say_applied(struct uplink *u, char *text)
{
    outbox_say(&u->applied, text);
    bell_ring(u->wake_fd);
}

struct tree *uplink_take(struct uplink *u)
{
    bell_hush(u->event_fd);
    pthread_mutex_lock(&u->lock);
    struct tree *t = steal(u->fresh);
    pthread_mutex_unlock(&u->lock);
    return t;
}

static bool is_stopping(struct uplink *u)
{
    pthread_mutex_lock(&u->lock);
    bool stopping = u->stopping;
    pthread_mutex_unlock(&u->lock);
    return stopping;
}

/* ---- reports ---- */

bool uplink_is_heard(struct uplink *u)
{
    return outbox_is_written(&u->status);
}

bool uplink_is_silent(struct uplink *u)
{
    pthread_mutex_lock(&u->lock);
    bool silent = u->silent;
    pthread_mutex_unlock(&u->lock);
    return silent;
}

static void set_silent(struct uplink *u, bool silent)
{
    pthread_mutex_lock(&u->lock);
    u->silent = silent;
    pthread_mutex_unlock(&u->lock);
}

/* Without a lease the status is not there: it has to be put again. */
static void lose_lease(struct uplink *u)
{
    u->lease = 0;
    outbox_mark_written(&u->status, 0);
}

static int keep_lease(struct uplink *u, struct err *e)
{
    if (u->lease && clock_passed(u->heartbeat_at)) {
        if (etcd_lease_keepalive(u->client, u->lease, e) < 0) {
            if (e->code != ERR_NOTFOUND)
                return -1;
            lose_lease(u);
        } else {
            u->heartbeat_at = clock_deadline(HEARTBEAT_MS);
        }
    }
    if (!u->lease) {
        if (etcd_lease_grant(u->client, LEASE_TTL_S, &u->lease, e) < 0) {
            u->lease = 0;
            return -1;
        }
        u->heartbeat_at = clock_deadline(HEARTBEAT_MS);
    }
    return 0;
}

/* Both in one transaction: each one takes time of etcd, and a start of many instances many. */
static int write_reports(struct uplink *u, struct err *e)
{
    uint64_t applied_number, status_number;
    struct etcd_txn *t;
    int r = 0;

    if (keep_lease(u, e) < 0)
        return -1;
    auto_free char *applied = outbox_unwritten(&u->applied, &applied_number);
    auto_free char *status = outbox_unwritten(&u->status, &status_number);
    t = etcd_txn_new();
    if (applied)
        etcd_txn_put(t, u->applied_key, applied, 0);
    if (status)
        etcd_txn_put(t, u->status_key, status, u->lease);
    if (etcd_txn_count(t) > 0)
        r = etcd_txn_run(u->client, t, &u->report_revision, e);
    etcd_txn_free(t);
    if (r < 0 && status && e->code == ERR_NOTFOUND)
        lose_lease(u);
    if (r < 0)
        return -1;
    if (applied)
        outbox_mark_written(&u->applied, applied_number);
    if (status)
        outbox_mark_written(&u->status, status_number);
    return 0;
}

static void set_away(struct uplink *u, const char *why)
{
    if (why && !u->away)
        log_warn("etcd is unreachable, the daemon runs on: %s", why);
    if (!why && u->away)
        log_info("etcd is back");
    u->away = why != NULL;
    set_silent(u, u->away);
}

/* It answers, but this instance gets nothing from it: that needs somebody's attention. */
static void set_refused(struct uplink *u, const char *why)
{
    if (!u->away)
        log_error("etcd gives no configuration, the daemon runs on: %s", why);
    u->away = true;
    set_silent(u, false);
}

/* ---- watch ---- */

/* Takes the tree. One that was handed over before is not news. */
static void hand_over(struct uplink *u, struct tree *t)
{
    char hash[65];

    tree_hash(hash, t);
    if (t->revision == u->seen_revision && strcmp(hash, u->seen_hash) == 0) {
        tree_free(t);
        return;
    }
    memcpy(u->seen_hash, hash, sizeof(hash));
    u->seen_revision = t->revision;
    pthread_mutex_lock(&u->lock);
    struct tree *old = u->fresh;
    u->fresh = t;
    pthread_mutex_unlock(&u->lock);
    tree_free(old);
    bell_ring(u->event_fd);
}

static int read_tree(struct uplink *u, struct err *e)
{
    struct etcd_kvs kvs = {0};

    if (etcd_range_many(&kvs, u->client, (const char *const *)u->names.items, u->names.count, e) <
        0)
        return -1;
    struct tree *t = NULL;
    int r = tree_from_kvs(&t, &kvs, u->link->prefix, u->component, e);
    if (r == 0)
        u->revision = kvs.revision;
    etcd_kvs_clear(&kvs);
    u->compare_at = clock_deadline(COMPARE_MS);
    if (r < 0)
        return -1;
    hand_over(u, t);
    return 0;
}

/* An event says only that something is new: all of it is read again at one revision. */
static void look_again(struct uplink *u)
{
    struct err e;
    bool failed = read_tree(u, &e) < 0, was_denied = u->denied;

    u->denied = failed && e.code == ERR_AUTH;
    if (u->denied)
        set_refused(u, e.msg);
    if (failed) {
        u->compare_at = clock_deadline(u->denied ? RETRY_MAX_MS : RETRY_FIRST_MS);
        err_drop(&e, "reading the configuration again");
    } else if (was_denied) {
        set_away(u, NULL);
    }
}

/* One of the two that this instance writes. When another hand changed or removed it, it is said
 * again. */
static bool is_report(struct uplink *u, const struct etcd_event *ev)
{
    bool status = strcmp(ev->kv.key, u->status_key) == 0;

    if (!status && strcmp(ev->kv.key, u->applied_key) != 0)
        return false;
    if (ev->kv.mod_revision > u->report_revision) {
        outbox_mark_written(status ? &u->status : &u->applied, 0);
        u->report_at = clock_deadline(CORRECT_MS);
    }
    return true;
}

static int on_event(void *arg, const struct etcd_event *ev, int64_t revision)
{
    struct uplink *u = arg;

    if (!is_report(u, ev) && revision > u->revision)
        look_again(u);
    return 0;
}

/* Perhaps another store: one whose keys and revision are the same by chance is not news, but it has
 * no acknowledgement. */
static int on_reset(void *arg, const struct etcd_kvs *all)
{
    struct uplink *u = arg;

    (void)all;
    u->report_revision = 0;
    outbox_mark_written(&u->applied, 0);
    look_again(u);
    return 0;
}

/*
 * What comes back may be another store, or one that forgot the login and the lease: both clients
 * log in once for it, and what this instance says is said again. Its revision need not show that:
 * it may have passed the old one meanwhile.
 */
static void say_again(struct uplink *u)
{
    outbox_mark_written(&u->applied, 0);
    u->heartbeat_at = 0;
    u->report_at = 0;
    u->report_backoff.tries = 0;
}

static void on_state(void *arg, bool connected, const char *why)
{
    struct uplink *u = arg;
    bool was_away = u->away;

    set_away(u, connected ? NULL : why ? why : "no connection");
    etcd_share_login(u->client, u->watcher);
    if (!connected || !was_away)
        return;
    say_again(u);
    look_again(u);
}

/* Asked several times a second while the watch runs: everything else is done here. */
static bool on_turn(void *arg)
{
    struct uplink *u = arg;
    struct err e;

    bell_hush(u->wake_fd);
    if (is_stopping(u))
        return true;
    if (clock_passed(u->report_at) && !u->denied) {
        if (write_reports(u, &e) < 0) {
            u->report_at = clock_deadline(clock_backoff_next(&u->report_backoff));
            set_silent(u, err_retryable(&e));
            err_drop(&e, "writing the status");
        } else {
            u->report_backoff.tries = 0;
        }
    }
    if (clock_passed(u->compare_at))
        look_again(u);
    return false;
}

static int open_clients(struct uplink *u, struct err *e)
{
    if (!u->client && etcd_open(&u->client, u->link, NULL, e) < 0)
        return -1;
    if (!u->revision && read_tree(u, e) < 0)
        return -1;
    /* After the first read, so that both clients share one login. */
    if (!u->watcher)
        return etcd_clone(&u->watcher, u->client, e);
    etcd_share_login(u->watcher, u->client);
    return 0;
}

static int session(struct uplink *u, struct err *e)
{
    if (open_clients(u, e) < 0)
        return -1;
    set_away(u, NULL);
    u->backoff.tries = 0;
    u->compare_at = clock_deadline(COMPARE_MS);
    struct etcd_watch_opts o = {.prefixes = (const char *const *)u->watched.items,
                                .prefix_count = u->watched.count,
                                .from_revision = u->revision + 1,
                                .event = on_event,
                                .reset = on_reset,
                                .state = on_state,
                                .stop = on_turn,
                                .wake_fd = u->wake_fd,
                                .arg = u,
                                .deadline = CLOCK_NEVER};
    return etcd_watch_run(u->watcher, &o, e);
}

static void nap(struct uplink *u, int64_t ms)
{
    for (int64_t until = clock_deadline(ms); !clock_passed(until) && !is_stopping(u);)
        clock_sleep_ms(clock_left_ms(until) < TURN_MS ? clock_left_ms(until) : TURN_MS);
}

static void *work(void *arg)
{
    struct uplink *u = arg;
    struct err e;

    while (!is_stopping(u)) {
        if (session(u, &e) == 0)
            continue;
        if (err_retryable(&e))
            set_away(u, e.msg);
        else
            set_refused(u, e.msg);
        u->revision = 0;
        say_again(u);
        nap(u, clock_backoff_next(&u->backoff));
    }
    if (u->client) {
        etcd_set_deadline(u->client, clock_deadline(1000));
        if (write_reports(u, &e) < 0)
            err_drop(&e, "writing the last status");
    }
    pthread_mutex_lock(&u->lock);
    u->done = true;
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

/* ---- life ---- */

static void uplink_free(struct uplink *u)
{
    etcd_close(u->client);
    etcd_close(u->watcher);
    strv_clear(&u->names);
    strv_clear(&u->watched);
    free(u->status_key);
    free(u->applied_key);
    outbox_clear(&u->status);
    outbox_clear(&u->applied);
    tree_free(u->fresh);
    if (u->event_fd >= 0)
        close(u->event_fd);
    if (u->wake_fd >= 0)
        close(u->wake_fd);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

/* Signals are the main thread's. */
static int start_thread(struct uplink *u)
{
    sigset_t all, old;
    pthread_attr_t attr;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int why = thread_start(&u->thread, &attr, work, u);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return why;
}

int uplink_start(struct uplink **out, const struct uplink_opts *o, struct err *e)
{
    *out = NULL;
    struct uplink *u = mem_alloc(sizeof(*u));
    *u = (struct uplink){.link = o->link,
                         .component = o->component,
                         .client = o->client,
                         .revision = o->revision,
                         .event_fd = bell_new(),
                         .wake_fd = bell_new(),
                         .status = OUTBOX_EMPTY,
                         .applied = OUTBOX_EMPTY,
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .backoff = {.first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS},
                         .report_backoff = {.first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS}};
    u->status_key = keys_instance_status(o->env, o->instance);
    u->applied_key = keys_instance_applied(o->env, o->instance);
    if (tree_names(&u->names, o->link->prefix, o->component, e) < 0) {
        uplink_free(u);
        return -1;
    }
    strv_add_all(&u->watched, &u->names);
    strv_add(&u->watched, u->status_key);
    strv_add(&u->watched, u->applied_key);
    int why = u->event_fd < 0 || u->wake_fd < 0 ? errno : start_thread(u);
    if (why) {
        uplink_free(u);
        errno = why;
        return err_sys(e, "starting the line to etcd");
    }
    *out = u;
    return 0;
}

bool uplink_stop(struct uplink *u, int64_t timeout_ms)
{
    if (!u)
        return true;
    pthread_mutex_lock(&u->lock);
    u->stopping = true;
    pthread_mutex_unlock(&u->lock);
    bell_ring(u->wake_fd);
    int64_t deadline = clock_deadline(timeout_ms);
    for (bool done = false; !done; clock_sleep_ms(5)) {
        pthread_mutex_lock(&u->lock);
        done = u->done;
        pthread_mutex_unlock(&u->lock);
        if (!done && clock_passed(deadline)) {
            pthread_detach(u->thread);
            return false;
        }
    }
    pthread_join(u->thread, NULL);
    uplink_free(u);
    return true;
}
