/* SPDX-License-Identifier: MIT */
/* A NULL-terminated list of owned strings: argv, environment, names. {0} is a valid empty list. */
#ifndef BASE_STRV_H
#define BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct strv {
    char **items; /* NULL-terminated when not NULL */
    size_t count;
};

void strv_clear(struct strv *v);
void strv_add(struct strv *v, const char *s); /* copies */
void strv_take(struct strv *v, char *s);      /* taken */
void strv_addf(struct strv *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strv_add_all(struct strv *v, const struct strv *from);
bool strv_has(const struct strv *v, const char *s);
void strv_sort(struct strv *v);
/* Splits at each byte of `seps`, leaving out empty parts. */
void strv_split(struct strv *v, const char *text, const char *seps);
/* "a, b, c", owned by the caller; "" when empty. */
char *strv_join(const struct strv *v, const char *sep);
/* The item nearest to `word` by edit distance (at most a third of its length off), or NULL.
 * Borrowed. */
const char *strv_nearest(const struct strv *v, const char *word);

#define auto_strv __attribute__((cleanup(strv_clear)))

#endif
