/* SPDX-License-Identifier: MIT */
/* One change of a configuration key, as people read it. */
#ifndef MODEL_CHANGE_H
#define MODEL_CHANGE_H

#include "base/buf.h"
#include "model/manifest.h"

/*
 * Appends "896MiB -> 1GiB"; of a map only the entries that differ: "+disk {...}, -old, other.size
 * 1GiB -> 2GiB". The texts are etcd's, NULL: unset. Long values are cut. `key` NULL: nobody knows
 * the key, numbers stay as they are. What is not printable is not made harmless here.
 */
void change_format(struct buf *b, const struct config_key *key, const char *old, const char *now);

#endif
