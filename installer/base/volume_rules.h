/* SPDX-License-Identifier: MIT */
/*
 * What a volume, a snapshot and a pool may be called and how large a volume may be: one rule for
 * the commands and for libslipway-volume, which is why it needs nothing but libc.
 */
#ifndef BASE_VOLUME_RULES_H
#define BASE_VOLUME_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum { VOLUME_NAME_LENGTH_MAX = 63 };
/* The rules as the sentences end that refuse a name or a size. */
#define VOLUME_NAME_RULE                                                                           \
    "a name is 1 to 63 letters, digits, _ . -, and begins with a letter or digit"
#define VOLUME_SIZE_RULE "1MiB to 64TiB are allowed"
#define VOLUME_SIZE_STEP_RULE "whole MiB are allowed"

bool volume_name_is_allowed(const char *name); /* false for NULL */
bool volume_size_is_in_range(int64_t bytes);   /* VOLUME_SIZE_RULE */
bool volume_size_is_whole(int64_t bytes);      /* VOLUME_SIZE_STEP_RULE */

#endif
