/* SPDX-License-Identifier: MIT */
/* Interactive exec: the HTTP connection becomes a raw stream in both directions (101 UPGRADED),
 * which libcurl does not do for input; so this file speaks on the socket itself. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "engine/api.h"
#include "engine/exec.h"
#include "engine/frames.h"
#include "engine/hijack.h"
#include "engine/url.h"

enum { TICK_MS = 1000, STATUS_MS = 10 * 1000 };

struct session {
    struct engine *g;
    const char *exec;
    int sock, resized; /* resized: signalfd of SIGWINCH, or -1 */
    bool tty, input_open;
    char input[16384]; /* what the socket has not taken yet: [sent, held) */
    size_t sent, held;
    struct frames frames;
    struct err *write_error; /* set by the frame callback */
    bool failed;
};

static int start(struct session *s, struct err *e)
{
    auto_node struct node *body = node_new_map();
    auto_free char *path = url_path("/exec/", s->exec, "/start");
    node_set_bool(body, "Detach", false);
    node_set_bool(body, "Tty", s->tty);
    return hijack_open(&s->sock, s->g, path, body, e);
}

static void resize(const struct session *s)
{
    struct winsize w;
    struct err ignored = {0};
    if (!s->tty || ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_row == 0)
        return;
    auto_free char *tail = mem_printf("/resize?h=%u&w=%u", w.ws_row, w.ws_col);
    auto_free char *path = url_path("/exec/", s->exec, tail);
    struct api_request r = {
        .method = "POST", .path = path, .deadline = clock_deadline(API_READ_MS)};
    if (api_call(NULL, s->g, &r, &ignored) < 0)
        err_drop(&ignored, "resizing the terminal");
}

static void on_frame(void *arg, int stream, const char *p, size_t len)
{
    struct session *s = arg;
    int fd = stream == 1 ? STDOUT_FILENO : STDERR_FILENO;
    if (!s->failed && hijack_write(fd, p, len, s->write_error) < 0)
        s->failed = true;
}

/* 1: the other side has ended. */
static int from_container(struct session *s, struct err *e)
{
    char part[16384];
    ssize_t n = read(s->sock, part, sizeof part);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n < 0)
        return errno == ECONNRESET ? 1 : err_sys(e, "reading from Docker");
    if (n == 0)
        return 1;
    if (s->tty)
        return hijack_write(STDOUT_FILENO, part, (size_t)n, e);
    if (frames_feed(&s->frames, part, (size_t)n, e) < 0)
        return -1;
    return s->failed ? -1 : 0;
}

/* End of input is a half close; the output goes on. A command that does not read its input any more
 * is no failure either: its status tells. */
static void end_input(struct session *s)
{
    s->input_open = false;
    s->sent = s->held = 0;
    shutdown(s->sock, SHUT_WR);
}

static void from_user(struct session *s)
{
    ssize_t n = read(STDIN_FILENO, s->input, sizeof s->input);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        end_input(s);
        return;
    }
    s->sent = 0;
    s->held = (size_t)n;
}

/* As much as it takes now: who waited here would not read the output, for which the command may
 * wait before it reads on. */
static void to_container(struct session *s)
{
    ssize_t n = send(s->sock, s->input + s->sent, s->held - s->sent, MSG_NOSIGNAL);
    if (n > 0)
        s->sent += (size_t)n;
    else if (n < 0 && errno != EINTR && errno != EAGAIN)
        end_input(s);
}

static int pump(struct session *s, struct err *e)
{
    for (;;) {
        bool held = s->sent < s->held;
        struct pollfd f[] = {
            {.fd = s->sock, .events = (short)(held ? POLLIN | POLLOUT : POLLIN)},
            {.fd = s->input_open && !held ? STDIN_FILENO : -1, .events = POLLIN},
            {.fd = s->resized, .events = POLLIN},
        };
        if (sig_interrupts() > 0)
            return err_set(e, ERR_INTERRUPTED, "interrupted");
        if (poll(f, ARRAY_LEN(f), TICK_MS) < 0) {
            if (errno == EINTR)
                continue;
            return err_sys(e, "waiting for input");
        }
        if (f[2].revents != 0) {
            struct signalfd_siginfo info;
            if (read(s->resized, &info, sizeof info) > 0)
                resize(s);
        }
        if (held && (f[0].revents & POLLOUT))
            to_container(s);
        if (f[0].revents & ~POLLOUT) {
            int rc = from_container(s, e);
            if (rc != 0)
                return rc < 0 ? -1 : 0;
        }
        if (f[1].revents != 0)
            from_user(s);
    }
}

/* Raw while the session lasts; the old mode comes back on every way out. */
static int pump_raw(struct session *s, struct err *e)
{
    struct termios old, raw;
    sigset_t winch, before;
    if (tcgetattr(STDIN_FILENO, &old) < 0)
        return pump(s, e);
    raw = old;
    cfmakeraw(&raw);
    sigemptyset(&winch);
    sigaddset(&winch, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &winch, &before);
    s->resized = signalfd(-1, &winch, SFD_CLOEXEC | SFD_NONBLOCK);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    resize(s);
    int rc = pump(s, e);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &old);
    if (s->resized >= 0)
        close(s->resized);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static int attach(int *status, struct session *s, struct err *e)
{
    frames_init(&s->frames, on_frame, s);
    int rc = start(s, e);
    if (rc == 0 && fcntl(s->sock, F_SETFL, O_NONBLOCK) < 0)
        rc = err_sys(e, "the connection to Docker");
    if (rc == 0)
        rc = s->tty ? pump_raw(s, e) : pump(s, e);
    frames_clear(&s->frames);
    return rc < 0 ? -1 : exec_status(status, s->g, s->exec, clock_deadline(STATUS_MS), e);
}

int engine_exec_interactive(int *status, struct engine *g, const char *id,
                            const struct engine_exec *x, struct err *e)
{
    auto_free char *exec = NULL;
    auto_node struct node *body = exec_body(x, true);
    *status = -1;
    int rc = exec_create(&exec, g, id, body, e);
    if (rc == 0) {
        struct session s = {.g = g,
                            .exec = exec,
                            .sock = -1,
                            .resized = -1,
                            .tty = x->tty,
                            .input_open = true,
                            .write_error = e};
        rc = attach(status, &s, e);
        if (s.sock >= 0)
            close(s.sock);
    }
    return rc < 0 ? err_wrap(e, "running %s in container %s", x->argv[0], id) : 0;
}
