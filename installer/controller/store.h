/* SPDX-License-Identifier: MIT */
/* One connection to the environment's etcd that stays open, for what is asked often and is small:
 * users, tokens, the audit. Others wait for it. */
#ifndef CONTROLLER_STORE_H
#define CONTROLLER_STORE_H

#include <pthread.h>

#include "env/env.h"

struct store {
    struct env_opts o;
    pthread_mutex_t mutex;
    struct env *env; /* NULL: it has to be opened */
    int64_t again;   /* clock.h: not before, after it could not be opened for `why`; 0: at once */
    struct err why;
};

/* Opens nothing yet. `o` is copied, its texts are borrowed. */
void store_init(struct store *s, const struct env_opts *o);
void store_clear(struct store *s);
/* The environment, held until store_end; NULL with *e, for a moment after a failure at once, so
 * that those who wait do not each try in turn. */
struct env *store_begin(struct store *s, struct err *e);
/* `failed`: what came of the call; after one that did not arrive it is opened again. */
void store_end(struct store *s, const struct err *failed);

#endif
