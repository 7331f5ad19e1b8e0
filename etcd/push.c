/* SPDX-License-Identifier: MIT */
/*
 * Many keys at once: batches in parallel, each over a client of its own, and the batch with the
 * last key when all others are in. A batch that is sent again after a lost answer writes the same
 * again, so it may be; the guard keeps out a writer that has lost the lock meanwhile.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "etcd/client.h"

enum {
    BATCH_BYTES = 512 << 10, /* etcd takes 1.5 MiB, and large requests hold up everybody else */
    BATCHES_PER_CLIENT = 4,  /* fewer are not worth another TLS connection */
};

struct batch {
    size_t from, count;
};

struct push {
    struct etcd *c;
    const struct etcd_write *writes;
    const char *guard_key;
    int64_t guard_revision;
    struct batch *batches;
    size_t parallel; /* batches before the last one */
    atomic_size_t next;
    atomic_bool failed;
    struct etcd **clients;
    struct err *errors; /* one per client */
};

static size_t write_size(const struct etcd_write *w)
{
    return strlen(w->key) + (w->value ? strlen(w->value) : 0);
}

static size_t cut_batches(struct batch *batches, const struct etcd_write *writes, size_t count)
{
    size_t n = 0, bytes = 0;

    for (size_t i = 0; i < count; i++) {
        size_t size = write_size(&writes[i]);
        bool first = n == 0 || batches[n - 1].count == ETCD_TXN_MAX || bytes + size > BATCH_BYTES;

        if (first) {
            batches[n++] = (struct batch){.from = i};
            bytes = 0;
        }
        batches[n - 1].count++;
        bytes += size;
    }
    return n;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In parallel batches the order of two writes to one key is nobody's, and in one batch etcd
 * refuses. */
static int check_distinct(const struct etcd_write *writes, size_t count, struct err *e)
{
    auto_free const char **names = mem_array(count, sizeof(*names));

    for (size_t i = 0; i < count; i++)
        names[i] = writes[i].key;
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return err_set(e, ERR_USAGE, "%s is written twice in one push", names[i]);
    return 0;
}

static int run_batch(struct push *p, struct etcd *c, size_t at, int64_t *revision, struct err *e)
{
    struct etcd_txn *t = etcd_txn_new();
    struct txn_extra x = {.repeatable = true};
    const struct batch *b = &p->batches[at];

    if (p->guard_key)
        etcd_txn_if(t, p->guard_key, ETCD_CMP_CREATE_EQ, p->guard_revision);
    for (size_t i = b->from; i < b->from + b->count; i++) {
        const struct etcd_write *w = &p->writes[i];

        if (w->value)
            etcd_txn_put(t, w->key, w->value, 0);
        else
            etcd_txn_delete(t, w->key);
    }
    int r = txn_run(c, t, &x, e);
    etcd_txn_free(t);
    *revision = x.revision;
    if (x.failed)
        return err_set(e, ERR_LOCKED, "the lock %s is not ours any more", p->guard_key);
    return r < 0 ? err_wrap(e, "writing %s and %zu more", p->writes[b->from].key, b->count - 1) : 0;
}

/* One client's part of the batches. */
static void run_client(void *arg, size_t i)
{
    struct push *p = arg;
    size_t at;
    int64_t revision;

    while (!atomic_load(&p->failed) && (at = atomic_fetch_add(&p->next, 1)) < p->parallel)
        if (run_batch(p, p->clients[i], at, &revision, &p->errors[i]) < 0)
            atomic_store(&p->failed, true);
}

/* The first client is the caller's own; the others get its token, so it must have one. */
static int open_clients(struct push *p, size_t count, struct err *e)
{
    if (token_ensure(p->c, e) < 0)
        return -1;
    p->clients[0] = p->c;
    for (size_t i = 1; i < count; i++)
        if (etcd_clone(&p->clients[i], p->c, e) < 0)
            return -1;
    return 0;
}

static int run_parallel(struct push *p, unsigned connections, struct err *e)
{
    size_t count = p->parallel / BATCHES_PER_CLIENT;
    int r;

    if (count > connections)
        count = connections;
    if (count < 1)
        count = 1;
    p->clients = mem_array(count, sizeof(*p->clients));
    p->errors = mem_array(count, sizeof(*p->errors));
    r = open_clients(p, count, e);
    if (r == 0)
        pool_run(count, (unsigned)count, run_client, p);
    for (size_t i = 0; i < count && r == 0; i++)
        if (p->errors[i].code != ERR_NONE) {
            *e = p->errors[i];
            r = -1;
        }
    for (size_t i = 1; i < count; i++)
        etcd_close(p->clients[i]);
    free(p->clients);
    free(p->errors);
    return r;
}

int etcd_push(struct etcd *c, const struct etcd_write *writes, size_t count,
              const struct etcd_push_opts *o, int64_t *revision, struct err *e)
{
    struct push p = {
        .c = c, .writes = writes, .guard_key = o->guard_key, .guard_revision = o->guard_revision};
    int64_t last = 0;
    int r = 0;

    if (revision)
        *revision = 0;
    if (count == 0)
        return 0;
    if (check_distinct(writes, count, e) < 0)
        return -1;
    p.batches = mem_array(count, sizeof(*p.batches));
    p.parallel = cut_batches(p.batches, writes, count) - 1;
    if (p.parallel > 0)
        r = run_parallel(&p, o->connections, e);
    if (r == 0)
        r = run_batch(&p, c, p.parallel, &last, e);
    free(p.batches);
    if (r == 0 && revision)
        *revision = last;
    return r;
}
