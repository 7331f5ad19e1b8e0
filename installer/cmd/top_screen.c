/* SPDX-License-Identifier: MIT */
#include "cmd/top_screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/top_text.h"

/* Escape alone is a key: how long the rest of a sequence may take, also over a slow line. */
enum { ESCAPE_MS = 100, TOLD_MAX = 64 << 10, LINE_ROOM = 4096 };

struct top_screen {
    SCREEN *screen;
    FILE *terminal; /* of its own: stdout may be a stream without a descriptor (out_stream.h) */
    bool color, utf8, drawn;
    sigset_t before;    /* signals that were blocked */
    int real_err;       /* standard error as it was; -1: not a terminal, and left as it is */
    int told[2];        /* what it is meanwhile */
    struct buf written; /* that came through there */
    size_t shown;       /* of it, by top_screen_told */
};

/* ---- standard error ---- */

static void read_told(struct top_screen *s)
{
    char piece[4096];
    ssize_t n;

    while (s->told[0] >= 0 && (n = read(s->told[0], piece, sizeof(piece))) > 0)
        buf_add(&s->written, piece, (size_t)n);
}

static void divert(struct top_screen *s)
{
    s->real_err = -1;
    if (!isatty(STDERR_FILENO) || s->told[1] < 0)
        return;
    fflush(stderr);
    s->real_err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (s->real_err >= 0)
        dup2(s->told[1], STDERR_FILENO);
}

static void undivert(struct top_screen *s)
{
    if (s->real_err < 0)
        return;
    fflush(stderr);
    dup2(s->real_err, STDERR_FILENO);
    close(s->real_err);
    s->real_err = -1;
    read_told(s);
}

char *top_screen_told(struct top_screen *s)
{
    const char *end, *start;

    read_told(s);
    for (end = buf_str(&s->written) + s->written.len; end > buf_str(&s->written) + s->shown;)
        if (end[-1] == '\n')
            break;
        else
            end--;
    if (end == buf_str(&s->written) + s->shown)
        return NULL;
    for (start = end - 1; start > buf_str(&s->written) && start[-1] != '\n';)
        start--;
    s->shown = (size_t)(end - buf_str(&s->written));
    return mem_strndup(start, (size_t)(end - 1 - start));
}

/* ---- the terminal ---- */

/* Only where we wait for keys: in the middle of a drawing nothing may end the drawing. */
static void block_signals(sigset_t *before)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGTSTP);
    pthread_sigmask(SIG_BLOCK, &set, before);
}

static void setup(struct top_screen *s)
{
    raw(); /* Ctrl-C and Ctrl-\ are keys: the terminal is given back before anything ends */
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_MS);
    curs_set(0);
    if (!s->color || !has_colors() || start_color() == ERR) {
        s->color = false;
        return;
    }
    use_default_colors();
    init_pair(OUT_GOOD, COLOR_GREEN, -1);
    init_pair(OUT_WARN, COLOR_YELLOW, -1);
    init_pair(OUT_BAD, COLOR_RED, -1);
}

static bool can_address(void)
{
    const char *cup = tigetstr("cup");

    return cup && cup != (const char *)-1;
}

static FILE *open_terminal(void)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (fd >= 0 && !f)
        close(fd);
    return f;
}

int top_screen_open(struct top_screen **out, bool color, struct err *e)
{
    const char *term = getenv("TERM");
    struct top_screen *s = mem_alloc(sizeof(*s));

    *out = s;
    s->color = color;
    s->real_err = -1;
    buf_init(&s->written, TOLD_MAX);
    setlocale(LC_CTYPE, "");
    s->utf8 = top_text_is_utf8();
    block_signals(&s->before);
    if (pipe2(s->told, O_CLOEXEC | O_NONBLOCK) < 0)
        s->told[0] = s->told[1] = -1;
    s->terminal = open_terminal();
    s->screen = s->terminal ? newterm(NULL, s->terminal, stdin) : NULL;
    if (s->screen && can_address()) {
        setup(s);
        divert(s);
        return 0;
    }
    return err_set(e, ERR_USAGE,
                   "the terminal %s cannot show it; `slipway status --watch` needs no terminal",
                   term && *term ? term : "(TERM is not set)");
}

