/* SPDX-License-Identifier: MIT */
#include "host/host.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/reason.h"
#include "host/task.h"

enum {
    CONNECT_MS = 15 * 1000,
    QUIET_MS = 15 * 1000,
    AGAIN_MS = 30 * 1000, /* for connections in a row that end while they begin */
    LOSSES = 8,           /* connections that one job sees end before it begins */
    BUDGET = 1 << 20,     /* bytes of one connection in one turn: the others want theirs too */
    IDLE_MS = 60 * 1000,
};

struct hosts {
    struct hosts_opts o;
    struct session *sessions;
    struct host_watch *watches;
    bool news; /* a job ended outside of a turn, or a watch was called */
};

/* It counts how often it was called, but not safely among threads. */
static void set_up(void)
{
    libssh2_init(0);
}

struct hosts *hosts_new(const struct hosts_opts *o)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct hosts *h = mem_alloc(sizeof(*h));

    pthread_once(&once, set_up);
    if (o)
        h->o = *o;
    if (!h->o.connect_ms)
        h->o.connect_ms = CONNECT_MS;
    if (!h->o.quiet_ms)
        h->o.quiet_ms = QUIET_MS;
    return h;
}

void hosts_free(struct hosts *h)
{
    struct err e;

    if (!h)
        return;
    err_set(&e, ERR_INTERRUPTED, "interrupted");
    while (h->sessions) {
        struct session *s = h->sessions;

        h->sessions = s->next;
        while (s->tasks) {
            struct task *k = s->tasks;

            s->tasks = k->next;
            task_end(k, &e);
            task_free(k);
        }
        session_free(s);
    }
    free(h);
}

static struct session *find(struct hosts *h, const struct host_target *t, struct err *e)
{
    struct session **end = &h->sessions;

    if (!t->name || !t->address || !t->private_key) {
        err_set(e, ERR_CONFIG, "a target needs a name, an address and a key");
        return NULL;
    }
    while (*end && !session_is_of(*end, t))
        end = &(*end)->next;
    if (!*end)
        *end = session_new(t, &h->o, e);
    return *end;
}

void hosts_start(struct hosts *h, const struct host_target *t, struct host_job *job)
{
    struct task *k = task_new(job), **end;
    struct err e;
    struct session *s = find(h, t, &e);

    if (!s) {
        task_end(k, &e);
        task_free(k);
        h->news = true;
        return;
    }
    for (end = &s->tasks; *end; end = &(*end)->next)
        ;
    *end = k;
}

void hosts_cancel(struct hosts *h, struct host_job *job)
{
    struct err e;

    for (struct session *s = h->sessions; s; s = s->next)
        for (struct task *k = s->tasks; k; k = k->next)
            if (k->job == job) {
                err_set(&e, ERR_INTERRUPTED, "interrupted");
                reason_wrap(s, &e);
                task_leave(k, s, &e);
                h->news = true;
            }
}

/* ---- one connection ---- */

/* Where nobody listens a second try finds nobody either. But sshd may have too many logins for the
 * moment, and a connection that has stood for long may be gone. */
static bool may_retry(const struct session *s, const struct err *why)
{
    return why->code == ERR_NET && s->state != SESSION_CONNECTING &&
           (!s->first_ms || clock_now_ms() - s->first_ms < AGAIN_MS);
}

/* Without its connection a job is back in the queue when it has not begun, else it has ended. */
static void lose_task(struct task *k, bool retry, const struct err *why)
{
    struct err e = *why;

    k->channel = NULL; /* libssh2 frees it with the session */
    if (k->job && k->job->began)
        err_wrap(&e, "the command may have been cut off");
    if (!retry || k->losses++ >= LOSSES || (k->job && k->job->began))
        task_end(k, &e);
    k->state = k->job ? TASK_WAITING : TASK_GONE;
}

