/* SPDX-License-Identifier: MIT */
/* Words to one line of a POSIX shell, for where a shell stands between us and the program. */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

#include "base/buf.h"
#include "base/strv.h"

/* Appends the word so that a shell takes it as exactly these bytes. */
void quote_add(struct buf *b, const char *word);
/* The line that runs these words, owned. */
char *quote_words(const char *const *words);

#endif
