/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Exit statuses: 0 done, 1 failed before any change, 2 the plan has changes (set by `plan` itself),
 * 3 partly done, 4 lock held, 5 unhealthy, 6 invalid input, 7 authentication, 8 deadline, 130. */
static const struct {
    const char *name;
    int status;
} codes[] = {
    [ERR_NONE] = {"none", 0},
    [ERR_USAGE] = {"usage", 6},
    [ERR_CONFIG] = {"config", 6},
    [ERR_NOTFOUND] = {"notfound", 1},
    [ERR_CONFLICT] = {"conflict", 1},
    [ERR_AUTH] = {"auth", 7},
    [ERR_NET] = {"net", 1},
    [ERR_TIMEOUT] = {"timeout", 8},
    [ERR_REMOTE] = {"remote", 1},
    [ERR_SYS] = {"sys", 1},
    [ERR_LOCKED] = {"locked", 4},
    [ERR_PARTIAL] = {"partial", 3},
    [ERR_UNHEALTHY] = {"unhealthy", 5},
    [ERR_INTERRUPTED] = {"interrupted", 130},
};

/* Appends `len` bytes at *used; a message that does not fit ends in "...". */
static void append(char *msg, size_t *used, const char *text, size_t len)
{
    size_t room = ERR_MSG_MAX - 1 - *used;
    bool cut = len > room;

    if (cut)
        len = room;
    memcpy(msg + *used, text, len);
    *used += len;
    msg[*used] = '\0';
    if (cut)
        memcpy(msg + ERR_MSG_MAX - 4, "...", 4);
}

static void format(struct err *e, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void format(struct err *e, const char *fmt, va_list ap)
{
    int n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);

    if (n < 0)
        e->msg[0] = '\0';
    else if ((size_t)n >= sizeof(e->msg))
        memcpy(e->msg + ERR_MSG_MAX - 4, "...", 4);
}

int err_set_at(struct err *e, enum err_code code, const char *where, const char *fmt, ...)
{
    struct err made = {.code = code, .where = where};
    va_list ap;

    /* Into a copy: the arguments may point into the old message. */
    va_start(ap, fmt);
    format(&made, fmt, ap);
    va_end(ap);
    *e = made;
    return -1;
}

int err_sys_at(struct err *e, const char *where, const char *fmt, ...)
{
    int saved = errno;
    struct err made = {.code = ERR_SYS, .sys = saved, .where = where};
    char text[128];
    const char *reason = strerror_r(saved, text, sizeof(text));
    va_list ap;

    va_start(ap, fmt);
    format(&made, fmt, ap);
    va_end(ap);
    size_t used = strlen(made.msg);
    append(made.msg, &used, ": ", 2);
    append(made.msg, &used, reason, strlen(reason));
    *e = made;
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    struct err made = *e;
    va_list ap;

    va_start(ap, fmt);
    format(&made, fmt, ap);
    va_end(ap);
    size_t used = strlen(made.msg);
    append(made.msg, &used, ": ", 2);
    append(made.msg, &used, e->msg, strlen(e->msg));
    *e = made;
    return -1;
}

int err_partial(struct err *e, bool some)
{
    if (some && e->code != ERR_INTERRUPTED && e->code != ERR_LOCKED)
        e->code = ERR_PARTIAL;
    return -1;
}

bool err_retryable(const struct err *e)
{
    return e->code == ERR_NET || e->code == ERR_TIMEOUT;
}

int err_exit_status(enum err_code code)
{
    return (size_t)code < ARRAY_LEN(codes) ? codes[code].status : 1;
}

const char *err_code_name(enum err_code code)
{
    return (size_t)code < ARRAY_LEN(codes) ? codes[code].name : "unknown";
}

enum err_code err_code_find(const char *name, enum err_code otherwise)
{
    for (size_t i = 1; i < ARRAY_LEN(codes); i++)
        if (strcmp(codes[i].name, name) == 0)
            return (enum err_code)i;
    return otherwise;
}
