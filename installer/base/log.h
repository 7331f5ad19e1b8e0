/* SPDX-License-Identifier: MIT */
/*
 * Levels, one line per event on stderr, as text or JSON lines, and as JSON lines to a file besides.
 * The one allowed global of the program is the logger's state. Safe to call from several threads;
 * no lock is held while a line is written. Registered secrets never leave it. A pipe or terminal
 * whose reader stalls is waited for once, for 3 s; then lines are dropped until there is room
 * again, and one line says how many.
 *
 * A JSON line: time, seq (from 1 in each process), level, host, pid, program, what log_field and
 * log_context said (environment, component, instance, ...), message.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* `program` is static or lives as long as the process. Default: WARN, text,
 * stderr. */
void log_setup(const char *program, enum log_level level, enum log_format format);
/* What every JSON line of this thread, and of those that it starts (thread.h), says from now on, up
 * to LOG_FIELDS_MAX of them; `key` is static, `value` copied, NULL removes. Text lines do not have
 * it: who reads them knows what was called. */
enum { LOG_FIELDS_MAX = 4, LOG_VALUE_MAX = 104 };
void log_field(const char *key, const char *value);
/* All of them, to be handed to a thread. */
struct log_fields {
    struct {
        const char *key;
        char value[LOG_VALUE_MAX];
    } items[LOG_FIELDS_MAX];
};
void log_fields_get(struct log_fields *out);
void log_fields_set(const struct log_fields *fields);
/* Every line goes to this file too, as JSON, from INFO on (from DEBUG when that is the level).
 * Appended, one write a line, 0600; a FIFO may be one. A file that cannot be written any more is
 * told once and given up. */
int log_open_file(const char *path, struct err *e);
bool log_is_json(void);
/* Called before a line goes to a terminal, so that a progress display can
 * clear itself; NULL: none. */
void log_set_hook(void (*before_line)(void *arg), void (*after_line)(void *arg), void *arg);
bool log_enabled(enum log_level level);

/* One line each, with the fields of this thread; secrets that were registered are made unreadable.
 * No newline at the end. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For what a terminal shows in a form of its own: goes to the file, and to stderr when that is
 * JSON. */
void log_event(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* From now on every occurrence of `secret` (8 bytes or more) in a line is printed as [redacted]. */
void log_redact(const char *secret);
/* Replaces registered secrets in place in a text of the caller's (same or shorter length). */
void log_redact_text(char *text);

/* Thread-local context printed in front of lines: "host=a instance=b".
 * Copied; NULL value removes. */
void log_context(const char *key, const char *value);

#endif
