/* SPDX-License-Identifier: MIT */
/*
 * The writing half of tar: POSIX ustar headers, with a pax record where a name or a number does not
 * fit (POSIX.1-2017, pax, "ustar Interchange Format"). Own code because libarchive brings libxml2
 * and ICU into a program that must stay small.
 */
#ifndef ENGINE_TAR_H
#define ENGINE_TAR_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { TAR_BLOCK = 512, TAR_END = 2 * TAR_BLOCK };

enum tar_kind { TAR_KIND_FILE = '0', TAR_KIND_LINK = '2', TAR_KIND_FOLDER = '5' };

struct tar_entry {
    enum tar_kind kind;
    const char *name; /* relative */
    const char *link; /* target, TAR_KIND_LINK */
    unsigned mode, uid, gid;
    int64_t mtime;
    uint64_t size; /* of the data that follows, TAR_KIND_FILE */
};

/* Appends the header: 512 bytes, more with a pax record. */
void tar_header(struct buf *b, const struct tar_entry *n);
/* Zero bytes that must follow `size` bytes of data. */
size_t tar_padding(uint64_t size);
/* What tar_header appends at most for names of these lengths. */
size_t tar_header_max(const struct tar_entry *n);

#endif