static void lose(struct session *s, struct err *why)
{
    bool retry = may_retry(s, why);

    reason_wrap(s, why);
    for (struct task *k = s->tasks; k; k = k->next)
        lose_task(k, retry, why);
    if (!retry)
        s->first_ms = 0;
    session_drop(s, why);
}

static void refuse_all(struct session *s)
{
    struct err e = s->last;
    char span[32];

    clock_format_span(span, clock_left_ms(s->retry_at));
    err_wrap(&e, "not tried again for %s", span);
    for (struct task *k = s->tasks; k; k = k->next)
        task_leave(k, s, &e);
}

static bool is_wanted(const struct session *s)
{
    for (const struct task *k = s->tasks; k; k = k->next)
        if (k->job)
            return true;
    return false;
}

/* Some sshd lock out an address that begins several logins and does not finish them. */
static bool has_turn(const struct hosts *h, const struct session *s)
{
    for (const struct session *o = h->sessions; o; o = o->next)
        if (o != s && session_is_entering(o) && o->port == s->port &&
            strcmp(o->address, s->address) == 0)
            return false;
    return true;
}

static int work(struct session *s, bool heard, struct err *e)
{
    if (s->state != SESSION_READY && session_enter(s, e) < 0)
        return -1;
    if (s->state != SESSION_READY)
        return 0;
    /* What libssh2 takes from the socket for one channel may be another one's, even one that had
     * its turn: once more, until nothing came. */
    do {
        s->t.delivered = false;
        for (struct task *k = s->tasks; k; k = k->next)
            if (task_step(k, s, e) < 0)
                return -1;
        if (session_ping(s, heard && !s->tasks, e) < 0)
            return -1;
        transport_flush(&s->t);
        heard = false;
    } while (s->t.delivered);
    return 0;
}

static int check_time(struct session *s, struct err *e)
{
    if (session_is_entering(s) && clock_passed(s->began_ms + s->o->connect_ms))
        return reason_silent(s, s->o->connect_ms, e);
    for (struct task *k = s->tasks; k; k = k->next) {
        task_check(k, s);
        if (task_check_answer(k, s, e) < 0)
            return -1;
    }
    return 0;
}

static void step(const struct hosts *h, struct session *s, short events)
{
    struct err e;

    s->t.budget = BUDGET;
    if (s->state == SESSION_DOWN) {
        for (struct task *k = s->tasks; k; k = k->next)
            task_check(k, s);
        if (s->last.code == ERR_AUTH && !clock_passed(s->retry_at))
            refuse_all(s);
        if (!is_wanted(s) || !clock_passed(s->retry_at) || !has_turn(h, s))
            return;
        if (session_connect(s, &e) < 0)
            lose(s, &e);
        return;
    }
    if (check_time(s, &e) < 0) {
        lose(s, &e);
        return;
    }
    if (s->state == SESSION_CONNECTING && !events)
        return;
    if (work(s, events & (POLLIN | POLLHUP | POLLERR), &e) < 0)
        lose(s, &e);
    transport_flush(&s->t);
}

