/* SPDX-License-Identifier: MIT */
#include "controller/limiter.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void limiter_init(struct limiter *l, int burst, int64_t every_ms)
{
    *l = (struct limiter){.burst = burst, .every_ms = every_ms};
}

static struct limiter_key *find(struct limiter *l, const char *key)
{
    for (size_t i = 0; i < LIMITER_KEYS; i++)
        if (l->keys[i].next && strncmp(l->keys[i].key, key, LIMITER_KEY_MAX - 1) == 0)
            return &l->keys[i];
    return NULL;
}

int64_t limiter_wait(const struct limiter *l, const char *key)
{
    const struct limiter_key *k = NULL;
    int64_t left;

    for (size_t i = 0; i < LIMITER_KEYS && !k; i++)
        if (l->keys[i].next && strncmp(l->keys[i].key, key, LIMITER_KEY_MAX - 1) == 0)
            k = &l->keys[i];
    /* Each wrong try moves `next` by every_ms; the burst is how far it may lie in the future. */
    left = k ? k->next - clock_now_ms() - (l->burst - 1) * l->every_ms : 0;
    return left > 0 ? left : 0;
}

static struct limiter_key *quietest(struct limiter *l)
{
    struct limiter_key *k = &l->keys[0];

    for (size_t i = 1; i < LIMITER_KEYS; i++)
        if (l->keys[i].next < k->next)
            k = &l->keys[i];
    return k;
}

void limiter_count(struct limiter *l, const char *key)
{
    struct limiter_key *k = find(l, key);
    int64_t now = clock_now_ms();

    if (!k)
        k = quietest(l);
    if (strncmp(k->key, key, LIMITER_KEY_MAX - 1) != 0) {
        snprintf(k->key, sizeof(k->key), "%s", key);
        k->next = 0;
    }
    k->next = (k->next > now ? k->next : now) + l->every_ms;
}

void limiter_forget(struct limiter *l, const char *key)
{
    struct limiter_key *k = find(l, key);

    if (k)
        *k = (struct limiter_key){0};
}
