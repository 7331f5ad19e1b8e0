/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into qemu-storage-daemon, for its FUSE exports. QEMU 10.0 serves a request by calling
 * its event loop until that is done, and takes the next request from inside there: the one that
 * came first is answered last, and with enough of others not for a long time. Here each read and
 * each write becomes a coroutine, as in QEMU's other exports. QEMU's functions for them can run in
 * one: what they call looks whether it does, and a write's data are copied before anything waits.
 * And the kernel sends 64 asynchronous requests at a time instead of 12.
 *
 * QEMU from 10.2 on has coroutines itself and calls libfuse in another way, which this is not in;
 * up to 9.2 (libfuse before 3.17) it would not be safe, and is not called either.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31
#include <dlfcn.h>
#include <fuse_lowlevel.h>
#include <stddef.h>

enum { BACKGROUND = 64 };

struct libfuse_version;
typedef struct fuse_session *new_fn(struct fuse_args *args, const struct fuse_lowlevel_ops *ops,
                                    size_t size, struct libfuse_version *version, void *export);

/* Set before the first request. */
static struct {
    struct fuse_lowlevel_ops own;
    void *(*coroutine_create)(void (*function)(void *), void *arg);
    void (*coroutine_enter)(void *coroutine);
    void (*ref)(void *export);
    void (*unref)(void *export);
} qemu;

struct request {
    fuse_req_t req;
    fuse_ino_t inode;
    const char *data; /* NULL: a read */
    size_t size;
    off_t offset;
    struct fuse_file_info file;
};

/* The export must not go while this waits; QEMU itself holds it only until the first wait. */
static void serve(void *arg)
{
    struct request r = *(struct request *)arg;
    void *export = fuse_req_userdata(r.req);
    qemu.ref(export);
    if (r.data)
        qemu.own.write(r.req, r.inode, r.data, r.size, r.offset, &r.file);
    else
        qemu.own.read(r.req, r.inode, r.size, r.offset, &r.file);
    qemu.unref(export);
}

static void read_op(fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset,
                    struct fuse_file_info *file)
{
    struct request r = {req, inode, NULL, size, offset, *file};
    qemu.coroutine_enter(qemu.coroutine_create(serve, &r));
}

static void write_op(fuse_req_t req, fuse_ino_t inode, const char *data, size_t size, off_t offset,
                     struct fuse_file_info *file)
{
    struct request r = {req, inode, data, size, offset, *file};
    qemu.coroutine_enter(qemu.coroutine_create(serve, &r));
}

static void init_op(void *export, struct fuse_conn_info *connection)
{
    qemu.own.init(export, connection);
    connection->max_background = BACKGROUND;
    connection->congestion_threshold = BACKGROUND * 3 / 4;
}

new_fn fuse_session_new_versioned;
struct fuse_session *fuse_session_new_versioned(struct fuse_args *args,
                                                const struct fuse_lowlevel_ops *ops, size_t size,
                                                struct libfuse_version *version, void *export)
{
    new_fn *next = (new_fn *)dlsym(RTLD_NEXT, "fuse_session_new_versioned");
    struct fuse_lowlevel_ops ours;
    *(void **)&qemu.coroutine_create = dlsym(RTLD_DEFAULT, "qemu_coroutine_create");
    *(void **)&qemu.coroutine_enter = dlsym(RTLD_DEFAULT, "qemu_coroutine_enter");
    *(void **)&qemu.ref = dlsym(RTLD_DEFAULT, "blk_exp_ref");
    *(void **)&qemu.unref = dlsym(RTLD_DEFAULT, "blk_exp_unref");
    if (size != sizeof ours || !ops->read || !ops->write || !ops->init || !qemu.coroutine_create ||
        !qemu.coroutine_enter || !qemu.ref || !qemu.unref)
        return next(args, ops, size, version, export);
    qemu.own = ours = *ops;
    ours.read = read_op;
    ours.write = write_op;
    ours.init = init_op;
    return next(args, &ours, size, version, export);
}