/* Takes away what is over. */
static void sweep(struct session *s)
{
    struct task **at = &s->tasks;

    while (*at) {
        struct task *k = *at;

        if (k->state != TASK_GONE && (k->job || s->state != SESSION_DOWN)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        if (s->opener == k)
            s->opener = NULL;
        task_free(k);
    }
}

static size_t count(const struct hosts *h)
{
    size_t jobs = 0;

    for (const struct session *s = h->sessions; s; s = s->next)
        for (const struct task *k = s->tasks; k; k = k->next)
            jobs += k->job != NULL;
    return jobs;
}

/* ---- all of them ---- */

struct waits {
    struct pollfd *fds;
    size_t count, size;
    int cancel; /* was added last; -1: none */
    int64_t deadline;
};

static void add(struct waits *w, int fd, short events)
{
    if (fd < 0)
        return;
    if (w->count == w->size) {
        w->size = w->size ? w->size * 2 : 64;
        w->fds = mem_grow(w->fds, w->size, sizeof(*w->fds));
    }
    w->fds[w->count++] = (struct pollfd){.fd = fd, .events = events};
}

/* Most jobs have the same one, and poll takes no more entries than the process may have
 * descriptors. */
static void add_cancel(struct waits *w, int fd)
{
    if (fd == w->cancel)
        return;
    w->cancel = fd;
    add(w, fd, POLLIN);
}

static void sooner(struct waits *w, int64_t deadline)
{
    if (deadline < w->deadline)
        w->deadline = deadline;
}

static void add_session(struct waits *w, const struct hosts *h, struct session *s)
{
    short events = s->state == SESSION_CONNECTING ? 0 : POLLIN;

    if (s->state == SESSION_CONNECTING || transport_pending(&s->t))
        events |= POLLOUT;
    s->poll_at = w->count;
    add(w, s->t.fd, events);
    if (s->state != SESSION_DOWN || has_turn(h, s)) /* else it goes on when the other one has */
        sooner(w, session_deadline(s));
    if (s->t.fd >= 0 && s->t.budget == 0)
        sooner(w, 0);
    for (const struct task *k = s->tasks; k; k = k->next) {
        sooner(w, task_deadline(k, s));
        add(w, task_poll_fd(k, s), POLLIN);
        add(w, task_poll_output(k, 1), POLLOUT);
        add(w, task_poll_output(k, 2), POLLOUT);
        if (k->job)
            add_cancel(w, until_fd(k->job->until));
    }
}

static void wait(struct waits *w, struct hosts *h, struct until until)
{
    int64_t left;

    w->count = 0;
    w->cancel = -1;
    w->deadline = CLOCK_NEVER;
    for (struct session *s = h->sessions; s; s = s->next)
        add_session(w, h, s);
    for (struct host_watch *o = h->watches; o; o = o->next) {
        o->poll_at = w->count;
        add(w, o->fd, POLLIN);
    }
    add_cancel(w, until_fd(until));
    left = clock_left_ms(w->deadline);
    if (poll(w->fds, w->count, until_poll_ms(until, left < IDLE_MS ? left : IDLE_MS)) < 0)
        for (size_t i = 0; i < w->count; i++)
            w->fds[i].revents = 0;
}

/* Each may take itself or another one away. */
static void call_watches(struct hosts *h, const struct waits *waits)
{
    struct host_watch *w;

    for (w = h->watches; w; w = w->next)
        w->fired = w->fd >= 0 && waits->fds[w->poll_at].revents != 0;
    do {
        for (w = h->watches; w && !w->fired; w = w->next)
            ;
        if (w) {
            w->fired = false;
            h->news = true;
            w->ready(w->arg);
        }
    } while (w);
}

void hosts_watch(struct hosts *h, struct host_watch *w)
{
    w->fired = false;
    w->next = h->watches;
    h->watches = w;
}

void hosts_unwatch(struct hosts *h, struct host_watch *w)
{
    for (struct host_watch **at = &h->watches; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            return;
        }
}

size_t hosts_turn(struct hosts *h, struct until until)
{
    struct waits w = {0};
    size_t before = count(h), left = before;

    for (struct session *s = h->sessions; s; s = s->next)
        step(h, s, 0);
    for (;;) {
        for (struct session *s = h->sessions; s; s = s->next)
            sweep(s);
        left = count(h);
        if (left < before || h->news || (left == 0 && !h->watches) || until_passed(until) ||
            until_is_cancelled(until))
            break;
        wait(&w, h, until);
        for (struct session *s = h->sessions; s; s = s->next)
            step(h, s, s->t.fd >= 0 ? w.fds[s->poll_at].revents : 0);
        call_watches(h, &w);
    }
    h->news = false;
    free(w.fds);
    return left;
}

void hosts_finish(struct hosts *h)
{
    while (count(h) > 0)
        hosts_turn(h, (struct until){0});
}
