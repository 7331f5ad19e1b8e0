/* SPDX-License-Identifier: MIT */
/* stdout: tables whose columns fit their content, JSON, and colour only where a person looks. */
#ifndef CMD_OUT_H
#define CMD_OUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "cmd/cmd.h"
#include "conf/node.h"

enum out_color { OUT_PLAIN, OUT_GOOD, OUT_WARN, OUT_BAD, OUT_DIM, OUT_BOLD };

/* Colour on this stream: a terminal, not NO_COLOR (https://no-color.org), not --no-color, not
 * --json, not TERM=dumb. */
bool out_has_color(const struct cmd_context *x, FILE *f);
/* The escape sequence that starts (or, OUT_PLAIN, ends) a colour. Static. */
const char *out_escape(enum out_color c);
/* A fixed set of colours to tell instances apart. Static. */
const char *out_escape_of(size_t number);
/* Appends text with control characters and broken UTF-8 made harmless; tabs stay. */
void out_safe(struct buf *b, const char *text, size_t len);
/* The same of text whose lines stay lines. */
void out_safe_lines(struct buf *b, const char *text, size_t len);
/* Such text on stderr, with a newline: some of an error may be a container's own words. */
void out_problem(const char *before, const char *text);
/* One line, made harmless as a whole: the way to the terminal for all texts that are not in a table
 * (lint: dialect). A newline inside is harmless too; the one at the end is added. */
void out_line(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same at the end of a buffer, without a newline. */
void out_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A question on stderr, whose answer follows on its last line. */
void out_prompt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A value on stdout as it is, for programs; where a person looks, harmless. */
void out_value(const char *text);
/* Columns that the text takes on a terminal. */
size_t out_width(const char *text);

struct out_table;
/* `heads` ends with NULL and is borrowed. */
struct out_table *out_table_new(const char *const *heads);
/* Cells fill rows from left to right; copied and made harmless, NULL is "-". */
void out_table_add(struct out_table *t, const char *text, enum out_color c);
void out_table_addf(struct out_table *t, enum out_color c, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void out_table_format(struct buf *b, const struct out_table *t, bool color);
void out_table_free(struct out_table *t);
/* On stdout, with colour where a person looks; frees it. */
void out_table_print(struct out_table *t, const struct cmd_context *x);

/* "error" and "code" of a row of JSON; none when there is no error. */
void out_error(struct node *row, const struct err *e);

/* The tree as JSON on stdout, indented, with a newline. */
void out_json(const struct node *n);
/* The same in one line, flushed: an event. */
void out_json_line(const struct node *n);
/* A line of standard input, without its end; false at the end of the input, and when somebody
 * interrupts. */
bool out_ask(char *line, size_t size);
/* A buffer's text on stdout. */
void out_buf(const struct buf *b);

#endif
