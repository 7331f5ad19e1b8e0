/* SPDX-License-Identifier: MIT */
/*
 * What a volume, a snapshot and a pool may be called and how large a volume may be: one table for
 * the commands, for libslipway-volume (which is why it needs nothing but libc) and, printed by
 * `slipway-agent volume-rules`, for the components' own programs.
 */
#ifndef BASE_VOLUME_RULES_H
#define BASE_VOLUME_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum { VOLUME_NAME_LENGTH_MAX = 64 /* as many as Docker gives a volume without a name */ };
/* The rules as the sentences end that refuse a name or a size. */
#define VOLUME_NAME_RULE                                                                           \
    "a name is 1 to 64 letters, digits, _ . -, and begins with a letter or digit"
#define VOLUME_SIZE_RULE "1MiB to 64TiB are allowed"
#define VOLUME_SIZE_STEP_RULE "whole MiB are allowed"

#define VOLUME_POOL "volumes"      /* where volumes go when nothing is said */
#define VOLUME_TEMPLATE "template" /* the snapshot that a template is copied from */

struct volume_rules {
    const char *name_first, *name_further; /* the characters that it begins with; that follow */
    int name_length_max;                   /* bytes */
    int64_t size_min, size_max, size_step; /* bytes */
    const char *create_options[5];         /* of `slipway volume create` and of Docker's volumes */
};
extern const struct volume_rules volume_rules;

bool volume_name_is_allowed(const char *name); /* false for NULL */
bool volume_size_is_in_range(int64_t bytes);   /* VOLUME_SIZE_RULE */
bool volume_size_is_whole(int64_t bytes);      /* VOLUME_SIZE_STEP_RULE */

#endif
