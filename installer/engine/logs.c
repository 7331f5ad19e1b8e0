/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/until.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/frames.h"
#include "engine/lines.h"
#include "engine/url.h"

enum { GIVE_UP_MS = 60 * 1000, READ_ALL_MS = 3600 * 1000 };

struct follow {
    struct until until;
    const struct engine_log_opts *o;
    struct lines lines;
    struct frames frames;
    bool terminal; /* raw bytes instead of frames */
    bool alive;    /* something came since the last connection */
};

static void on_frame(void *arg, int stream, const char *p, size_t len)
{
    struct follow *f = arg;

    lines_message(&f->lines, stream, p, len);
}

static int on_chunk(void *arg, const char *p, size_t len, struct err *e)
{
    struct follow *f = arg;

    f->alive = true;
    if (!f->terminal)
        return frames_feed(&f->frames, p, len, e);
    lines_bytes(&f->lines, 1, p, len);
    return 0;
}

static bool on_stop(void *arg)
{
    const struct follow *f = arg;

    return until_is_cancelled(f->until) || (f->o->stop && f->o->stop(f->o->arg));
}

/* The API takes seconds with a fraction; people give RFC 3339. */
static int add_time(struct buf *path, const char *name, const char *text, struct err *e)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (!rest) {
        if (text[0] == '\0' || text[strspn(text, "0123456789.")] != '\0')
            return err_set(e, ERR_USAGE,
                           "%s is not a time: give 2026-01-31T23:59:59Z or seconds "
                           "since 1970",
                           text);
        buf_printf(path, "&%s=%s", name, text);
        return 0;
    }
    char fraction[10] = "000000000";
    if (*rest == '.') {
        size_t digits = strspn(++rest, "0123456789");

        memcpy(fraction, rest, digits < 9 ? digits : 9);
        rest += digits;
    }
    int hours = 0, minutes = 0;
    char sign = '+';
    if (strcmp(rest, "Z") != 0 && (sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) != 3 ||
                                   strlen(rest) != 6 || (sign != '+' && sign != '-')))
        return err_set(e, ERR_USAGE, "%s has no time zone: end it with Z or +02:00", text);
    int64_t offset = (sign == '-' ? -1 : 1) * (hours * INT64_C(3600) + minutes * 60);
    buf_printf(path, "&%s=%lld.%s", name, (long long)(timegm(&tm) - offset), fraction);
    return 0;
}

static int logs_path(struct buf *path, const char *id, const struct follow *f, struct err *e)
{
    const struct engine_log_opts *o = f->o;
    bool again = f->lines.last[0] != '\0';
    const char *since = again ? f->lines.last : o->since;

    buf_reset(path);
    buf_puts(path, "/containers/");
    url_escape(path, id, "");
    buf_printf(path, "/logs?stdout=1&stderr=1&follow=%d&timestamps=%d", o->follow,
               !f->terminal || o->timestamps);
    if (o->tail >= 0 && !again)
        buf_printf(path, "&tail=%d", o->tail);
    if (since && add_time(path, "since", since, e) < 0)
        return -1;
    if (o->until && add_time(path, "until", o->until, e) < 0)
        return -1;
    return 0;
}

static int stream(struct engine *g, const char *id, struct follow *f, struct err *e)
{
    auto_buf struct buf path;

    buf_init(&path, 64 << 10);
    frames_reset(&f->frames);
    if (logs_path(&path, id, f, e) < 0)
        return -1;
    struct api_request r = {.method = "GET",
                            .path = buf_str(&path),
                            .deadline = f->o->follow ? CLOCK_NEVER : clock_deadline(READ_ALL_MS),
                            .chunk = on_chunk,
                            .stop = on_stop,
                            .arg = f};
    if (api_call(NULL, g, &r, e) < 0)
        return -1;
    return f->terminal || on_stop(f) ? 0 : frames_end(&f->frames, e);
}

/* Follows across a restart of Docker: from the last message's time on, without what was seen. */
static int stream_on(struct engine *g, const char *id, struct follow *f, struct err *e)
{
    struct clock_backoff wait = {.first_ms = 100, .max_ms = 2000};
    int64_t give_up = clock_deadline(GIVE_UP_MS);

    while (stream(g, id, f, e) < 0) {
        if (!f->o->follow || !err_retryable(e) || until_passed(f->until))
            return -1;
        if (f->alive) {
            give_up = clock_deadline(GIVE_UP_MS);
            wait.tries = 0;
        } else if (clock_passed(give_up))
            return -1;
        if (on_stop(f))
            return 0;
        log_debug("logs of %s: %s; connecting again", id, e->msg);
        f->alive = false;
        until_sleep_ms(f->until, clock_backoff_next(&wait));
        lines_resume(&f->lines);
    }
    return 0;
}

int engine_container_logs(struct engine *g, const char *id, const struct engine_log_opts *o,
                          struct err *e)
{
    struct follow f = {.until = engine_until(g), .o = o};
    auto_node struct node *seen = NULL;

    if (engine_container_inspect(&seen, g, id, e) < 0)
        return err_wrap(e, "reading logs");
    f.terminal = node_get_bool(node_get(seen, "Config"), "Tty", false);
    lines_init(&f.lines, o->timestamps);
    f.lines.line = o->line;
    f.lines.arg = o->arg;
    frames_init(&f.frames, on_frame, &f);
    int r = stream_on(g, id, &f, e);
    lines_end(&f.lines);
    frames_clear(&f.frames);
    lines_clear(&f.lines);
    return r < 0 ? err_wrap(e, "reading logs of container %s", id) : 0;
}