void top_screen_close(struct top_screen *s)
{
    if (!s)
        return;
    if (s->screen && s->drawn) {
        /* Where the terminal has no second picture to go back to, the next prompt stands here. */
        move(getmaxy(stdscr) - 1, 0);
        clrtoeol();
        refresh();
    }
    if (s->screen) {
        endwin();
        delscreen(s->screen);
    }
    if (s->terminal)
        fclose(s->terminal);
    undivert(s);
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    if (s->written.len > 0)
        fwrite(s->written.data, 1, s->written.len, stderr);
    for (size_t i = 0; i < ARRAY_LEN(s->told); i++)
        if (s->told[i] >= 0)
            close(s->told[i]);
    buf_clear(&s->written);
    free(s);
}

void top_screen_pause(struct top_screen *s)
{
    endwin();
    undivert(s);
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}

void top_screen_resume(struct top_screen *s)
{
    block_signals(&s->before);
    divert(s);
    clearok(curscr, TRUE);
    refresh();
}

void top_screen_stop(struct top_screen *s)
{
    sigset_t blocked;

    /* Not one that waits until it is let in: curses throws those away when it draws. Its handler
     * does the rest. */
    pthread_sigmask(SIG_SETMASK, &s->before, &blocked);
    raise(SIGTSTP);
    pthread_sigmask(SIG_SETMASK, &blocked, NULL);
}

/* ---- keys ---- */

bool top_screen_wait(struct top_screen *s, struct pollfd *fds, size_t count, int ms)
{
    struct pollfd all[TOP_SCREEN_FDS_MAX + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    memcpy(all + 1, fds, count * sizeof(*fds));
    if (ppoll(all, count + 1, &span, &s->before) < 0)
        for (size_t i = 0; i <= count; i++)
            all[i].revents = 0;
    memcpy(fds, all + 1, count * sizeof(*fds));
    return !(all[0].revents & (POLLHUP | POLLERR | POLLNVAL));
}

int top_screen_key(struct top_screen *s)
{
    int key = getch();

    (void)s;
    return key == ERR ? -1 : key;
}

/* ---- drawing ---- */

void top_screen_size(const struct top_screen *s, size_t *lines, size_t *columns)
{
    (void)s;
    *lines = (size_t)getmaxy(stdscr);
    *columns = (size_t)getmaxx(stdscr);
}

void top_screen_begin(struct top_screen *s)
{
    s->drawn = true;
    erase();
}

static attr_t attributes(const struct top_screen *s, const struct top_at *at)
{
    attr_t a = at->reverse ? A_REVERSE : A_NORMAL;

    if (at->color == OUT_BOLD || (at->color == OUT_BAD && !at->reverse))
        a |= A_BOLD;
    else if (at->color == OUT_DIM)
        a |= A_DIM;
    if (s->color && (at->color == OUT_GOOD || at->color == OUT_WARN || at->color == OUT_BAD))
        a |= (attr_t)COLOR_PAIR((int)at->color);
    return a;
}

void top_screen_put(struct top_screen *s, const struct top_at *at, const char *text)
{
    size_t lines, columns, width, used;
    auto_buf struct buf b = {0};

    top_screen_size(s, &lines, &columns);
    if (at->line >= lines || at->column >= columns)
        return;
    width = at->width < columns - at->column ? at->width : columns - at->column;
    buf_init(&b, LINE_ROOM);
    used = top_cut(&b, text, width, s->utf8);
    attrset((int)attributes(s, at));
    mvhline((int)at->line, (int)at->column, ' ' | attributes(s, at), (int)width);
    mvaddstr((int)at->line, (int)(at->column + (at->right ? width - used : 0)), buf_str(&b));
    attrset(A_NORMAL);
}

void top_screen_show(struct top_screen *s)
{
    (void)s;
    refresh();
}
