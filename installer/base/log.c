/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log_text.h"
#include "base/mem.h"
#include "base/strv.h"

enum { LINE_MAX = 64 * 1024, CONTEXT_MAX = 4, SECRET_MIN = 8, STALL_MS = 3000 };

/* Where lines go whose reader may stall. */
struct sink {
    size_t dropped; /* lines since the last one that went through */
    bool is_cut;    /* the last thing written ends in the middle of a line */
};

/* A line on its way: as it was when it was said. */
struct line {
    struct line *next;
    struct buf json, text; /* to be written: json for the file, one of them for stderr */
    bool filed, shown, as_json;
    bool *written; /* told when it is; NULL: nobody waits */
};

static struct {
    /* Never held while a line is written: whoever finds lines and nobody writing writes them, so
     * that they come whole and in order, and a reader that stalls holds up one thread only. */
    pthread_mutex_t lock;
    pthread_cond_t wrote;
    struct line *first, *last;
    bool is_writing;
    const char *program;
    enum log_level level;
    enum log_format format;
    void (*before)(void *arg);
    void (*after)(void *arg);
    void *hook_arg;
    int file; /* 0: none */
    struct sink on_stderr, in_file;
    uint64_t seq;
    char host[65];
    struct strv secrets; /* longest first, so that none leaves the tail of another */
} state = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .wrote = PTHREAD_COND_INITIALIZER, .level = LOG_LEVEL_WARN};

static _Thread_local struct log_fields fields;

static _Thread_local struct {
    char key[24], value[LOG_VALUE_MAX];
} context[CONTEXT_MAX];

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_setup(const char *program, enum log_level level, enum log_format format)
{
    pthread_mutex_lock(&state.lock);
    state.program = program;
    state.level = level;
    state.format = format;
    pthread_mutex_unlock(&state.lock);
}

/* For what the thread that writes looks at. */
static void lock_idle(void)
{
    pthread_mutex_lock(&state.lock);
    while (state.is_writing)
        pthread_cond_wait(&state.wrote, &state.lock);
}

static void copy(char *to, size_t size, const char *from)
{
    size_t len = strnlen(from, size - 1);

    memcpy(to, from, len);
    to[len] = '\0';
}

void log_field(const char *key, const char *value)
{
    size_t i = 0;

    while (i < LOG_FIELDS_MAX && fields.items[i].key && strcmp(fields.items[i].key, key) != 0)
        i++;
    if (i == LOG_FIELDS_MAX)
        return;
    fields.items[i].key = key;
    copy(fields.items[i].value, sizeof(fields.items[i].value), value ? value : "");
}

void log_fields_get(struct log_fields *out)
{
    *out = fields;
}

void log_fields_set(const struct log_fields *from)
{
    fields = *from;
}

int log_open_file(const char *path, struct err *e)
{
    /* A FIFO that nobody reads is an error and no wait for ever. */
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);

    if (fd < 0 && errno == ENXIO)
        return err_set(e, ERR_CONFIG, "the log file %s is a pipe that nobody reads", path);
    if (fd < 0)
        return err_sys(e, "opening the log file %s", path);
    lock_idle();
    if (state.file)
        close(state.file);
    state.file = fd;
    state.in_file = (struct sink){0};
    pthread_mutex_unlock(&state.lock);
    return 0;
}

bool log_is_json(void)
{
    pthread_mutex_lock(&state.lock);
    bool json = state.format == LOG_FORMAT_JSON;
    pthread_mutex_unlock(&state.lock);
    return json;
}

void log_set_hook(void (*before_line)(void *arg), void (*after_line)(void *arg), void *arg)
{
    lock_idle();
    state.before = before_line;
    state.after = after_line;
    state.hook_arg = arg;
    pthread_mutex_unlock(&state.lock);
}

bool log_enabled(enum log_level level)
{
    pthread_mutex_lock(&state.lock);
    bool on = level <= state.level;
    pthread_mutex_unlock(&state.lock);
    return on;
}

void log_redact(const char *secret)
{
    if (!secret || strlen(secret) < SECRET_MIN)
        return;
    pthread_mutex_lock(&state.lock);
    if (!strv_has(&state.secrets, secret)) {
        strv_add(&state.secrets, secret);
        char **items = state.secrets.items;
        size_t at = state.secrets.count - 1;
        char *last = items[at];

        for (; at > 0 && strlen(items[at - 1]) < strlen(last); at--)
            items[at] = items[at - 1];
        items[at] = last;
    }
    pthread_mutex_unlock(&state.lock);
}

