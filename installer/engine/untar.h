/* SPDX-License-Identifier: MIT */
/*
 * The reading half of tar, for what a container sends: everything in it may be a lie. Files and
 * folders are made below one folder, with the first part of every name taken away (the name of what
 * was asked for); links, devices and whatever else there is are left out and counted. No name leads
 * out of the folder, nothing that is there is followed or replaced.
 */
#ifndef ENGINE_UNTAR_H
#define ENGINE_UNTAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct untar;

/* `folder` is a descriptor of an empty folder, borrowed until untar_free. What was asked for is
 * `name` in it. */
struct untar *untar_new(int folder, const char *name);
void untar_free(struct untar *u);
/* The next bytes, any number of them. ERR_REMOTE: that is not a tar, or one with names that lead
 * elsewhere; ERR_SYS. */
int untar_feed(struct untar *u, const char *p, size_t len, struct err *e);
/* All was fed: whether it was whole. */
int untar_end(struct untar *u, struct err *e);
uint64_t untar_bytes(const struct untar *u); /* of files */

#endif
