/* SPDX-License-Identifier: MIT */
#include "agent/link_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"

enum { WAIT_MS = 30 * 1000, TURN_MS = 100, LINK_MODE = 0400 };

/* A line under way; wiped by whoever made it. */
struct line {
    char text[LINK_MAX + 2];
    size_t len;
    bool whole;
};

bool link_input_is_there(void)
{
    struct stat st;

    return fstat(STDIN_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
}

void link_input_close(void)
{
    auto_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0 && dup2(null, STDIN_FILENO) < 0)
        log_debug("standard input stays open: %s", strerror(errno));
}

int link_file_read(struct link **out, const char *path, struct err *e)
{
    auto_wipe char *text = NULL;

    *out = NULL;
    if (fs_read_input(&text, NULL, path, LINK_MAX + 2, e) < 0)
        return -1;
    text[strcspn(text, "\r\n")] = '\0';
    return link_parse(out, text, e);
}

static int read_some(struct line *l, struct err *e)
{
    ssize_t n = read(STDIN_FILENO, l->text + l->len, sizeof(l->text) - 1 - l->len);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : err_sys(e, "reading standard input");
    l->len += (size_t)n;
    l->text[l->len] = '\0';
    size_t end = strcspn(l->text, "\r\n");
    /* The end of input ends a line too. */
    if (end < l->len || (n == 0 && l->len > 0)) {
        l->text[end] = '\0';
        l->whole = true;
        return 0;
    }
    if (n == 0)
        return err_set(e, ERR_USAGE, "standard input ended without a link");
    if (l->len == sizeof(l->text) - 1)
        return err_set(e, ERR_CONFIG, "the line on standard input is longer than %d bytes",
                       LINK_MAX);
    return 0;
}

/* 1: there is input; 0: not yet. */
static int wait_for_input(void)
{
    struct pollfd f = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&f, 1, TURN_MS) > 0;
}

/* A container that cannot write it works all the same, until its next start. */
static void keep(const char *path, const char *text)
{
    struct fs_write_opts o = {.mode = LINK_MODE, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *dir = mem_strndup(path, (size_t)(fs_basename(path) - path));
    struct err e;

    if ((*dir && fs_mkdirs(dir, 0755, &e) < 0) || fs_write(path, text, strlen(text), &o, &e) < 0)
        log_warn("the link is not kept for the next start: %s", e.msg);
}

static int take_line(struct link **out, struct line *l, const char *path, struct err *e)
{
    int64_t deadline = clock_deadline(WAIT_MS);

    while (!clock_passed(deadline)) {
        struct err ignored;

        if (sig_interrupts())
            return err_set(e, ERR_INTERRUPTED, "interrupted while waiting for the link");
        if (wait_for_input() && read_some(l, e) < 0)
            return -1;
        if (!l->whole) {
            if (fs_exists(path) && link_file_read(out, path, &ignored) == 0)
                return 0;
            continue;
        }
        if (link_parse(out, l->text, e) < 0)
            return err_wrap(e, "standard input");
        keep(path, l->text);
        return 0;
    }
    return err_set(
        e, ERR_USAGE,
        "no link: none is given as the argument, in SLIPWAY_LINK or in %s, and none came "
        "on standard input within %d s",
        path, WAIT_MS / 1000);
}

int link_input_read(struct link **out, const char *path, struct err *e)
{
    struct line l = {.len = 0};

    *out = NULL;
    int r = take_line(out, &l, path, e);
    explicit_bzero(&l, sizeof(l));
    return r;
}