/* In place; `mask` is put where it fits, eight stars otherwise. The lock is held. */
static void redact(char *text)
{
    static const char mask[] = "[redacted]", small[] = "********";

    for (size_t i = 0; i < state.secrets.count; i++) {
        const char *secret = state.secrets.items[i];
        size_t len = strlen(secret);
        const char *put = len >= sizeof(mask) - 1 ? mask : small;

        for (char *at = text; (at = strstr(at, secret));) {
            char *rest = at + len;

            at = mempcpy(at, put, strlen(put));
            memmove(at, rest, strlen(rest) + 1);
        }
    }
}

void log_redact_text(char *text)
{
    pthread_mutex_lock(&state.lock);
    redact(text);
    pthread_mutex_unlock(&state.lock);
}

void log_context(const char *key, const char *value)
{
    size_t i = 0, spare = CONTEXT_MAX;

    for (; i < CONTEXT_MAX; i++) {
        if (strcmp(context[i].key, key) == 0)
            break;
        if (!context[i].key[0] && spare == CONTEXT_MAX)
            spare = i;
    }
    if (i == CONTEXT_MAX)
        i = spare;
    if (i == CONTEXT_MAX)
        return;
    if (!value) {
        context[i].key[0] = '\0';
        return;
    }
    copy(context[i].key, sizeof(context[i].key), key);
    copy(context[i].value, sizeof(context[i].value), value);
}

static void add_context(struct buf *b, bool json)
{
    for (size_t i = 0; i < CONTEXT_MAX; i++) {
        if (!context[i].key[0])
            continue;
        if (json)
            log_text_json(b, context[i].key, context[i].value);
        else
            buf_printf(b, "%s=%s: ", context[i].key, context[i].value);
    }
}

static bool is_in_context(const char *key)
{
    for (size_t i = 0; i < CONTEXT_MAX; i++)
        if (strcmp(context[i].key, key) == 0)
            return true;
    return false;
}

static void add_json_line(struct buf *b, enum log_level level, const char *message)
{
    char when[32];

    if (!state.host[0] && gethostname(state.host, sizeof(state.host) - 1) < 0)
        copy(state.host, sizeof(state.host), "?");
    clock_format(when, clock_wall_ms());
    buf_putc(b, '{');
    log_text_json(b, "time", when);
    buf_printf(b, ",\"seq\":%llu", (unsigned long long)state.seq);
    log_text_json(b, "level", level_names[level]);
    if (!is_in_context("host"))
        log_text_json(b, "host", state.host);
    buf_printf(b, ",\"pid\":%d", (int)getpid());
    if (state.program)
        log_text_json(b, "program", state.program);
    for (size_t i = 0; i < LOG_FIELDS_MAX && fields.items[i].key; i++)
        if (fields.items[i].value[0] && !is_in_context(fields.items[i].key))
            log_text_json(b, fields.items[i].key, fields.items[i].value);
    add_context(b, true);
    log_text_json(b, "message", message);
    buf_puts(b, "}\n");
}

static void add_text_line(struct buf *b, enum log_level level, const char *message)
{
    if (state.program)
        buf_printf(b, "%s: ", state.program);
    if (level != LOG_LEVEL_INFO)
        buf_printf(b, "%s: ", level_names[level]);
    add_context(b, false);
    log_text_plain(b, message);
    buf_putc(b, '\n');
}

static void add_line(struct buf *b, enum log_format format, enum log_level level,
                     const char *message)
{
    if (format == LOG_FORMAT_JSON) {
        state.seq++;
        add_json_line(b, level, message);
    } else {
        add_text_line(b, level, message);
    }
}

/* Before the first line that goes through again. */
static void add_dropped(struct buf *b, const struct sink *s, enum log_format format)
{
    auto_buf struct buf said = {.max = 128};

    if (s->is_cut)
        buf_putc(b, '\n');
    if (s->dropped == 0)
        return;
    buf_printf(&said, "%zu line%s of the log %s dropped here, because nobody read %s", s->dropped,
               s->dropped == 1 ? "" : "s", s->dropped == 1 ? "was" : "were",
               s->dropped == 1 ? "it" : "them");
    add_line(b, format, LOG_LEVEL_WARN, buf_str(&said));
}

/*
 * A reader that stalls must not stop the program. The first line that finds no room waits a moment,
 * the ones behind it do not, until there is room again. -1: errno.
 */
static int put_line(struct sink *s, int fd, enum log_format format, const struct buf *line)
{
    auto_buf struct buf all = {.max = 9 * LINE_MAX};
    int64_t wait_ms = s->dropped ? 0 : STALL_MS;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    size_t written;

    if (s->dropped && poll(&p, 1, 0) == 0) {
        s->dropped++;
        return 0;
    }
    pthread_mutex_lock(&state.lock);
    add_dropped(&all, s, format);
    pthread_mutex_unlock(&state.lock);
    buf_add(&all, line->data, line->len);
    if (fs_write_in_time(&written, fd, all.data, all.len, wait_ms) == 0) {
        *s = (struct sink){0};
        return 0;
    }
    if (errno != ETIMEDOUT)
        return -1;
    s->dropped++;
    s->is_cut = s->is_cut ? written != 1 : written > 0;
    return 0;
}

