/* SPDX-License-Identifier: MIT */
/* Inside of the log: how a text from anywhere stands in a line. Pure. */
#ifndef BASE_LOG_TEXT_H
#define BASE_LOG_TEXT_H

#include "base/buf.h"

/* "key":"text" of a JSON object, with a comma unless it comes first. What is not UTF-8 becomes
 * U+FFFD. */
void log_text_json(struct buf *b, const char *key, const char *text);
/* Texts come from other machines too: nothing in them may move a terminal's cursor. */
void log_text_plain(struct buf *b, const char *text);

#endif
