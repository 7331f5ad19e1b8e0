/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <pthread.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/strv.h"

enum { LINE_MAX = 64 * 1024, CONTEXT_MAX = 4, SECRET_MIN = 8 };

static struct {
    pthread_mutex_t lock;
    const char *program;
    enum log_level level;
    enum log_format format;
    bool timestamps;
    void (*before)(void *arg);
    void (*after)(void *arg);
    void *hook_arg;
    struct strv secrets; /* longest first, so that none leaves the tail of another */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_LEVEL_WARN};

static _Thread_local struct {
    char key[24], value[104];
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

void log_set_timestamps(bool on)
{
    pthread_mutex_lock(&state.lock);
    state.timestamps = on;
    pthread_mutex_unlock(&state.lock);
}

void log_set_hook(void (*before_line)(void *arg), void (*after_line)(void *arg), void *arg)
{
    pthread_mutex_lock(&state.lock);
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
        const char *put = len >= sizeof mask - 1 ? mask : small;

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

static void copy(char *to, size_t size, const char *from)
{
    size_t len = strnlen(from, size - 1);

    memcpy(to, from, len);
    to[len] = '\0';
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
    copy(context[i].key, sizeof context[i].key, key);
    copy(context[i].value, sizeof context[i].value, value);
}

/* Length of the well-formed UTF-8 sequence at s, 0 when there is none. */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : 4;

    if (n == 4 && (s[0] < 0xf0 || s[0] > 0xf4))
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

static void add_json(struct buf *b, const char *key, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    buf_printf(b, "%s\"%s\":\"", b->len > 1 ? "," : "", key);
    while (*s) {
        size_t n = utf8_length(s);

        if (n == 0)
            buf_puts(b, "\\ufffd");
        else if (*s == '"' || *s == '\\')
            buf_printf(b, "\\%c", *s);
        else if (*s == '\n')
            buf_puts(b, "\\n");
        else if (*s < 0x20 || *s == 0x7f)
            buf_printf(b, "\\u%04x", *s);
        else
            buf_add(b, s, n);
        s += n ? n : 1;
    }
    buf_putc(b, '"');
}

/* Texts come from other machines too: nothing in them may move a terminal's cursor. */
static void add_text(struct buf *b, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '\n')
            buf_puts(b, "\n    ");
        else if ((c < 0x20 && c != '\t') || c == 0x7f)
            buf_putc(b, '?');
        else
            buf_putc(b, *text);
    }
}

static void add_line(struct buf *b, enum log_level level, const char *message)
{
    bool json = state.format == LOG_FORMAT_JSON;
    char when[32];

    clock_format(when, clock_wall_ms());
    if (json) {
        buf_putc(b, '{');
        add_json(b, "time", when);
        add_json(b, "level", level_names[level]);
        if (state.program)
            add_json(b, "program", state.program);
    } else {
        if (state.timestamps)
            buf_printf(b, "%s ", when);
        if (state.program)
            buf_printf(b, "%s: ", state.program);
        if (level != LOG_LEVEL_INFO)
            buf_printf(b, "%s: ", level_names[level]);
    }
    for (size_t i = 0; i < CONTEXT_MAX; i++) {
        if (!context[i].key[0])
            continue;
        if (json)
            add_json(b, context[i].key, context[i].value);
        else
            buf_printf(b, "%s=%s: ", context[i].key, context[i].value);
    }
    if (json) {
        add_json(b, "message", message);
        buf_putc(b, '}');
    } else {
        add_text(b, message);
    }
    buf_putc(b, '\n');
}

static void emit(enum log_level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void emit(enum log_level level, const char *fmt, va_list ap)
{
    auto_buf struct buf message = {.max = LINE_MAX};
    auto_buf struct buf line = {.max = 8 * LINE_MAX}; /* a byte takes six in JSON */

    if (!log_enabled(level))
        return;
    buf_vprintf(&message, fmt, ap);
    pthread_mutex_lock(&state.lock);
    if (message.data)
        redact(message.data);
    add_line(&line, level, buf_str(&message));
    if (state.before)
        state.before(state.hook_arg);
    fwrite(line.data, 1, line.len, stderr);
    fflush(stderr);
    if (state.after)
        state.after(state.hook_arg);
    pthread_mutex_unlock(&state.lock);
}

#define EMIT(level)                                                                                \
    va_list ap;                                                                                    \
    va_start(ap, fmt);                                                                             \
    emit((level), fmt, ap);                                                                        \
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
