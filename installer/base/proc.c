/* SPDX-License-Identifier: MIT */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

/* Everything the parent prepares before the fork; -1: not used. */
struct pipes {
    int in;     /* the child's stdin */
    int out[2]; /* read end here, write end in the child */
    int err[2];
    int why[2]; /* closed by a successful exec; else carries errno */
};

enum { CHUNK = 16384, DRAIN_TURNS = 64 };

struct child {
    pid_t pid;
    int out, err; /* read ends, -1 when at their end */
    bool exited;
    int status;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void pipes_close(struct pipes *p)
{
    close_fd(&p->in);
    for (int i = 0; i < 2; i++) {
        close_fd(&p->out[i]);
        close_fd(&p->err[i]);
        close_fd(&p->why[i]);
    }
}

/* Input as a memory file: the child may read it at its pace, and no write here can block. */
static int open_input(const struct proc_opts *o)
{
    const char *at = o->input;
    size_t left = o->input_len;
    int own = o->inherit_in ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1;

    if (own >= 0)
        return own;
    if (!o->input)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("input", MFD_CLOEXEC);
    while (fd >= 0 && left > 0) {
        ssize_t n = write(fd, at, left);

        if (n < 0 && errno != EINTR) {
            close(fd);
            return -1;
        }
        if (n > 0) {
            at += n;
            left -= (size_t)n;
        }
    }
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0)
        close_fd(&fd);
    return fd;
}

static int pipes_open(struct pipes *p, const struct proc_opts *o, struct err *e)
{
    *p = (struct pipes){-1, {-1, -1}, {-1, -1}, {-1, -1}};
    p->in = open_input(o);
    if (p->in >= 0 && pipe2(p->why, O_CLOEXEC) == 0 && (!o->out || pipe2(p->out, O_CLOEXEC) == 0) &&
        (!o->err || o->err == o->out || pipe2(p->err, O_CLOEXEC) == 0))
        return 0;
    err_sys(e, "cannot run %s", o->argv[0]);
    pipes_close(p);
    return -1;
}

static int move_fd(int from, int to)
{
    if (from < 0)
        return 0;
    if (from != to)
        return dup2(from, to) < 0 ? -1 : 0;
    return fcntl(from, F_SETFD, 0);
}

/* Between fork and exec: calls that are safe in a child of a program
 * with threads, and no others. */
static void become(const struct proc_opts *o, const struct pipes *p)
{
    static const int restored[] = {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGCHLD, SIGQUIT, SIGUSR1};
    struct sigaction act = {.sa_handler = SIG_DFL};
    sigset_t none;
    int both = o->err && o->err == o->out ? p->out[1] : p->err[1];

    sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(restored); i++)
        sigaction(restored[i], &act, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    if (move_fd(p->in, 0) < 0 || move_fd(p->out[1], 1) < 0 || move_fd(both, 2) < 0)
        return;
    if (o->set_user && (setgroups(0, NULL) < 0 || setgid(o->gid) < 0 || setuid(o->uid) < 0))
        return;
    if (o->cwd && chdir(o->cwd) < 0)
        return;
    /* execve's old signature wants char *const *; it writes to neither. */
    char *const *argv, *const *env;
    memcpy(&argv, &o->argv, sizeof(argv));
    memcpy(&env, &o->env, sizeof(env));
    execvpe(argv[0], argv, o->env ? env : environ);
}

static int start(struct child *c, const struct proc_opts *o, struct err *e)
{
    struct pipes p;
    int reason = 0;
    ssize_t n;

    if (pipes_open(&p, o, e) < 0)
        return -1;
    c->pid = fork();
    if (c->pid < 0) {
        err_sys(e, "cannot run %s", o->argv[0]);
        pipes_close(&p);
        return -1;
    }
    if (c->pid == 0) {
        become(o, &p);
        reason = errno;
        n = write(p.why[1], &reason, sizeof(reason));
        _exit(n < 0 ? 126 : 127);
    }
    setpgid(c->pid, c->pid); /* in both, whoever comes first */
    close_fd(&p.why[1]);
    do
        n = read(p.why[0], &reason, sizeof(reason));
    while (n < 0 && errno == EINTR);
    c->out = p.out[0];
    c->err = p.err[0];
    p.out[0] = p.err[0] = -1;
    pipes_close(&p);
    if (n != (ssize_t)sizeof(reason))
        return 0;
    close_fd(&c->out);
    close_fd(&c->err);
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = reason;
    err_sys(e, "cannot run %s", o->argv[0]);
    if (reason == ENOENT)
        e->code = ERR_NOTFOUND;
    return -1;
}

/* Reads what is there now, a pipe's worth at most so that an endless writer cannot outrun the
 * deadline; closes at the end of the stream. */
static void drain(int *fd, struct buf *into)
{
    char chunk[CHUNK];
    struct pollfd p = {.fd = *fd, .events = POLLIN};

    for (int turns = 0; turns < DRAIN_TURNS && *fd >= 0 && poll(&p, 1, 0) > 0; turns++) {
        ssize_t n = read(*fd, chunk, sizeof(chunk));

        if (n > 0)
            buf_add(into, chunk, (size_t)n);
        else if (n == 0 || errno != EINTR)
            close_fd(fd);
    }
    explicit_bzero(chunk, sizeof(chunk));
}

static void reap(struct child *c, int flags)
{
    pid_t got;

    do
        got = waitpid(c->pid, &c->status, flags);
    while (got < 0 && errno == EINTR);
    if (got != 0)
        c->exited = true;
}

/* Waits until the child has ended; a grandchild that keeps the pipes open is not waited for. */
static int attend(struct child *c, const struct proc_opts *o, struct err *e)
{
    struct until until = {.deadline = o->deadline, .cancel = o->cancel};
    auto_close int pidfd = pidfd_open(c->pid, 0);

    while (!c->exited) {
        struct pollfd fds[] = {{.fd = c->out, .events = POLLIN},
                               {.fd = c->err, .events = POLLIN},
                               {.fd = pidfd, .events = POLLIN},
                               {.fd = until_fd(until), .events = POLLIN}};
        bool aborted = until_is_aborted(until);

        if (aborted || until_passed(until)) {
            kill(-c->pid, SIGKILL);
            reap(c, 0);
            return aborted
                       ? err_set(e, ERR_INTERRUPTED, "interrupted; %s was killed", o->argv[0])
                       : err_set(e, ERR_TIMEOUT,
                                 "%s did not end before its deadline and was killed", o->argv[0]);
        }
        poll(fds, ARRAY_LEN(fds), until_poll_ms(until, pidfd < 0 ? 10 : 60000));
        /* The state first, then the pipes: what it wrote before its end is in them by now. */
        reap(c, WNOHANG);
        drain(&c->out, o->out);
        drain(&c->err, o->err);
    }
    return 0;
}

int proc_run(int *status, const struct proc_opts *o, struct err *e)
{
    struct child c = {.pid = -1, .out = -1, .err = -1};

    if (start(&c, o, e) < 0)
        return -1;
    int r = attend(&c, o, e);
    close_fd(&c.out);
    close_fd(&c.err);
    if (r < 0)
        return -1;
    *status = WIFSIGNALED(c.status) ? 128 + WTERMSIG(c.status) : WEXITSTATUS(c.status);
    return 0;
}
