/* SPDX-License-Identifier: MIT */
#include "agent/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    CHUNK = 4096,
    LINE_LEN_MAX = 2000,
    LOGGED_MAX = 64 << 10, /* of one run */
    TAIL_MAX = 4096,
    TURN_MS = 100,
    REAP_MS = 10,
};

struct running {
    const struct hook_call *call;
    pid_t pid;
    int both; /* stdout and stderr, or stderr alone; -1 at its end */
    int out;  /* stdout when the caller takes it, else -1 */
    int pidfd;
    bool exited;
    int status;
    struct buf line; /* begun, not ended */
    size_t logged;
    char tail[TAIL_MAX]; /* ring of the last bytes */
    size_t tail_len;     /* all bytes ever */
};

void hook_result_clear(struct hook_result *r)
{
    free(r->last_line);
    *r = (struct hook_result){0};
}

/* ---- output ---- */

static void log_line(struct running *h)
{
    const char *name = h->call->name;
    size_t before = h->logged;

    h->logged += h->line.len + 1;
    if (before > LOGGED_MAX)
        ;
    else if (h->logged > LOGGED_MAX)
        log_info("%s: ... more output is left out", name);
    else if (h->call->log == HOOK_LOG_INFO)
        log_info("%s: %s", name, buf_str(&h->line));
    else
        log_debug("%s: %s", name, buf_str(&h->line));
    buf_reset(&h->line);
}

static void take_output(struct running *h, const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        h->tail[h->tail_len++ % TAIL_MAX] = p[i];
        if (p[i] == '\n')
            log_line(h);
        else if ((unsigned char)p[i] >= 0x20 || p[i] == '\t')
            buf_putc(&h->line, p[i]); /* what is over the line's maximum is dropped */
    }
}

/* The last bytes in order, as text; control characters other than line ends are left out. */
static char *tail_text(const struct running *h)
{
    size_t len = h->tail_len < TAIL_MAX ? h->tail_len : TAIL_MAX;
    char *text = mem_alloc(len + 1), *to = text;

    for (size_t i = h->tail_len - len; i < h->tail_len; i++) {
        char c = h->tail[i % TAIL_MAX];

        if ((unsigned char)c >= 0x20 || c == '\n')
            *to++ = c;
    }
    while (to > text && (to[-1] == '\n' || to[-1] == ' '))
        to--;
    *to = '\0';
    log_redact_text(text);
    return text;
}

static char *last_line(const char *text)
{
    const char *newline = strrchr(text, '\n');

    return mem_strndup(newline ? newline + 1 : text, 400);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* One read; more comes in the next turn. */
static void drain(struct running *h, int *fd, struct buf *into)
{
    char chunk[CHUNK];
    ssize_t n = *fd >= 0 ? read(*fd, chunk, sizeof(chunk)) : -1;

    if (n > 0 && into)
        buf_add(into, chunk, (size_t)n);
    else if (n > 0)
        take_output(h, chunk, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(fd);
}

/* ---- process ---- */

static char **build_env(const struct hook_call *c)
{
    struct strv env = {0};

    strv_addf(&env, "SLIPWAY_HOOK=%s", c->name); /* never an empty list */
    strv_add_all(&env, c->env);
    if (c->changed)
        strv_addf(&env, "SLIPWAY_CHANGED=%s", c->changed);
    if (c->data_lost)
        strv_add(&env, "SLIPWAY_DATA_LOST=1");
    return env.items;
}

static char **build_argv(const struct hook_call *c)
{
    struct strv argv = {0};

    strv_add(&argv, c->path);
    if (c->args)
        strv_add_all(&argv, c->args);
    return argv.items;
}

static void free_list(char **list)
{
    for (char **p = list; *p; p++)
        free(*p);
    free(list);
}

/* Between fork and exec. A hook dies with its agent: the next one starts afresh. */
static _Noreturn void become(const struct hook_call *c, char **argv, char **env, const int fds[3])
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(fds[0], 0) >= 0 && dup2(fds[1], 1) >= 0 && dup2(fds[2], 2) >= 0)
        execve(c->path, argv, env);
    /* Nothing that might wait for a lock of another thread, of which there is none here. */
    int why = errno;
    const char *words[] = {"cannot be executed: ", strerrordesc_np(why), "\n"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words[i] && write(2, words[i], strlen(words[i])) < 0)
            _exit(126);
    _exit(why == ENOENT ? 127 : 126);
}

