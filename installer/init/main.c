/* SPDX-License-Identifier: MIT */
#include "init/init.h"
#include "init/mounter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { EXIT_NO_MOUNTER = 125 };

/* Everything waits to be read from the signalfd, but for those that mean a bug in this program. */
static int block_signals(void)
{
    static const int kept[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t set;

    /* Whoever started this may have ignored some (a shell: SIGINT in the background); ignored ones
     * would never be seen here, and SIGCHLD's children would vanish without a status. */
    for (int i = 1; i < SIGRTMIN; i++)
        signal(i, SIG_DFL);
    sigfillset(&set);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        sigdelset(&set, kept[i]);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Beside this program, else at its installed place. */
static void find_agent(char *out, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    char *slash;

    out[n > 0 ? n : 0] = '\0';
    slash = strrchr(out, '/');
    if (slash) {
        snprintf(slash + 1, size - (size_t)(slash + 1 - out), "slipway-agent");
        if (access(out, X_OK) == 0)
            return;
    }
    snprintf(out, size, "/usr/lib/slipway/slipway-agent");
}

/* ---- agent ---- */

static void start_agent(struct init *in)
{
    struct spawn s = {.argv = (const char *const *)in->agent_argv};
    int pair[2], status;

    release_choose(&in->release, in->agent_path, sizeof(in->agent_path));
    in->agent_argv[0] = in->agent_path;
    if (in->socket >= 0)
        close(in->socket);
    in->socket = -1;
    in->agent_due = 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        spawn_say("socketpair: %s", strerror(errno));
        in->agent_due = clock_now_ms() + INIT_BACKOFF_MAX_MS;
        return;
    }
    s.keep_fd = pair[1];
    in->agent_starts++;
    in->agent_since = clock_now_ms();
    in->socket = pair[0];
    /* Before the agent runs, so that it is the first thing it reads. */
    service_tell_state(in);
    status = spawn_run(&in->agent, &s);
    close(pair[1]);
    if (!status)
        return;
    close(in->socket);
    in->socket = -1;
    if (!release_is_image(&in->release)) {
        release_put_back(&in->release, "it cannot be executed");
        in->agent_due = clock_now_ms();
    } else if (in->agent_starts == 1)
        service_finish(in, status); /* it never worked here: say so by the status */
    else
        in->agent_due = clock_now_ms() + INIT_BACKOFF_MAX_MS;
}

static void read_agent(struct init *in)
{
    struct err e;
    bool got;

    /* A few at a time: signals and deadlines must not starve behind a chatty agent. */
    for (int i = 0; i < 16; i++) {
        if (in->socket < 0)
            return;
        if (supervise_recv(&in->msg, &got, in->socket, 0, &e) < 0) {
            if (e.code == ERR_CONFIG) {
                spawn_say("refused: %s", e.msg);
                continue;
            }
            close(in->socket);
            in->socket = -1;
            return;
        }
        if (!got)
            return;
        service_handle(in);
    }
}

static void agent_ended(struct init *in, int status)
{
    int64_t lived = clock_now_ms() - in->agent_since;

    /* Its last words (EXIT) may still be in the socket. */
    read_agent(in);
    kill(-in->agent, SIGKILL); /* hooks it was running: the next agent runs them again */
    in->agent = 0;
    in->agent_status = status;
    if (in->decide_by)
        service_finish(in, in->end_status);
    if (in->phase != PHASE_RUN)
        return;
    if (in->exchange || release_crashed(&in->release, status)) {
        in->exchange = false;
        in->backoff_ms = 0;
        in->agent_due = clock_now_ms();
        return;
    }
    if (lived > INIT_BACKOFF_MAX_MS || !in->backoff_ms)
        in->backoff_ms = INIT_BACKOFF_FIRST_MS;
    spawn_say("the agent ended with status %d; it is started again in %d ms", status,
              (int)in->backoff_ms);
    in->agent_due = clock_now_ms() + in->backoff_ms;
    in->backoff_ms *= 2;
    if (in->backoff_ms > INIT_BACKOFF_MAX_MS)
        in->backoff_ms = INIT_BACKOFF_MAX_MS;
}

/* ---- the end ---- */

static void stop(struct init *in)
{
    struct service *s = service_main(in);

    if (in->phase != PHASE_RUN)
        return;
    in->phase = PHASE_STOP_MAIN;
    supervise_reset(&in->reply, SUPERVISE_STOPPING);
    service_tell(in);
    if (s)
        service_stop(s);
    else
        service_finish(in, in->decide_by ? in->end_status : -1);
}

/* Its successor takes the daemon over, as after a crash. */
static void exchange_agent(struct init *in)
{
    if (in->phase != PHASE_RUN)
        return;
    in->exchange = in->agent > 0;
    if (in->agent > 0)
        kill(in->agent, SIGKILL);
    else
        in->agent_due = clock_now_ms();
}

static void read_signals(struct init *in)
{
    struct signalfd_siginfo info;
    struct service *s;

    while (read(in->signals, &info, sizeof(info)) == sizeof(info)) {
        if ((int)info.ssi_signo == RELEASE_SIGNAL && info.ssi_code == SI_QUEUE) {
            release_exchange(&in->release, info.ssi_int);
            exchange_agent(in);
            continue;
        }
        switch (info.ssi_signo) {
        case SIGTERM:
        case SIGINT:
        case SIGQUIT:
            stop(in);
            break;
        case SIGHUP:
        case SIGUSR1:
        case SIGUSR2:
        case SIGWINCH:
            s = service_main(in);
            if (s)
                kill(s->pid, (int)info.ssi_signo);
            break;
        default: /* SIGCHLD: reap() runs on every round */
            break;
        }
    }
}

/* False when there are no children at all. */
static bool reap(struct init *in)
{
    for (;;) {
        int w, status;
        pid_t pid = waitpid(-1, &w, WNOHANG);

        if (pid < 0)
            return false;
        if (pid == 0)
            return true;
        status = WIFSIGNALED(w) ? 128 + WTERMSIG(w) : WEXITSTATUS(w);
        if (pid == in->agent)
            agent_ended(in, status);
        else if (!service_ended(in, pid, status))
            listen_ended(&in->listener, pid);
    }
}

static void check_deadlines(struct init *in)
{
    service_check_deadlines(in);
    if (in->phase == PHASE_RUN && release_is_late(&in->release))
        exchange_agent(in);
    if (in->phase == PHASE_RUN && !in->agent && in->agent_due && clock_now_ms() >= in->agent_due)
        start_agent(in);
    if (in->decide_by && clock_now_ms() >= in->decide_by) {
        spawn_say("the daemon ended and the agent does not say what to do");
        service_finish(in, in->end_status);
    }
    if (in->phase >= PHASE_STOP_REST && clock_now_ms() >= in->deadline) {
        /* Again and again: an orphan's children become ours only after it is gone. */
        in->phase = PHASE_KILL;
        in->deadline = clock_now_ms() + 50;
        spawn_signal_all(SIGKILL);
    }
}

static int timeout(const struct init *in)
{
    int64_t next = INT64_MAX, left;

    for (size_t i = 0; i < ARRAY_LEN(in->services); i++)
        if (in->services[i].pid && in->services[i].kill_at && in->services[i].kill_at < next)
            next = in->services[i].kill_at;
    if (in->phase == PHASE_RUN && in->agent_due && in->agent_due < next)
        next = in->agent_due;
    if (in->phase == PHASE_RUN && in->release.trial_until && in->release.trial_until < next)
        next = in->release.trial_until;
    if (in->decide_by && in->decide_by < next)
        next = in->decide_by;
    if (in->phase >= PHASE_STOP_REST && in->deadline < next)
        next = in->deadline;
    if (next == INT64_MAX)
        return -1;
    left = next - clock_now_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* Nothing left can start it again: Docker starts the container again. */
static void mounter_ended(struct init *in)
{
    spawn_say("the process that mounts has ended, and the container ends with it");
    close(in->mounter);
    in->mounter = -1;
    service_finish(in, EXIT_NO_MOUNTER);
}

static void loop(struct init *in)
{
    for (;;) {
        struct pollfd fds[6];
        bool children = reap(in);

        if (in->phase >= PHASE_STOP_REST && !children)
            return;
        check_deadlines(in);
        /* Only now: the socket changes when an agent is started. */
        fds[0] = (struct pollfd){.fd = in->signals, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = in->socket, .events = POLLIN};
        fds[2] = (struct pollfd){.fd = in->mounter, .events = POLLIN};
        fds[3] = (struct pollfd){.fd = listen_fd(&in->listener), .events = POLLIN};
        if (in->has_output)
            output_poll(&in->output, fds + 4);
        poll(fds, in->has_output ? 6 : 4, timeout(in));
        if (fds[2].revents)
            mounter_ended(in);
        if (in->has_output)
            output_pass(&in->output);
        if (fds[3].revents)
            listen_accept(&in->listener);
        read_agent(in);
        read_signals(in);
    }
}

int main(int argc, char **argv)
{
    char agent[PATH_MAX], home[PATH_MAX];
    struct init in = {.socket = -1};

    (void)argc;
    in.signals = block_signals();
    if (in.signals < 0) {
        spawn_say("signalfd: %s", strerror(errno));
        return 126;
    }
    /* Without being PID 1, orphans of the services still come to us. */
    if (getpid() != 1)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
    /* Before anything else is started: nothing may inherit what it gives up. */
    if (mounter_start(&in.mounter) < 0)
        return EXIT_NO_MOUNTER;
    find_agent(agent, sizeof(agent));
    if (!release_home(home, sizeof(home)))
        home[0] = '\0';
    in.release.home = home;
    in.release.image_agent = agent;
    in.agent_argv = argv;
    in.has_output = output_open(&in.output);
    start_agent(&in);
    loop(&in);
    if (in.has_output)
        output_flush(&in.output);
    return in.status >= 0 ? in.status : in.agent_status;
}
