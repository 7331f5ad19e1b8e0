/* SPDX-License-Identifier: MIT */
#include "plan/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "model/keys.h"
#include "plan/lock_owner.h"

enum {
    LEASE_TTL_S = 15,
    KEEPALIVE_MS = 4000,
    ASK_MS = 3000,
    AGAIN_MS = 500,        /* one slow answer loses nothing */
    LOST_AFTER_MS = 10000, /* less than the TTL: stop before another can start */
    KEEPER_MS = 20000,     /* the controller mends one instance in less */
    POLL_MS = 100,
    ABORTED_MS = 1000,
    GOING_MS = 5000, /* a killed process has ended by then, however busy the machine */
    OWNER_MAX = 4096,
};

struct env_lock {
    char *env, *folder, *command, *user;
    int64_t wait_ms;
    struct until until;
    bool unwritten;
    int fd;
    struct etcd *c;      /* used by the keep-alive thread once it runs */
    struct etcd *client; /* lock_opts */
    struct etcd_lock lock;
    atomic_bool taken; /* set when `lock` is whole: other workers read it without the mutex */
    pthread_t thread;
    bool has_thread;
    struct etcd_fence fence;
    int64_t renewed;       /* when it was last, clock_lease_ms; 0: not taken */
    pthread_mutex_t mutex; /* guards stop, lost, away, renewed */
    pthread_cond_t cond;
    bool stop, lost, away;
};

/* Whether it is worth waiting, although nobody asked for it: a holder of this machine that is dead
 * or was killed lets go in a moment. */
static bool is_going(const char *owner)
{
    enum procid_fate fate = lock_owner_fate(owner);

    return fate == PROCID_ENDING || fate == PROCID_GONE;
}

/* How long that is, from when the wait began. What the controller does by itself is short, and no
 * reason to refuse a person. */
static int64_t unasked_ms(const char *owner)
{
    if (is_going(owner))
        return GOING_MS;
    return lock_owner_is_command(owner, LOCK_KEEPER) ? KEEPER_MS : 0;
}

/* The kernel lets go of the file only when the last thread of a killed holder has ended. And a new
 * holder writes its name a moment after it has the file. */
static int64_t unasked_of_file_ms(const char *path)
{
    auto_free char *owner = NULL;
    struct err ignored;

    return fs_read(&owner, NULL, path, OWNER_MAX, &ignored) == 0 ? unasked_ms(owner) : 0;
}

static int file_error(struct err *e, const char *env, const char *path)
{
    auto_free char *owner = NULL;
    struct err ignored;

    if (fs_read(&owner, NULL, path, OWNER_MAX, &ignored) < 0)
        return lock_owner_error(e, env, NULL);
    return lock_owner_error(e, env, owner);
}

static int write_owner(int fd, const char *text, struct err *e)
{
    size_t len = strlen(text);

    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, len, 0) != (ssize_t)len)
        return err_sys(e, "writing the lock file");
    return 0;
}

/* `down --volumes` removes the folder with the lock that it holds: who waited for that file has one
 * that nobody else will ever find. */
static bool is_still_there(int fd, const char *path)
{
    struct stat mine, there;

    return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
           mine.st_dev == there.st_dev;
}

static int open_file(struct env_lock *l, const char *path, struct err *e)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    if (fs_mkdirs(l->folder, 0700, e) < 0)
        return -1;
    l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->fd < 0 && l->unwritten && errno == EROFS)
        l->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return l->fd < 0 ? err_sys(e, "opening %s", path) : 0;
}

/* Nobody can have a file that cannot be made. */
static bool goes_without_file(const struct env_lock *l, const struct err *e)
{
    return l->unwritten && l->fd < 0 &&
           (e->sys == ENOSPC || e->sys == EDQUOT || e->sys == EROFS || e->sys == ENOENT);
}

