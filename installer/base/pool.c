/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"

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
    auto_free pthread_t *ids = mem_array(more, sizeof *ids);
    while (made < more && pthread_create(&ids[made], NULL, work, &p) == 0)
        made++;
    work(&p);
    for (size_t i = 0; i < made; i++)
        pthread_join(ids[i], NULL);
}
