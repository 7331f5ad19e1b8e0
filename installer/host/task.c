/* SPDX-License-Identifier: MIT */
#include "host/task.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "host/reason.h"

enum {
    WINDOW = 64 << 10,       /* libssh2's own default is 2 MiB, which unread output would fill */
    WINDOW_BULK = 256 << 10, /* faster where an answer takes long */
    PIECE = 32 << 10,
    SEND_MAX = 256 << 10, /* bytes that wait for the socket, before more are made */
    LEAVE_MS = 5 * 1000,  /* for the other side to agree that a channel is closed */
    REFUSALS = 10,        /* with a pause in between: of a session that is not quite gone there */
    REFUSED_PAUSE_MS = 100,
    SIGNALLED = 128,
};

struct task *task_new(struct host_job *job)
{
    struct task *k = mem_alloc(sizeof(*k));

    job->ended = job->began = false;
    job->status = -1;
    job->signal[0] = '\0';
    job->took_ms = 0;
    job->sent = job->received = 0;
    job->error = (struct err){0};
    *k = (struct task){.job = job, .bulk = job->bulk, .started_ms = clock_now_ms()};
    return k;
}

void task_free(struct task *k)
{
    free(k->piece);
    for (size_t i = 0; i < ARRAY_LEN(k->outlets); i++)
        outlet_clear(&k->outlets[i]);
    free(k);
}

void task_end(struct task *k, const struct err *why)
{
    struct host_job *job = steal(k->job);

    if (!job)
        return;
    if (why)
        job->error = *why;
    job->took_ms = clock_now_ms() - k->started_ms;
    job->ended = true;
}

static void enter(struct task *k, enum task_state state)
{
    k->state = state;
    k->since_ms = clock_now_ms();
}

/* Where libssh2 can, the command is told; a channel that is closed alone does not end it. */
static void leave_channel(struct task *k, struct session *s)
{
#if LIBSSH2_VERSION_NUM >= 0x010b00
    if (!s->t.cut && k->state == TASK_RUNNING)
        libssh2_channel_signal_ex(k->channel, "TERM", 4);
#else
    (void)s;
#endif
    enter(k, TASK_LEAVING);
}

void task_leave(struct task *k, struct session *s, const struct err *why)
{
    task_end(k, why);
    if (k->state == TASK_WAITING)
        k->state = TASK_GONE;
    else if (k->state == TASK_STARTING || k->state == TASK_RUNNING)
        leave_channel(k, s);
    /* One that is being opened has to be opened before it can be closed: libssh2 would go on with
     * it in the place of the next one. */
}

/* ---- opening and starting ---- */

static int channels_of(const struct session *s)
{
    int count = 0;

    for (const struct task *k = s->tasks; k; k = k->next)
        count += k->channel != NULL;
    return count;
}

/* The other side allows fewer at once than we thought, or one that ended here is still there. */
static void refused(struct task *k, struct session *s)
{
    int others = channels_of(s);
    struct err e;

    s->opener = NULL;
    if (!k->job) {
        k->state = TASK_GONE;
        return;
    }
    enter(k, TASK_WAITING);
    if (others > 0) {
        s->limit = others;
        return;
    }
    if (++k->refusals < REFUSALS)
        return;
    reason_set(s, LIBSSH2_ERROR_CHANNEL_FAILURE, &e);
    reason_wrap(s, &e);
    task_end(k, &e);
    k->state = TASK_GONE;
}

