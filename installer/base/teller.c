/* SPDX-License-Identifier: MIT */
#include "base/teller.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"

struct saying {
    struct saying *next;
    void (*tell)(void *what);
    void *what;
    size_t size;
};

struct teller {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards everything below; never held during a call */
    pthread_cond_t cond;   /* anything below has changed */
    struct saying *first, **last;
    size_t waiting; /* bytes */
    uint64_t said, told;
    bool stop;
};

/* The next one that is to be told; NULL when nothing more will come. */
static struct saying *take(struct teller *t)
{
    struct saying *s;

    pthread_mutex_lock(&t->mutex);
    while (!t->first && !t->stop)
        pthread_cond_wait(&t->cond, &t->mutex);
    s = t->first;
    if (s) {
        t->first = s->next;
        if (!t->first)
            t->last = &t->first;
        t->waiting -= s->size;
        pthread_cond_broadcast(&t->cond);
    }
    pthread_mutex_unlock(&t->mutex);
    return s;
}

static void *run(void *arg)
{
    struct teller *t = arg;
    struct saying *s;

    while ((s = take(t))) {
        s->tell(s->what);
        free(s);
        pthread_mutex_lock(&t->mutex);
        t->told++;
        pthread_cond_broadcast(&t->cond);
        pthread_mutex_unlock(&t->mutex);
    }
    return NULL;
}

static void release(struct teller *t)
{
    pthread_mutex_destroy(&t->mutex);
    pthread_cond_destroy(&t->cond);
    free(t);
}

int teller_open(struct teller **out, struct err *e)
{
    struct teller *t = mem_alloc(sizeof(*t));

    *out = NULL;
    t->last = &t->first;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->cond, NULL);
    errno = thread_start(&t->thread, NULL, run, t);
    if (errno) {
        err_sys(e, "starting a thread");
        release(t);
        return -1;
    }
    *out = t;
    return 0;
}

void teller_close(struct teller *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->mutex);
    t->stop = true;
    pthread_cond_broadcast(&t->cond);
    pthread_mutex_unlock(&t->mutex);
    pthread_join(t->thread, NULL);
    release(t);
}

void teller_say(struct teller *t, void (*tell)(void *what), void *what, size_t size)
{
    struct saying *s = mem_alloc(sizeof(*s));

    *s = (struct saying){.tell = tell, .what = what, .size = size};
    pthread_mutex_lock(&t->mutex);
    while (t->waiting >= TELLER_MAX)
        pthread_cond_wait(&t->cond, &t->mutex);
    *t->last = s;
    t->last = &s->next;
    t->waiting += size;
    t->said++;
    pthread_cond_broadcast(&t->cond);
    pthread_mutex_unlock(&t->mutex);
}

void teller_wait(struct teller *t)
{
    uint64_t mine;

    pthread_mutex_lock(&t->mutex);
    mine = t->said;
    while (t->told < mine)
        pthread_cond_wait(&t->cond, &t->mutex);
    pthread_mutex_unlock(&t->mutex);
}