static int wait_for_file(struct env_lock *l, const char *path, struct until until, struct err *e)
{
    int64_t began = clock_now_ms();

    while (flock(l->fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_sys(e, "locking %s", path);
        if (until_is_cancelled(l->until))
            return err_set(e, ERR_INTERRUPTED, "interrupted while waiting for the lock");
        if (until_passed(until) && clock_now_ms() - began >= unasked_of_file_ms(path))
            return file_error(e, l->env, path);
        until_sleep_ms(l->until, POLL_MS);
    }
    return 0;
}

static int take_file(struct env_lock *l, struct err *e)
{
    auto_free char *path = fs_join(l->folder, "lock");
    auto_free char *owner = lock_owner_text(l->command, l->user);
    struct until until = until_within(l->until, l->wait_ms);

    do {
        if (open_file(l, path, e) < 0 && goes_without_file(l, e)) {
            err_drop(e, "going on without the lock file");
            return 0;
        }
        if (l->fd < 0 || wait_for_file(l, path, until, e) < 0)
            return -1;
    } while (!is_still_there(l->fd, path));
    if (write_owner(l->fd, owner, e) == 0)
        return 0;
    if (!l->unwritten)
        return -1;
    err_drop(e, "going on without a name in the lock file");
    return 0;
}

int lock_open(struct env_lock **out, const struct lock_opts *o, struct err *e)
{
    struct env_lock *l = mem_alloc(sizeof(*l));

    l->env = mem_strdup(o->env);
    l->folder = mem_strdup(o->folder);
    l->command = mem_strdup(o->command);
    l->user = mem_strdup(o->user);
    l->wait_ms = o->wait_ms;
    l->until = o->until;
    l->client = o->client;
    l->fence = o->fence;
    l->unwritten = o->unwritten;
    l->fd = -1;
    pthread_mutex_init(&l->mutex, NULL);
    pool_cond_init(&l->cond);
    if (take_file(l, e) < 0) {
        lock_close(l);
        return -1;
    }
    *out = l;
    return 0;
}

static void *keep_alive(void *arg)
{
    struct env_lock *l = arg;
    int r = 0;

    pthread_mutex_lock(&l->mutex);
    while (!l->stop && !l->lost) {
        struct err e;
        int64_t asked;

        pool_cond_wait(&l->cond, &l->mutex, r < 0 ? AGAIN_MS : KEEPALIVE_MS);
        if (l->stop)
            break;
        pthread_mutex_unlock(&l->mutex);
        etcd_set_until(l->c, until_within(until_no_deadline(l->until), ASK_MS));
        asked = clock_lease_ms();
        r = etcd_lease_keepalive(l->c, l->lock.lease, &e);
        pthread_mutex_lock(&l->mutex);
        if (r == 0 || l->away)
            l->renewed = asked;
        else if (e.code == ERR_NOTFOUND || clock_lease_ms() - l->renewed > LOST_AFTER_MS)
            l->lost = true;
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

/* In two steps, because a key that is written over keeps its create revision: the token of whoever
 * comes next has to be another. The first of several who find it dead removes it. */
static int put_aside(struct env_lock *l, const struct etcd_kv *kv, struct err *e)
{
    auto_free char *name = lock_owner_name(kv->value);
    struct etcd_txn *t = etcd_txn_new();
    struct err why;
    int r;

    etcd_txn_if(t, kv->key, ETCD_CMP_CREATE_EQ, kv->create_revision);
    etcd_txn_delete(t, kv->key);
    r = etcd_txn_run(l->c, t, NULL, e);
    etcd_txn_free(t);
    if (r < 0)
        return e->code == ERR_CONFLICT ? 0 : -1;
    /* A `down` cannot let go: it stops etcd itself. */
    if (lock_owner_is_command(kv->value, "down"))
        log_info("the lock of %s, is put aside", name);
    else
        log_warn("%s, is gone without having let go of the lock: it is taken over", name);
    if (kv->lease && etcd_lease_revoke(l->c, kv->lease, &why) < 0)
        err_drop(&why, "revoking the lease of a lock that was taken over");
    return 0;
}

struct patience {
    struct until holder; /* as long as was asked for */
    int64_t began;
};

/* What is to be done about a holder: 1: try again at once, 0: wait as long as it was asked for,
 * -1: *e. */
static int look_at_holder(struct env_lock *l, const char *key, const struct patience *p,
                          struct err *e)
{
    struct etcd_kv kv = {0};
    enum procid_fate fate;
    int r = 0;

    if (etcd_get(&kv, l->c, key, e) < 0)
        return e->code == ERR_NOTFOUND ? 1 : -1;
    fate = lock_owner_fate(kv.value);
    if (fate == PROCID_GONE)
        r = put_aside(l, &kv, e) < 0 ? -1 : 1;
    else if (until_passed(p->holder) && clock_now_ms() - p->began >= unasked_ms(kv.value))
        r = lock_owner_error(e, l->env, kv.value);
    etcd_kv_clear(&kv);
    return r;
}

static int take_key(struct env_lock *l, const char *key, struct err *e)
{
    auto_free char *owner = lock_owner_text(l->command, l->user);
    const struct etcd_lock_want want = {key, owner, LEASE_TTL_S, l->fence};
    struct patience p = {until_within(l->until, l->wait_ms), clock_now_ms()};

    for (;;) {
        int r;

        l->renewed = clock_lease_ms();
        if (etcd_lock_take_behind(&l->lock, l->c, &want, e) == 0)
            return 0;
        if (e->code == ERR_CONFLICT) { /* the fence */
            e->code = ERR_LOCKED;
            return -1;
        }
        if (e->code != ERR_LOCKED)
            return err_wrap(e, "taking the lock of environment %s", l->env);
        if (until_is_cancelled(l->until))
            return err_set(e, ERR_INTERRUPTED, "interrupted while waiting for the lock");
        r = look_at_holder(l, key, &p, e);
        if (r < 0 && e->code != ERR_LOCKED)
            return err_wrap(e, "taking the lock of environment %s", l->env);
        if (r < 0)
            return -1;
        if (until_passed(p.holder) && clock_now_ms() - p.began >= KEEPER_MS)
            return lock_owner_error(e, l->env, NULL);
        until_sleep_ms(l->until, r ? 0 : POLL_MS);
    }
}

int lock_take(struct env_lock *l, const struct link *root, struct err *e)
{
    auto_free char *key = keys_lock(l->env);

    if (lock_is_taken(l))
        return 0;
    if (!l->c && etcd_open(&l->c, root, NULL, e) < 0)
        return -1;
    etcd_set_until(l->c, until_no_deadline(l->until));
    if (l->client && etcd_token(l->client))
        etcd_share_login(l->c, l->client);
    if (take_key(l, key, e) < 0)
        return -1;
    if (l->client)
        etcd_share_login(l->client, l->c);
    l->taken = true;
    l->has_thread = thread_start(&l->thread, NULL, keep_alive, l) == 0;
    if (!l->has_thread)
        return err_set(e, ERR_SYS, "no thread to keep the lock alive");
    return 0;
}

bool lock_is_taken(const struct env_lock *l)
{
    return l->taken;
}

void lock_set_etcd_away(struct env_lock *l, bool away)
{
    pthread_mutex_lock(&l->mutex);
    if (l->away && !away)
        l->renewed = clock_lease_ms();
    l->away = away;
    pthread_mutex_unlock(&l->mutex);
}

bool lock_is_lost(struct env_lock *l)
{
    bool lost;

    pthread_mutex_lock(&l->mutex);
    /* A process that was held for a while asks before its thread can. */
    lost = l->lost || (l->taken && !l->away && clock_lease_ms() - l->renewed > LOST_AFTER_MS);
    pthread_mutex_unlock(&l->mutex);
    return lost;
}

const char *lock_key(const struct env_lock *l)
{
    return l->taken ? l->lock.key : NULL;
}

int64_t lock_revision(const struct env_lock *l)
{
    return l->lock.create_revision;
}

void lock_close(struct env_lock *l)
{
    struct err e;

    if (!l)
        return;
    if (l->has_thread) {
        pthread_mutex_lock(&l->mutex);
        l->stop = true;
        pthread_cond_signal(&l->cond);
        pthread_mutex_unlock(&l->mutex);
        pthread_join(l->thread, NULL);
    }
    if (lock_is_taken(l)) {
        /* Also after an abort; but whoever aborted does not want to wait. */
        etcd_set_until(l->c,
                       until_in(until_is_aborted(l->until) ? ABORTED_MS : KEEPALIVE_MS, NULL));
        if (etcd_lock_release(l->c, &l->lock, &e) < 0)
            err_drop(&e, "releasing the lock");
    }
    etcd_close(l->c);
    if (l->fd >= 0)
        close(l->fd);
    pthread_mutex_destroy(&l->mutex);
    pthread_cond_destroy(&l->cond);
    free(l->env);
    free(l->folder);
    free(l->command);
    free(l->user);
    free(l);
}
