/* SPDX-License-Identifier: MIT */
/*
 * Which process it is that left a record, for one that comes later, perhaps from another machine
 * or another container, and asks whether it is still there. A number alone does not say: it is
 * used again, and every pid namespace counts for itself. So the record says boot, namespaces and
 * start as well, and whatever differs or cannot be read means that nobody knows.
 */
#ifndef BASE_PROCID_H
#define BASE_PROCID_H

#include <stdint.h>

struct procid {
    int64_t pid;
    uint64_t start;      /* in ticks since the boot, field 22 of /proc/PID/stat */
    char boot[64];       /* /proc/sys/kernel/random/boot_id */
    char namespaces[96]; /* "pid:[4026531836] time:[4026531834]"; "": cannot be told */
};

enum procid_fate {
    PROCID_UNKNOWN, /* of another machine, boot or namespace, or it cannot be told: leave it be */
    PROCID_ALIVE,
    PROCID_ENDING, /* killed by SIGKILL or on its way out, and gone in a moment */
    PROCID_GONE,
};

/* This process. */
void procid_self(struct procid *out);
enum procid_fate procid_look(const struct procid *p);
/* What of a /proc/PID/stat is of use here. */
struct procid_stat {
    char state;
    unsigned flags;
    int64_t threads;
    uint64_t start;
};
/* 0, or -1 when the text is not one. */
int procid_parse_stat(struct procid_stat *out, const char *text);

#endif
