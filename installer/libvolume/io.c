/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "libvolume/internal.h"

/* ---- checks ---- */

static int check_range(struct sv_volume *v, uint64_t offset, uint64_t length, struct sv_error *e)
{
    int64_t size = sv_size(v, e);

    if (size < 0)
        return (int)size;
    if (offset > (uint64_t)size || length > (uint64_t)size - offset)
        return sv_fail(e, -EINVAL, "volume %s ends at %lld: %llu bytes at %llu are not all in it",
                       v->name, (long long)size, (unsigned long long)length,
                       (unsigned long long)offset);
    return 0;
}

static int check_request(struct sv_volume *v, const void *buffer, uint64_t offset, size_t length,
                         struct sv_error *e)
{
    if (length > SV_REQUEST_MAX)
        return sv_fail(e, -EINVAL, "%zu bytes in one request: %d are allowed", length,
                       SV_REQUEST_MAX);
    if (!buffer && length)
        return sv_fail(e, -EINVAL, "no buffer");
    return check_range(v, offset, length, e);
}

/* What librbd returned for a read of `length` bytes: fewer are there when somebody shrank it. */
static int check_read(const struct sv_volume *v, int64_t got, size_t length, struct sv_error *e)
{
    if (got < 0)
        return sv_fail_call(e, (int)got, "reading volume %s", v->name);
    if ((uint64_t)got != length)
        return sv_fail(e, -EIO, "reading volume %s: it ended after %lld of %zu bytes", v->name,
                       (long long)got, length);
    return 0;
}

/* ---- waiting ---- */

int sv_read(struct sv_volume *v, void *buffer, size_t length, uint64_t offset, struct sv_error *e)
{
    int r = check_request(v, buffer, offset, length, e);

    if (r < 0 || length == 0)
        return r;
    return check_read(v, rbd_read(v->image, offset, length, buffer), length, e);
}

int sv_write(struct sv_volume *v, const void *buffer, size_t length, uint64_t offset,
             struct sv_error *e)
{
    int64_t done;
    int r = sv_check_writer(v, e);

    if (r == 0)
        r = check_request(v, buffer, offset, length, e);
    if (r < 0 || length == 0)
        return r;
    done = rbd_write(v->image, offset, length, buffer);
    return done < 0 ? sv_fail_call(e, (int)done, "writing volume %s", v->name) : 0;
}

enum clearing { CLEAR_DISCARD, CLEAR_ZEROES };

/* In steps that fit into what librbd returns. */
static int clear(struct sv_volume *v, enum clearing how, uint64_t offset, uint64_t length,
                 struct sv_error *e)
{
    int r = sv_check_writer(v, e);

    if (r == 0)
        r = check_range(v, offset, length, e);
    while (r == 0 && length > 0) {
        uint64_t step = length < SV_REQUEST_MAX ? length : SV_REQUEST_MAX;
        int64_t done = how == CLEAR_DISCARD
                           ? (int64_t)rbd_discard(v->image, offset, step)
                           : (int64_t)rbd_write_zeroes(v->image, offset, (size_t)step, 0, 0);

        if (done < 0)
            return sv_fail_call(e, (int)done, "clearing a part of volume %s", v->name);
        offset += step;
        length -= step;
    }
    return r;
}

int sv_discard(struct sv_volume *v, uint64_t offset, uint64_t length, struct sv_error *e)
{
    return clear(v, CLEAR_DISCARD, offset, length, e);
}

int sv_write_zeroes(struct sv_volume *v, uint64_t offset, uint64_t length, struct sv_error *e)
{
    return clear(v, CLEAR_ZEROES, offset, length, e);
}

int sv_flush(struct sv_volume *v, struct sv_error *e)
{
    int r = sv_check_writer(v, e);

    if (r < 0)
        return r;
    r = rbd_flush(v->image);
    return r < 0 ? sv_fail_call(e, r, "flushing volume %s", v->name) : 0;
}

/* ---- asynchronous ---- */

enum verb { VERB_READ, VERB_WRITE, VERB_FLUSH };

struct request {
    struct sv_volume *v;
    enum verb verb;
    size_t length;
    struct sv_done done;
    rbd_completion_t completion;
};

static void leave(struct sv_volume *v)
{
    pthread_mutex_lock(&v->lock);
    if (--v->under_way == 0)
        pthread_cond_broadcast(&v->idle);
    pthread_mutex_unlock(&v->lock);
}

/* On a thread of librbd. */
static void finished(rbd_completion_t completion, void *arg)
{
    static const char *const WORDS[] = {"reading", "writing", "flushing"};
    struct request *q = arg;
    struct sv_error e = {0};
    int64_t got = rbd_aio_get_return_value(completion);
    int r = 0;

    if (q->verb == VERB_READ)
        r = check_read(q->v, got, q->length, &e);
    else if (got < 0)
        r = sv_fail_call(&e, (int)got, "%s volume %s", WORDS[q->verb], q->v->name);
    q->done.call(q->done.arg, r < 0 ? &e : NULL);
    rbd_aio_release(completion);
    leave(q->v);
    free(q);
}

static struct request *new_request(struct sv_volume *v, enum verb verb, size_t length,
                                   const struct sv_done *done)
{
    struct request *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->v = v;
    q->verb = verb;
    q->length = length;
    q->done = *done;
    if (rbd_aio_create_completion(q, finished, &q->completion) < 0) {
        free(q);
        return NULL;
    }
    pthread_mutex_lock(&v->lock);
    v->under_way++;
    pthread_mutex_unlock(&v->lock);
    return q;
}

/* `r` is what starting it returned. */
static int started(struct request *q, int r)
{
    if (r >= 0)
        return 0;
    rbd_aio_release(q->completion);
    leave(q->v);
    free(q);
    return r;
}

int sv_read_async(struct sv_volume *v, void *buffer, size_t length, uint64_t offset,
                  const struct sv_done *done)
{
    struct request *q;
    int r = check_request(v, buffer, offset, length, NULL);

    if (r < 0)
        return r;
    q = new_request(v, VERB_READ, length, done);
    return q ? started(q, rbd_aio_read(v->image, offset, length, buffer, q->completion)) : -ENOMEM;
}

int sv_write_async(struct sv_volume *v, const void *buffer, size_t length, uint64_t offset,
                   const struct sv_done *done)
{
    struct request *q;
    int r = sv_check_writer(v, NULL);

    if (r == 0)
        r = check_request(v, buffer, offset, length, NULL);
    if (r < 0)
        return r;
    q = new_request(v, VERB_WRITE, length, done);
    return q ? started(q, rbd_aio_write(v->image, offset, length, buffer, q->completion)) : -ENOMEM;
}

int sv_flush_async(struct sv_volume *v, const struct sv_done *done)
{
    struct request *q;
    int r = sv_check_writer(v, NULL);

    if (r < 0)
        return r;
    q = new_request(v, VERB_FLUSH, 0, done);
    return q ? started(q, rbd_aio_flush(v->image, q->completion)) : -ENOMEM;
}
