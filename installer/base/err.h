/* SPDX-License-Identifier: MIT */
/*
 * Why a call failed, as a value: a code that says what the caller can do, errno, and one sentence
 * in the operator's words. It lives on the caller's stack, so no failure path allocates or frees.
 *
 * Convention: `struct err *e` is the last argument and never NULL; a function returns 0, or -1 with
 * *e filled. Success leaves *e untouched. An error is wrapped on the way up, never replaced, and is
 * printed once, in main.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
    ERR_USAGE,       /* wrong words on the command line */
    ERR_CONFIG,      /* a document is invalid; the operator mends it */
    ERR_NOTFOUND,    /* the named thing does not exist */
    ERR_CONFLICT,    /* something else is there, or changed meanwhile, or a lock is held */
    ERR_AUTH,        /* refused: password, permission, pin, host key */
    ERR_NET,         /* could not be reached; may be retried */
    ERR_TIMEOUT,     /* the deadline passed; may be retried */
    ERR_REMOTE,      /* the other side answered with a failure */
    ERR_SYS,         /* the operating system refused; see sys */
    ERR_LOCKED,      /* another run holds the environment's lock */
    ERR_PARTIAL,     /* some of the work is done; the journal says which */
    ERR_UNHEALTHY,   /* it runs, and is not well */
    ERR_INTERRUPTED, /* stopped by the user, safely */
};

enum { ERR_MSG_MAX = 2000 };

struct err {
    enum err_code code;
    int sys;           /* errno, or 0 */
    const char *where; /* static: function that set it */
    char msg[ERR_MSG_MAX];
};

/* Fills *e and returns -1. The message names what and which, without "error:" and full stop. */
#define err_set(e, code, ...) err_set_at((e), (code), __func__, __VA_ARGS__)
int err_set_at(struct err *e, enum err_code code, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Like err_set with ERR_SYS and errno's text appended; keeps errno in e->sys. */
#define err_sys(e, ...) err_sys_at((e), __func__, __VA_ARGS__)
int err_sys_at(struct err *e, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message. Returns -1, so that it can be returned. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The one rule for work that failed half-way: when `some` of it was done, the code becomes
 * ERR_PARTIAL, which says "run it again", unless it says already what to do (interrupted, locked).
 * Returns -1.
 */
int err_partial(struct err *e, bool some);

/* True for errors that a second try may cure (net, timeout). */
bool err_retryable(const struct err *e);

/* The process exit status for the code, as README.md lists them. */
int err_exit_status(enum err_code code);

/* Static name: "config", "notfound", ... */
const char *err_code_name(enum err_code code);
/* The code of that name; `otherwise` when there is none. */
enum err_code err_code_find(const char *name, enum err_code otherwise);

/* Carries on in spite of an error: logs it at debug with `what` and clears it. */
void err_drop(struct err *e, const char *what);

#endif
