/* SPDX-License-Identifier: MIT */
#include "controller/store.h"

#include "base/clock.h"

/* For what is done between begin and end. */
enum { CALLS_MS = 10000, AGAIN_MS = 2000 };

void store_init(struct store *s, const struct env_opts *o)
{
    *s = (struct store){.o = *o};
    s->o.timeout_ms = CALLS_MS; /* of opening it: others wait for the mutex meanwhile */
    pthread_mutex_init(&s->mutex, NULL);
}

void store_clear(struct store *s)
{
    env_close(s->env);
    pthread_mutex_destroy(&s->mutex);
}

struct env *store_begin(struct store *s, struct err *e)
{
    pthread_mutex_lock(&s->mutex);
    if (s->env) {
        etcd_set_deadline(s->env->etcd, clock_deadline(CALLS_MS));
        return s->env;
    }
    if (s->again && !clock_passed(s->again)) {
        *e = s->why;
        pthread_mutex_unlock(&s->mutex);
        return NULL;
    }
    s->again = 0;
    if (env_open(&s->env, &s->o, ENV_NEEDS_NAME | ENV_NEEDS_ETCD, e) == 0)
        return s->env;
    env_close(s->env);
    s->env = NULL;
    s->again = clock_deadline(AGAIN_MS);
    s->why = *e;
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

void store_end(struct store *s, const struct err *failed)
{
    if (failed && (failed->code == ERR_NET || failed->code == ERR_TIMEOUT ||
                   failed->code == ERR_AUTH || failed->code == ERR_REMOTE)) {
        env_close(s->env);
        s->env = NULL;
    }
    pthread_mutex_unlock(&s->mutex);
}