static int open_channel(struct task *k, struct session *s, struct err *e)
{
    static const char type[] = "session";
    int code;

    k->channel =
        libssh2_channel_open_ex(s->t.ssh, type, sizeof(type) - 1, k->bulk ? WINDOW_BULK : WINDOW,
                                LIBSSH2_CHANNEL_PACKET_DEFAULT, NULL, 0);
    if (k->channel) {
        s->opener = NULL;
        enter(k, k->job ? TASK_STARTING : TASK_LEAVING);
        return 0;
    }
    code = libssh2_session_last_errno(s->t.ssh);
    if (code == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (code != LIBSSH2_ERROR_CHANNEL_FAILURE || s->t.cut)
        return reason_set(s, code, e);
    refused(k, s);
    return 0;
}

static bool may_open(const struct task *k, const struct session *s)
{
    return !s->opener && !s->pinging && channels_of(s) < s->limit &&
           (!k->refusals || clock_now_ms() - k->since_ms >= REFUSED_PAUSE_MS);
}

static int start_command(struct task *k, struct session *s, struct err *e)
{
    const char *command = k->job->command;
    struct err why;
    int code;

    k->job->began = true;
    code = libssh2_channel_process_startup(k->channel, "exec", sizeof("exec") - 1, command,
                                           (unsigned)strlen(command));
    if (code == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (code == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED && !s->t.cut) {
        k->job->began = false;
        reason_set(s, code, &why);
        reason_wrap(s, &why);
        task_leave(k, s, &why);
        return 0;
    }
    if (code < 0)
        return reason_set(s, code, e);
    s->backoff.tries = 0;
    enter(k, TASK_RUNNING);
    return 0;
}

/* ---- input ---- */

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* The next bytes to send: 1, there are some; 0: not now; -1: none will come. */
static int next_input(struct task *k, const char **p, size_t *len)
{
    const struct host_job *job = k->job;
    ssize_t n;

    if (!job->input_fd) {
        *p = job->input ? (const char *)job->input + k->sent : NULL;
        *len = job->input_len - k->sent;
        return *len ? 1 : -1;
    }
    if (k->piece_sent == k->piece_len) {
        if (!is_readable(*job->input_fd))
            return 0;
        if (!k->piece)
            k->piece = mem_alloc(PIECE);
        n = read(*job->input_fd, k->piece, PIECE);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n <= 0)
            return -1;
        k->piece_sent = 0;
        k->piece_len = (size_t)n;
    }
    *p = k->piece + k->piece_sent;
    *len = k->piece_len - k->piece_sent;
    return 1;
}

/* Code of libssh2 after a write: whether it is the end of the input alone. */
static bool is_unread(ssize_t code)
{
    return code == LIBSSH2_ERROR_CHANNEL_CLOSED || code == LIBSSH2_ERROR_CHANNEL_EOF_SENT;
}

static int send_input(struct task *k, struct session *s, struct err *e)
{
    while (!k->input_ended && transport_pending(&s->t) < SEND_MAX) {
        const char *p;
        size_t len;
        int there = next_input(k, &p, &len);
        ssize_t n;

        if (there == 0)
            return 0;
        if (there < 0) {
            k->input_ended = true;
            break;
        }
        n = libssh2_channel_write(k->channel, p, len < PIECE ? len : PIECE);
        if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
            return 0; /* the other side has no room */
        if (is_unread(n))
            k->input_ended = k->eof_sent = true;
        else if (n < 0)
            return reason_set(s, (int)n, e);
        k->sent += n > 0 ? (size_t)n : 0;
        k->piece_sent += n > 0 ? (size_t)n : 0;
        k->job->sent = k->sent;
    }
    return 0;
}

static int send_end(struct task *k, struct session *s, struct err *e)
{
    int code;

    if (!k->input_ended || k->eof_sent)
        return 0;
    code = libssh2_channel_send_eof(k->channel);
    if (code == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (code < 0 && !is_unread(code))
        return reason_set(s, code, e);
    k->eof_sent = true;
    return 0;
}

/* ---- output and the end ---- */

/* Nothing waits to be written. What is not read from the channel meanwhile fills its window, and
 * so the other side waits, too. */
static bool is_written(struct task *k, struct session *s, int stream)
{
    struct err why;
    int r = k->job->output_fds
                ? outlet_flush(&k->outlets[stream - 1], k->job->output_fds[stream - 1], &why)
                : 1;

    if (r < 0)
        task_leave(k, s, &why);
    return r > 0;
}

static int hand_on(struct task *k, int stream, const char *p, size_t len, struct err *e)
{
    const struct host_job *job = k->job;

    if (job->output_fds)
        outlet_put(&k->outlets[stream - 1], p, len);
    else if (job->output)
        return job->output(job->arg, stream, p, len, e);
    return 0;
}

/* 1: there may be more, 0: nothing for now, -1. */
static int read_stream(struct task *k, struct session *s, int stream, struct err *e)
{
    char piece[PIECE];
    struct err why;
    ssize_t n;

    if (!is_written(k, s, stream))
        return 0;
    n = libssh2_channel_read_ex(k->channel, stream == 2 ? SSH_EXTENDED_DATA_STDERR : 0, piece,
                                sizeof(piece));
    if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
        return 0;
    if (n < 0)
        return reason_set(s, (int)n, e);
    k->job->received += (size_t)n;
    if (hand_on(k, stream, piece, (size_t)n, &why) < 0) {
        task_leave(k, s, &why);
        return 0;
    }
    return 1;
}

static int read_output(struct task *k, struct session *s, struct err *e)
{
    for (int stream = 1; stream <= 2; stream++) {
        int r = 1;

        while (r > 0 && k->job)
            r = read_stream(k, s, stream, e);
        if (r < 0)
            return -1;
    }
    return 0;
}

static int signal_number(const char *name)
{
    for (int n = 1; n < NSIG; n++) {
        const char *known = sigabbrev_np(n);

        if (known && strcmp(known, name) == 0)
            return n;
    }
    return 0;
}

/* libssh2 has status 0 for what a signal ended, too. */
static void take_status(struct task *k, struct session *s)
{
    struct host_job *job = k->job;
    char *name = NULL;
    size_t len = 0;

    job->status = libssh2_channel_get_exit_status(k->channel);
    if (libssh2_channel_get_exit_signal(k->channel, &name, &len, NULL, NULL, NULL, NULL) == 0 &&
        name && len) {
        snprintf(job->signal, sizeof(job->signal), "%.*s", (int)len, name);
        job->status = SIGNALLED + signal_number(job->signal);
    }
    if (name)
        libssh2_free(s->t.ssh, name);
}

/* A clean end: all output was taken, and the other side closed the channel, which it does once it
 * has sent the status. */
static int look_for_end(struct task *k, struct session *s, struct err *e)
{
    int code;

    for (size_t i = 0; i < ARRAY_LEN(k->outlets); i++)
        if (outlet_is_full(&k->outlets[i]))
            return 0;
    if (libssh2_channel_eof(k->channel) != 1)
        return 0;
    code = libssh2_channel_wait_closed(k->channel);
    if (code == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (code < 0)
        return reason_set(s, code, e);
    take_status(k, s);
    task_end(k, NULL);
    enter(k, TASK_LEAVING);
    return 0;
}

static int stream(struct task *k, struct session *s, struct err *e)
{
    if (read_output(k, s, e) < 0 || !k->job)
        return k->job ? -1 : 0;
    if (send_input(k, s, e) < 0 || send_end(k, s, e) < 0)
        return -1;
    return look_for_end(k, s, e);
}

static int close_channel(struct task *k, struct session *s, struct err *e)
{
    int code = libssh2_channel_free(k->channel);

    if (code == LIBSSH2_ERROR_EAGAIN)
        return 0;
    k->channel = NULL;
    k->state = TASK_GONE;
    return code < 0 && s->t.cut ? reason_set(s, code, e) : 0;
}

int task_step(struct task *k, struct session *s, struct err *e)
{
    if (k->state == TASK_WAITING && may_open(k, s)) {
        s->opener = k;
        enter(k, TASK_OPENING);
    }
    if (k->state == TASK_OPENING && open_channel(k, s, e) < 0)
        return -1;
    if (k->state == TASK_STARTING && start_command(k, s, e) < 0)
        return -1;
    if (k->state == TASK_RUNNING && stream(k, s, e) < 0)
        return -1;
    return k->state == TASK_LEAVING ? close_channel(k, s, e) : 0;
}

/* ---- time ---- */

void task_check(struct task *k, struct session *s)
{
    const char *what =
        k->job && k->job->began ? "the command did not end" : "the command did not begin";
    struct err e;

    if (!k->job || until_check_wait(k->job->until, what, &e) == 0)
        return;
    if (e.code == ERR_TIMEOUT && !k->job->began && s->last.code != ERR_NONE)
        e = s->last; /* it says more, and names the target */
    else
        reason_wrap(s, &e);
    task_leave(k, s, &e);
}

/* How long the other side may take for what it owes in this state; 0: it owes nothing. */
static int64_t patience_ms(const struct task *k, const struct session *s)
{
    if (k->state == TASK_LEAVING)
        return LEAVE_MS;
    return k->state == TASK_OPENING || k->state == TASK_STARTING ? s->o->connect_ms : 0;
}

int task_check_answer(const struct task *k, const struct session *s, struct err *e)
{
    int64_t ms = patience_ms(k, s);

    return ms && clock_now_ms() - k->since_ms >= ms ? reason_silent(s, ms, e) : 0;
}

int64_t task_deadline(const struct task *k, const struct session *s)
{
    int64_t end = CLOCK_NEVER, ms = patience_ms(k, s);

    if (ms)
        end = k->since_ms + ms;
    if (k->state == TASK_WAITING && k->refusals)
        end = k->since_ms + REFUSED_PAUSE_MS;
    if (k->job && k->job->until.deadline && k->job->until.deadline < end)
        end = k->job->until.deadline;
    return end;
}

int task_poll_fd(const struct task *k, const struct session *s)
{
    bool wanted = k->state == TASK_RUNNING && k->job && k->job->input_fd && !k->input_ended &&
                  k->piece_sent == k->piece_len && transport_pending(&s->t) < SEND_MAX;

    return wanted ? *k->job->input_fd : -1;
}

int task_poll_output(const struct task *k, int stream)
{
    bool wanted = k->state == TASK_RUNNING && k->job && k->job->output_fds &&
                  outlet_is_full(&k->outlets[stream - 1]);

    return wanted ? k->job->output_fds[stream - 1] : -1;
}
