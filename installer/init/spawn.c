/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void spawn_say(const char *fmt, ...)
{
    char line[512] = "slipway-init: ";
    size_t at = strlen(line);
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line + at, sizeof(line) - at - 1, fmt, ap);
    va_end(ap);
    at += n < 0 ? 0 : (size_t)n < sizeof(line) - at - 1 ? (size_t)n : sizeof(line) - at - 2;
    line[at++] = '\n';
    if (write(STDERR_FILENO, line, at) < 0)
        return; /* nobody listens; there is nowhere to say so */
}

/* PID 1 started with everything blocked and terminal stops ignored;
 * programs expect the defaults. */
static void restore_signals(void)
{
    sigset_t none;

    signal(SIGTTIN, SIG_DFL);
    signal(SIGTTOU, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int become(const struct spawn *s)
{
    gid_t groups[SUPERVISE_GROUPS_MAX];

    /* Without CAP_SETGID (outside a container) staying who one is must still work. */
    if (!s->set_user || (s->uid == geteuid() && s->gid == getegid() && s->group_count == 0))
        return 0;
    for (size_t i = 0; i < s->group_count; i++)
        groups[i] = s->groups[i];
    if (setgroups(s->group_count, groups) < 0 || setresgid(s->gid, s->gid, s->gid) < 0 ||
        setresuid(s->uid, s->uid, s->uid) < 0)
        return -1;
    return 0;
}

/* Standard input is the agent's alone: the link comes there. */
static int empty_input(void)
{
    int null = open("/dev/null", O_RDONLY);
    int r = null < 0 ? -1 : dup2(null, STDIN_FILENO);

    if (null > STDIN_FILENO)
        close(null);
    return r;
}

/* Docker's soft limit is often 1024, for the sake of programs that use select(2); a server is ended
 * by it under load. More than the maximum helps nobody, and some programs close every possible
 * descriptor one by one. */
static void raise_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    if (files.rlim_cur < INIT_FILES_MAX)
        files.rlim_cur = files.rlim_max < INIT_FILES_MAX ? files.rlim_max : INIT_FILES_MAX;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* A pipe opens, as /dev/stderr, for its owner alone. Where that is refused the daemon can still
 * write to what it got. */
static void give_outputs(const struct spawn *s)
{
    for (int i = 0; s->set_user && i < 2; i++)
        if (fchown(s->outputs[i], s->uid, s->gid) < 0)
            return;
}

static int prepare(const struct spawn *s)
{
    const char *cwd = s->cwd && s->cwd[0] ? s->cwd : s->env ? "/" : NULL;
    char number[16];

    setsid();
    restore_signals();
    if (s->env)
        raise_files();
    if (s->env && !s->connection && empty_input() < 0)
        return -1;
    if (s->connection &&
        (dup2(*s->connection, STDIN_FILENO) < 0 || dup2(*s->connection, STDOUT_FILENO) < 0))
        return -1;
    if (s->outputs &&
        (dup2(s->outputs[0], STDOUT_FILENO) < 0 || dup2(s->outputs[1], STDERR_FILENO) < 0))
        return -1;
    if (s->outputs)
        give_outputs(s);
    if (become(s) < 0)
        return -1;
    /* After the change of user, which clears it: a killed init must not leave a daemon behind. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (cwd && chdir(cwd) < 0)
        return -1;
    /* What init itself was given by whoever started it is not for services. */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (s->keep_fd >= 0) {
        snprintf(number, sizeof(number), "%d", s->keep_fd);
        if (fcntl(s->keep_fd, F_SETFD, 0) < 0 || setenv(SUPERVISE_FD_ENV, number, 1) < 0)
            return -1;
    }
    return 0;
}

static _Noreturn void child(const struct spawn *s, int report)
{
    int why;

    if (prepare(s) == 0) {
        /* execvp searches the PATH of `environ`, which has to be the service's own. */
        if (s->env)
            environ = (char **)(uintptr_t)s->env;
        execvp(s->argv[0], (char **)(uintptr_t)s->argv);
    }
    why = errno;
    if (write(report, &why, sizeof(why)) < 0)
        _exit(126);
    _exit(why == ENOENT || why == ENOTDIR ? 127 : 126);
}

int spawn_run(pid_t *pid, const struct spawn *s)
{
    struct pollfd p;
    int report[2], why = 0;
    ssize_t n = 0;
    pid_t made;

    *pid = 0;
    if (pipe2(report, O_CLOEXEC) < 0) {
        spawn_say("%s: pipe: %s", s->argv[0], strerror(errno));
        return 126;
    }
    made = fork();
    if (made == 0)
        child(s, report[1]);
    close(report[1]);
    if (made < 0) {
        spawn_say("%s: fork: %s", s->argv[0], strerror(errno));
        close(report[0]);
        return 126;
    }
    /* The pipe closes by the exec; a child stuck before it (a hung file
     * system) must not stop init. */
    p = (struct pollfd){.fd = report[0], .events = POLLIN};
    if (poll(&p, 1, INIT_EXEC_DEADLINE_MS) > 0)
        n = read(report[0], &why, sizeof(why));
    close(report[0]);
    if (n == sizeof(why)) {
        spawn_say("%s: cannot be started: %s", s->argv[0], strerror(why));
        return why == ENOENT || why == ENOTDIR ? 127 : 126;
    }
    *pid = made;
    return 0;
}

/* Direct children only: without a PID namespace there is no "everybody". */
static void signal_children(int signal)
{
    char text[4096];
    char path[] = "/proc/thread-self/children";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;
    char *at = text, *next;

    if (fd < 0)
        return;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (;;) {
        long pid = strtol(at, &next, 10);

        if (next == at || pid <= 1)
            return;
        kill((pid_t)pid, signal);
        at = next;
    }
}

void spawn_signal_all(int signal)
{
    if (getpid() == 1)
        kill(-1, signal);
    else
        signal_children(signal);
}
