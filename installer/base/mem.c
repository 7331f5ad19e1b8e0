/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void mem_die(const char *what)
{
    /* Without the heap. Nothing can be done about a failing write here. */
    dprintf(STDERR_FILENO, "out of memory%s%s\n", what ? ": " : "", what ? what : "");
    abort();
}

static void *must(void *p)
{
    if (!p)
        mem_die(NULL);
    return p;
}

void *mem_alloc(size_t size)
{
    return must(calloc(1, size ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
    return must(calloc(count ? count : 1, size ? size : 1));
}

void *mem_grow(void *old, size_t count, size_t size)
{
    return must(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *mem_strdup(const char *s)
{
    return s ? must(strdup(s)) : NULL;
}

char *mem_strndup(const char *s, size_t len)
{
    return must(strndup(s, len));
}

void *mem_dup(const void *p, size_t len)
{
    void *copy = must(malloc(len ? len : 1));

    if (len)
        memcpy(copy, p, len);
    return copy;
}

char *mem_vprintf(const char *fmt, va_list ap)
{
    char *s = NULL;

    if (vasprintf(&s, fmt, ap) < 0)
        s = NULL;
    return must(s);
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *s = mem_vprintf(fmt, ap);
    va_end(ap);
    return s;
}

void mem_wipe_free(void *p, size_t len)
{
    if (!p)
        return;
    explicit_bzero(p, len);
    free(p);
}

void mem_wipe_str(char *s)
{
    if (s)
        mem_wipe_free(s, strlen(s));
}

void mem_cleanup_free(void *pp)
{
    void *p;

    /* memcpy: pp is the address of a pointer of any type. */
    memcpy(&p, pp, sizeof(p));
    free(p);
}

void mem_cleanup_wipe(char **pp)
{
    mem_wipe_str(*pp);
}

void mem_cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