static int start(struct running *h, struct err *e)
{
    const struct hook_call *c = h->call;
    int both[2], out[2] = {-1, -1};
    auto_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null < 0 || pipe2(both, O_CLOEXEC) < 0)
        return err_sys(e, "hook %s", c->name);
    if (c->out && pipe2(out, O_CLOEXEC) < 0) {
        err_sys(e, "hook %s", c->name);
        close(both[0]);
        close(both[1]);
        return -1;
    }
    char **argv = build_argv(c), **env = build_env(c);
    h->pid = fork();
    if (h->pid == 0)
        become(c, argv, env, (const int[]){null, c->out ? out[1] : both[1], both[1]});
    int why = errno;
    free_list(argv);
    free_list(env);
    close(both[1]);
    close_fd(&out[1]);
    h->both = both[0];
    h->out = out[0];
    if (h->pid > 0) {
        setpgid(h->pid, h->pid);
        h->pidfd = pidfd_open(h->pid, 0);
        fcntl(h->both, F_SETFL, O_NONBLOCK);
        if (h->out >= 0)
            fcntl(h->out, F_SETFL, O_NONBLOCK);
        return 0;
    }
    errno = why;
    return err_sys(e, "hook %s", c->name);
}

static void reap(struct running *h, int flags)
{
    int status = 0;
    pid_t got = waitpid(h->pid, &status, flags);

    if (got == 0 || (got < 0 && errno == EINTR))
        return;
    h->exited = true;
    h->status = got < 0 ? 126 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void kill_group(struct running *h)
{
    kill(-h->pid, SIGKILL);
    while (!h->exited)
        reap(h, 0);
}

static int turn_ms(const struct running *h)
{
    int64_t left = clock_left_ms(h->call->deadline), most = h->pidfd < 0 ? REAP_MS : TURN_MS;

    return (int)(left < most ? left : most);
}

static int attend(struct running *h, struct err *e)
{
    const struct hook_call *c = h->call;

    while (!h->exited) {
        struct pollfd fds[] = {{.fd = h->both, .events = POLLIN},
                               {.fd = h->out, .events = POLLIN},
                               {.fd = h->pidfd, .events = POLLIN},
                               {.fd = c->wake_fd, .events = POLLIN}};

        poll(fds, ARRAY_LEN(fds), turn_ms(h));
        reap(h, WNOHANG);
        drain(h, &h->both, NULL);
        drain(h, &h->out, c->out);
        if (!h->exited && clock_passed(c->deadline)) {
            kill_group(h);
            return err_set(e, ERR_TIMEOUT, "hook %s did not end before its deadline and was killed",
                           c->name);
        }
        if (!h->exited && c->idle && c->idle(c->arg)) {
            kill_group(h);
            return err_set(e, ERR_INTERRUPTED, "hook %s was interrupted", c->name);
        }
    }
    /* What it wrote before its end; a background process may keep the pipe open and is not waited
     * for. */
    for (int i = 0; i < 512 && (h->both >= 0 || h->out >= 0); i++) {
        struct pollfd fds[] = {{.fd = h->both, .events = POLLIN}, {.fd = h->out, .events = POLLIN}};

        if (poll(fds, ARRAY_LEN(fds), 0) <= 0)
            break;
        drain(h, &h->both, NULL);
        drain(h, &h->out, c->out);
    }
    return 0;
}

/* *tail is owned. */
static int run(struct hook_result *ended, char **tail, const struct hook_call *c, struct err *e)
{
    struct running *h = mem_alloc(sizeof(*h));

    h->call = c;
    h->both = h->out = h->pidfd = -1;
    buf_init(&h->line, LINE_LEN_MAX);
    int r = start(h, e);
    if (r == 0)
        r = attend(h, e);
    if (h->line.len)
        log_line(h);
    close_fd(&h->both);
    close_fd(&h->out);
    close_fd(&h->pidfd);
    *tail = tail_text(h);
    *ended = (struct hook_result){.status = h->status, .last_line = last_line(*tail)};
    buf_clear(&h->line);
    free(h);
    return r;
}

int hook_run(struct hook_result *r, const struct hook_call *c, struct err *e)
{
    auto_free char *tail = NULL;

    return run(r, &tail, c, e);
}

int hook_must(const struct hook_call *c, struct err *e)
{
    auto_free char *tail = NULL;
    struct hook_result ended;
    int r = run(&ended, &tail, c, e);
    int status = ended.status;

    hook_result_clear(&ended);
    if (c->unfinished)
        *c->unfinished = r == 0 && status == HOOK_UNFINISHED;
    if (r == 0 && (status == 0 || (c->unfinished && *c->unfinished)))
        return 0;
    /* The end of the text says most; the message has room for about 1,500 bytes of it. */
    size_t len = strlen(tail);
    const char *end = len > 1500 ? tail + len - 1500 : tail;
    if (r < 0 && *end) {
        auto_free char *why = mem_strdup(e->msg);

        return err_set(e, e->code, "%s; it printed: %s", why, end);
    }
    if (r < 0)
        return -1;
    return err_set(e, ERR_REMOTE, "hook %s failed with status %d%s%s", c->name, status,
                   *end ? ": " : "", end);
}