static void to_stderr(enum log_format format, const struct buf *line)
{
    if (state.before)
        state.before(state.hook_arg);
    /* To stderr that cannot be written nobody can be told so. */
    (void)put_line(&state.on_stderr, STDERR_FILENO, format, line);
    if (state.after)
        state.after(state.hook_arg);
}

static void to_file(const struct buf *line)
{
    auto_buf struct buf said = {.max = LINE_MAX};
    auto_buf struct buf text = {.max = LINE_MAX};

    if (put_line(&state.in_file, state.file, LOG_FORMAT_JSON, line) == 0)
        return;
    buf_printf(&said, "the log file cannot be written, nothing more goes there: %s",
               strerror(errno));
    pthread_mutex_lock(&state.lock);
    close(state.file);
    state.file = 0;
    add_text_line(&text, LOG_LEVEL_WARN, buf_str(&said));
    pthread_mutex_unlock(&state.lock);
    to_stderr(LOG_FORMAT_TEXT, &text);
}

/* The lock is held, but not while a line is written. */
static void write_queued(void)
{
    if (state.is_writing)
        return;
    state.is_writing = true;
    while (state.first) {
        struct line *l = state.first;

        state.first = l->next;
        pthread_mutex_unlock(&state.lock);
        if (l->filed && state.file)
            to_file(&l->json);
        if (l->shown)
            to_stderr(l->as_json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
                      l->as_json ? &l->json : &l->text);
        pthread_mutex_lock(&state.lock);
        if (l->written)
            *l->written = true;
        pthread_cond_broadcast(&state.wrote);
        buf_clear(&l->json);
        buf_clear(&l->text);
        free(l);
    }
    state.last = NULL;
    state.is_writing = false;
    pthread_cond_broadcast(&state.wrote);
}

/* The lock is held. */
static void queue(struct line *l)
{
    if (state.first)
        state.last->next = l;
    else
        state.first = l;
    state.last = l;
}

enum shape {
    SHAPE_LINE,
    SHAPE_EVENT, /* not for a text on stderr, which tells it in another way */
};

static void emit(enum log_level level, enum shape shape, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void emit(enum log_level level, enum shape shape, const char *fmt, va_list ap)
{
    auto_buf struct buf message = {.max = LINE_MAX};
    bool written = false;
    struct line *l;

    pthread_mutex_lock(&state.lock);
    bool as_json = state.format == LOG_FORMAT_JSON;
    bool shown = level <= state.level && (as_json || shape == SHAPE_LINE);
    bool filed = state.file && (level <= state.level || level <= LOG_LEVEL_INFO);
    pthread_mutex_unlock(&state.lock);
    if (!shown && !filed)
        return;
    buf_vprintf(&message, fmt, ap);
    l = mem_alloc(sizeof(*l));
    *l = (struct line){.filed = filed, .shown = shown, .as_json = as_json};
    buf_init(&l->json, 8 * LINE_MAX); /* a byte takes six in JSON */
    buf_init(&l->text, 8 * LINE_MAX);
    pthread_mutex_lock(&state.lock);
    if (message.data)
        redact(message.data);
    if (filed || as_json) {
        state.seq++;
        add_json_line(&l->json, level, buf_str(&message));
    }
    if (shown && !as_json)
        add_text_line(&l->text, level, buf_str(&message));
    /* What may be the last words of the process is out when this returns. */
    if (level == LOG_LEVEL_ERROR)
        l->written = &written;
    queue(l);
    write_queued();
    while (level == LOG_LEVEL_ERROR && !written)
        pthread_cond_wait(&state.wrote, &state.lock);
    pthread_mutex_unlock(&state.lock);
}

#define EMIT(level)                                                                                \
    va_list ap;                                                                                    \
    va_start(ap, fmt);                                                                             \
    emit((level), SHAPE_LINE, fmt, ap);                                                            \
    va_end(ap)

void log_error(const char *fmt, ...)
{
    EMIT(LOG_LEVEL_ERROR);
}

void log_warn(const char *fmt, ...)
{
    EMIT(LOG_LEVEL_WARN);
}

void log_info(const char *fmt, ...)
{
    EMIT(LOG_LEVEL_INFO);
}

void log_debug(const char *fmt, ...)
{
    EMIT(LOG_LEVEL_DEBUG);
}

void log_event(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    emit(level, SHAPE_EVENT, fmt, ap);
    va_end(ap);
}
