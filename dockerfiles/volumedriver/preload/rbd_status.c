/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into qemu-storage-daemon. Its NBD server asks before every read whether there is data,
 * and librbd answers each time from the image's object map: random reads ran at 0.35 of what librbd
 * gives. Where data was seen once, that is answered from memory here. "There is data" is always
 * safe to say: what is none reads as zeros. Of holes nothing is remembered, so tools that copy
 * still skip them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One bit for 4 MiB, the size of an object; 2 MiB of bits for 64 TiB. */
enum { SHIFT = 22, IMAGES_MAX = 4096 };
static const uint64_t BITS_MAX = UINT64_C(1) << 24;

typedef int diff_cb(uint64_t offset, size_t length, int exists, void *arg);
typedef int diff_fn(void *image, const char *from, uint64_t offset, uint64_t length, uint8_t parent,
                    uint8_t whole, diff_cb *cb, void *arg);
typedef int close_fn(void *image);
typedef int discard_fn(void *image, uint64_t offset, uint64_t length, void *completion);
typedef int zeroes_fn(void *image, uint64_t offset, size_t length, void *completion, int zero_flags,
                      int op_flags);

static struct librbd {
    diff_fn *diff_iterate2;
    close_fn *close;
    discard_fn *discard;
    zeroes_fn *write_zeroes;
} librbd;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* QEMU loads its module for itself, so what comes next in the order of symbols is not librbd. */
static void load(void)
{
    void *lib = dlopen("librbd.so.1", RTLD_LAZY | RTLD_NOLOAD);
    if (!lib)
        abort(); /* only librbd's users call */
    librbd = (struct librbd){(diff_fn *)dlsym(lib, "rbd_diff_iterate2"),
                             (close_fn *)dlsym(lib, "rbd_close"),
                             (discard_fn *)dlsym(lib, "rbd_aio_discard"),
                             (zeroes_fn *)dlsym(lib, "rbd_aio_write_zeroes")};
    if (!librbd.diff_iterate2 || !librbd.close || !librbd.discard || !librbd.write_zeroes)
        abort();
}

static struct seen {
    void *image;
    unsigned char *bits;
    uint64_t count;
} table[IMAGES_MAX];
static int images;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* NULL: not known, and no room or no wish to know it. */
static struct seen *find(void *image, bool add)
{
    for (int i = 0; i < images; i++)
        if (table[i].image == image)
            return &table[i];
    if (!add || images == IMAGES_MAX)
        return NULL;
    table[images] = (struct seen){.image = image};
    return &table[images++];
}

static bool grow(struct seen *s, uint64_t count)
{
    uint64_t room = (count + 8191) / 8192 * 1024; /* bytes */
    if (count <= s->count)
        return true;
    unsigned char *bits = count <= BITS_MAX ? realloc(s->bits, room) : NULL;
    if (!bits)
        return false;
    memset(bits + s->count / 8, 0, room - s->count / 8);
    s->bits = bits;
    s->count = room * 8;
    return true;
}

static bool is_data(void *image, uint64_t offset, uint64_t length)
{
    pthread_mutex_lock(&lock);
    const struct seen *s = find(image, false);
    bool all = s && length > 0;
    for (uint64_t i = offset >> SHIFT; all && i <= (offset + length - 1) >> SHIFT; i++)
        all = i < s->count && s->bits[i / 8] & 1 << i % 8;
    pthread_mutex_unlock(&lock);
    return all;
}

static void set(void *image, uint64_t offset, uint64_t length, bool data)
{
    pthread_mutex_lock(&lock);
    struct seen *s = find(image, data);
    uint64_t last = (offset + length - 1) >> SHIFT;
    if (s && length > 0 && (!data || grow(s, last + 1)))
        for (uint64_t i = offset >> SHIFT; i <= last && i < s->count; i++)
            s->bits[i / 8] = (unsigned char)(data ? s->bits[i / 8] | 1 << i % 8
                                                  : s->bits[i / 8] & ~(1 << i % 8));
    pthread_mutex_unlock(&lock);
}

struct question {
    void *image, *arg;
    diff_cb *cb;
};

static int remember(uint64_t offset, size_t length, int exists, void *arg)
{
    const struct question *q = arg;
    if (exists)
        set(q->image, offset, length, true);
    return q->cb(offset, length, exists, q->arg);
}

diff_fn rbd_diff_iterate2;
close_fn rbd_close;
discard_fn rbd_aio_discard;
zeroes_fn rbd_aio_write_zeroes;

int rbd_diff_iterate2(void *image, const char *from, uint64_t offset, uint64_t length,
                      uint8_t parent, uint8_t whole, diff_cb *cb, void *arg)
{
    struct question q = {.image = image, .arg = arg, .cb = cb};
    pthread_once(&once, load);
    if (from || !whole || !parent)
        return librbd.diff_iterate2(image, from, offset, length, parent, whole, cb, arg);
    if (is_data(image, offset, length))
        return cb(offset, length, 1, arg);
    return librbd.diff_iterate2(image, from, offset, length, parent, whole, remember, &q);
}

/* What is discarded may become a hole. */
int rbd_aio_discard(void *image, uint64_t offset, uint64_t length, void *completion)
{
    pthread_once(&once, load);
    set(image, offset, length, false);
    return librbd.discard(image, offset, length, completion);
}

int rbd_aio_write_zeroes(void *image, uint64_t offset, size_t length, void *completion,
                         int zero_flags, int op_flags)
{
    pthread_once(&once, load);
    set(image, offset, length, false);
    return librbd.write_zeroes(image, offset, length, completion, zero_flags, op_flags);
}

/* The next image may get the same address. */
int rbd_close(void *image)
{
    pthread_once(&once, load);
    pthread_mutex_lock(&lock);
    struct seen *s = find(image, false);
    if (s) {
        free(s->bits);
        *s = table[--images];
    }
    pthread_mutex_unlock(&lock);
    return librbd.close(image);
}
