/* SPDX-License-Identifier: MIT */
/* What YAML and JSON text have in common: it is UTF-8 without NUL, and a place in it has a line and
 * a column. */
#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct text_place {
    int line, column; /* from 1; columns count code points */
};

/* Place of the byte at `offset`. */
struct text_place text_place_at(const char *text, size_t offset);
/* Length of the longest beginning of at most max bytes that does not end inside a character. */
size_t text_cut(const char *text, size_t max);
/* Private keys in PEM (RFC 7468), wherever they come from: of what stands between the words that
 * frame them nothing is left, be it on one line or many. The text only gets shorter. */
void text_strip_private_keys(char *text);
/* ERR_CONFIG "NAME:LINE:COLUMN: ..." for a NUL byte or bytes that are not UTF-8. */
int text_check(const char *name, const char *text, size_t len, struct err *e);
/* Appends the text as a JSON string, which is a YAML double-quoted scalar as well: everything that
 * YAML does not call printable, or folds as a line break, is escaped. */
void text_quote(struct buf *b, const char *text);

#endif
