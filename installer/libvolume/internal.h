/* SPDX-License-Identifier: MIT */
/*
 * What the files of the library share. None of it is exported: objects are compiled with hidden
 * visibility, and only what slipway-volume.h marks SV_API is seen outside. Memory that runs out is
 * -ENOMEM here, never the end of the caller's process; so base/mem.h is not used.
 */
#ifndef VOLUME_INTERNAL_H
#define VOLUME_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <rados/librados.h>
#include <rbd/librbd.h>

#include "libvolume/slipway-volume.h"

struct sv_connection {
    rados_t cluster;
    rados_ioctx_t io;
    char pool[SV_NAME_MAX + 1];
    char user[SV_NAME_MAX + 1];
    unsigned timeout_s;
    atomic_uint volumes; /* open ones */
};

struct sv_volume {
    struct sv_connection *c;
    rbd_image_t image;
    char name[2 * SV_NAME_MAX + 2]; /* VOLUME or VOLUME@SNAPSHOT */
    enum sv_mode mode;
    pthread_mutex_t lock; /* guards under_way */
    pthread_cond_t idle;
    size_t under_way; /* asynchronous requests whose callback has not returned */
};

/* Fills *e, where it is not NULL, and returns `code`. */
int sv_fail(struct sv_error *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for what a call of librados or librbd returned, with ": " and its meaning added. */
int sv_fail_call(struct sv_error *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* 0, or -EINVAL with the rule in the text; the last one -EROFS for a reader. */
int sv_check_name(const char *kind, const char *name, struct sv_error *e);
int sv_check_size(uint64_t size_bytes, struct sv_error *e);
int sv_check_writer(const struct sv_volume *v, struct sv_error *e);
/* -EBUSY with the addresses in the text when more than `own` clients have the image open, or when a
 * volume driver has it attached. */
int sv_check_alone(rbd_image_t image, const char *name, size_t own, struct sv_error *e);
/* 0 when every callback has returned within the time. */
int sv_wait_idle(struct sv_volume *v, struct sv_error *e);

#endif
