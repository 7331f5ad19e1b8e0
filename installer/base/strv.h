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

/* Frees all; usable again. */
void strv_clear(struct strv *v);
/* The texts up to NULL, copied. */
struct strv strv_copy(const char *const *texts);
#define strv_of(...) strv_copy((const char *const[]){__VA_ARGS__, NULL})
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
/*
 * What to put behind a word that is not among the known ones: " (did you mean stop?)", or "" when
 * none is near. Near is at most a third of the word's letters off (insert, delete, replace, swap of
 * neighbours; one edit is always allowed), and a word of less than five letters begins with the
 * same one. The dashes of an option do not count. Owned.
 */
char *strv_hint(const struct strv *known, const char *word);

#define auto_strv __attribute__((cleanup(strv_clear)))

#endif
