/* SPDX-License-Identifier: MIT */
/*
 * How often somebody may be wrong: a few tries at once, then one now and then, counted for each
 * key ("address" or "user"), so that one who guesses keeps nobody else out. A fixed number of keys
 * is remembered; the one that was quiet longest makes room. One thread at a time.
 */
#ifndef CONTROLLER_LIMITER_H
#define CONTROLLER_LIMITER_H

#include <stdint.h>

enum { LIMITER_KEYS = 512, LIMITER_KEY_MAX = 64 };

struct limiter {
    int64_t every_ms; /* one more try after this time */
    int burst;        /* tries at once */
    struct limiter_key {
        char key[LIMITER_KEY_MAX];
        int64_t next; /* clock.h: when all of them would be back, 0: unused */
    } keys[LIMITER_KEYS];
};

/* `burst` tries at once, and one more after each `every_ms`. */
void limiter_init(struct limiter *l, int burst, int64_t every_ms);
/* How long the key has to wait before it may try, in ms; 0: it may. */
int64_t limiter_wait(const struct limiter *l, const char *key);
/* It was wrong once more. */
void limiter_count(struct limiter *l, const char *key);
/* It was right. */
void limiter_forget(struct limiter *l, const char *key);

#endif
