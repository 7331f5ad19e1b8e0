/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"

struct pool {
    atomic_size_t next;
    size_t count;
    void (*job)(void *arg, size_t i);
    void *arg;
};

static void *work(void *arg)
{
    struct pool *p = arg;
    size_t i;

    while ((i = atomic_fetch_add(&p->next, 1)) < p->count)
        p->job(p->arg, i);
    return NULL;
}

void pool_run(size_t count, unsigned threads, void (*job)(void *arg, size_t i), void *arg)
{
    struct pool p = {.count = count, .job = job, .arg = arg};
    size_t more = threads < count ? threads : count, made = 0;

    /* This thread works too; when the system gives fewer threads, the work is done all the same. */
    more = more > 0 ? more - 1 : 0;
    auto_free pthread_t *ids = mem_array(more, sizeof(*ids));
    while (made < more && thread_start(&ids[made], NULL, work, &p) == 0)
        made++;
    work(&p);
    for (size_t i = 0; i < made; i++)
        pthread_join(ids[i], NULL);
}

void pool_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

void pool_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(cond, mutex, &until);
}
