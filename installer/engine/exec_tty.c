/* SPDX-License-Identifier: MIT */
/* Exec with an input: the HTTP connection becomes a raw stream in both directions (101 UPGRADED),
 * which libcurl does not do for input; so this file speaks on the socket itself. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/until.h"
#include "engine/api.h"
#include "engine/exec.h"
#include "engine/frames.h"
#include "engine/hijack.h"
#include "engine/url.h"

enum { TICK_MS = 1000, STATUS_MS = 10 * 1000 };

struct tty_session {
    struct engine *g;
    struct engine_stdio io; /* without out and err: those of `captured` */
    const struct engine_exec *captured;
    const char *exec;
    struct until until;
    int sock, resized; /* resized: signalfd of SIGWINCH, or -1 */
    bool tty, input_open;
    char input[16384]; /* what the socket has not taken yet: [sent, held) */
    size_t sent, held;
    struct frames frames;
    struct err *write_error; /* set by the frame callback */
    bool failed;
};

static int start(struct tty_session *s, struct err *e)
{
    auto_node struct node *body = node_new_map();
    auto_free char *path = url_path("/exec/", s->exec, "/start");

    node_set_bool(body, "Detach", false);
    node_set_bool(body, "Tty", s->tty);
    return hijack_open(&s->sock, s->g, path, body, e);
}

static void resize(const struct tty_session *s)
{
    struct winsize w;
    struct err ignored = {0};

    if (!s->tty || ioctl(s->io.in, TIOCGWINSZ, &w) < 0 || w.ws_row == 0)
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
    struct tty_session *s = arg;
    int fd = stream == 1 ? s->io.out : s->io.err;

    if (s->captured) {
        exec_capture(s->captured, stream, p, len);
        return;
    }
    if (!s->failed && hijack_write(fd, p, len, s->until, s->write_error) < 0)
        s->failed = true;
}

/* 1: the other side has ended. */
static int from_container(struct tty_session *s, struct err *e)
{
    char part[16384];
    ssize_t n = read(s->sock, part, sizeof(part));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n < 0)
        return errno == ECONNRESET ? 1 : err_sys(e, "reading from Docker");
    if (n == 0)
        return 1;
    if (s->tty)
        return hijack_write(s->io.out, part, (size_t)n, s->until, e);
    if (frames_feed(&s->frames, part, (size_t)n, e) < 0)
        return -1;
    return s->failed ? -1 : 0;
}

/* End of input is a half close; the output goes on. A command that does not read its input any more
 * is not a failure either: its status tells. */
static void end_input(struct tty_session *s)
{
    s->input_open = false;
    s->sent = s->held = 0;
    shutdown(s->sock, SHUT_WR);
}

static void from_user(struct tty_session *s)
{
    ssize_t n = read(s->io.in, s->input, sizeof(s->input));

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
static void to_container(struct tty_session *s)
{
    ssize_t n = send(s->sock, s->input + s->sent, s->held - s->sent, MSG_NOSIGNAL);

    if (n > 0)
        s->sent += (size_t)n;
    else if (n < 0 && errno != EINTR && errno != EAGAIN)
        end_input(s);
}

static int pump(struct tty_session *s, struct err *e)
{
    struct until until = s->until;

    for (;;) {
        bool held = s->sent < s->held;
        struct pollfd f[] = {
            {.fd = s->sock, .events = (short)(held ? POLLIN | POLLOUT : POLLIN)},
            {.fd = s->input_open && !held ? s->io.in : -1, .events = POLLIN},
            {.fd = s->resized, .events = POLLIN},
            {.fd = until_fd(until), .events = POLLIN},
        };

        if (until_check_wait(until, "the command did not end", e) < 0)
            return -1;
        if (poll(f, ARRAY_LEN(f), until_poll_ms(until, TICK_MS)) < 0) {
            if (errno == EINTR)
                continue;
            return err_sys(e, "waiting for input");
        }
        if (f[2].revents != 0) {
            struct signalfd_siginfo info;

            if (read(s->resized, &info, sizeof(info)) > 0)
                resize(s);
        }
        if (held && (f[0].revents & POLLOUT))
            to_container(s);
        if (f[0].revents & ~POLLOUT) {
            int r = from_container(s, e);

            if (r != 0)
                return r < 0 ? -1 : 0;
        }
        if (f[1].revents != 0)
            from_user(s);
    }
}

/* Raw while the session lasts; the old mode comes back on every way out. */
static int pump_raw(struct tty_session *s, struct err *e)
{
    struct termios old, raw;
    sigset_t winch, before;

    if (tcgetattr(s->io.in, &old) < 0)
        return pump(s, e);
    raw = old;
    cfmakeraw(&raw);
    sigemptyset(&winch);
    sigaddset(&winch, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &winch, &before);
    s->resized = signalfd(-1, &winch, SFD_CLOEXEC | SFD_NONBLOCK);
    tcsetattr(s->io.in, TCSADRAIN, &raw);
    resize(s);
    int r = pump(s, e);
    tcsetattr(s->io.in, TCSADRAIN, &old);
    if (s->resized >= 0)
        close(s->resized);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

static int attach(int *status, struct tty_session *s, struct err *e)
{
    frames_init(&s->frames, on_frame, s);
    int r = start(s, e);
    if (r == 0)
        r = s->tty ? pump_raw(s, e) : pump(s, e);
    if (r == 0 && !s->tty)
        r = frames_end(&s->frames, e);
    frames_clear(&s->frames);
    return r < 0
               ? -1
               : exec_status(status, s->g, s->exec, until_within(engine_until(s->g), STATUS_MS), e);
}

int engine_exec_interactive(int *status, struct engine *g, const char *id,
                            const struct engine_exec *x, struct engine_stdio io, struct err *e)
{
    auto_free char *exec = NULL;
    auto_node struct node *body = exec_body(x, io.in >= 0);

    *status = -1;
    int r = exec_create(&exec, g, id, body, e);
    if (r == 0) {
        struct tty_session s = {.g = g,
                                .io = io,
                                .exec = exec,
                                .until = engine_until(g),
                                .sock = -1,
                                .resized = -1,
                                .tty = x->tty,
                                .input_open = io.in >= 0,
                                .write_error = e};

        r = attach(status, &s, e);
        if (s.sock >= 0)
            close(s.sock);
    }
    return r < 0 ? err_wrap(e, "running %s in container %s", x->argv[0], id) : 0;
}

/* Of a file in memory: a pipe would have to be filled while the output is read. */
static int open_input(int *fd, const struct engine_exec *x, struct err *e)
{
    *fd = memfd_create("input", MFD_CLOEXEC);
    if (*fd < 0 || fs_write_all(*fd, x->input, x->input_len) < 0 || lseek(*fd, 0, SEEK_SET) < 0)
        return err_sys(e, "keeping the input of a command");
    return 0;
}

int exec_with_input(int *status, struct engine *g, const char *exec, const struct engine_exec *x,
                    struct err *e)
{
    auto_close int in = -1, sock = -1;
    struct tty_session s = {.g = g,
                            .captured = x,
                            .exec = exec,
                            .until = until_before(engine_until(g), x->deadline),
                            .sock = -1,
                            .resized = -1,
                            .input_open = true,
                            .write_error = e};

    if (open_input(&in, x, e) < 0)
        return -1;
    s.io = (struct engine_stdio){.in = in, .out = -1, .err = -1};
    int r = attach(status, &s, e);
    sock = s.sock;
    return r;
}
