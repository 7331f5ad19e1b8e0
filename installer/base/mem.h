/* SPDX-License-Identifier: MIT */
/*
 * Allocation that cannot fail (the process ends when memory is out), and the cleanup attributes
 * that say at its birth that a local owns what it points to.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* Ends the process with a line on stderr: there was no memory for `what` (NULL: for whatever). For
 * libraries that can tell us nothing else. */
_Noreturn void mem_die(const char *what);

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));               /* zeroed */
void *mem_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
/* Grows an array of `count` elements; the new part is not zeroed. */
void *mem_grow(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc)); /* NULL gives NULL */
char *mem_strndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
void *mem_dup(const void *p, size_t len) __attribute__((malloc, returns_nonnull));
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2), malloc));
char *mem_vprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0), malloc));

/* Wipes len bytes (explicit_bzero) and frees; for secrets. */
void mem_wipe_free(void *p, size_t len);
/* The same for a text; NULL is fine. */
void mem_wipe_str(char *s);

/* For the attributes below. */
void mem_cleanup_free(void *pp);
void mem_cleanup_wipe(char **pp);
void mem_cleanup_close(int *fd);

#define auto_free __attribute__((cleanup(mem_cleanup_free)))
#define auto_wipe __attribute__((cleanup(mem_cleanup_wipe))) /* char * secret text */
#define auto_close __attribute__((cleanup(mem_cleanup_close)))

/* Hands the value on and leaves NULL behind, so that a cleanup does nothing. */
#define steal(p)                                                                                   \
    __extension__({                                                                                \
        __typeof__(p) stolen_ = (p);                                                               \
        (p) = NULL;                                                                                \
        stolen_;                                                                                   \
    })

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
