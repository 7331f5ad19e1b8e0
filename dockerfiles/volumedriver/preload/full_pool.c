/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into qemu-storage-daemon and tgtd, so that they can open an image in a full pool. Who
 * has it open, the exclusive lock and the map of its objects take no space that counts; with the
 * flag "full try" OSDs take such records in a full pool too, and without it librbd waits there for
 * ever, and the daemon with it. Data must wait until there is space, not fail: librbd asks its pool
 * whether they are to be tried too, and hears no.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

typedef int create_fn(void *cluster, const char *pool, void **io);
typedef void full_try_fn(void *io);

create_fn rados_ioctx_create;
int rados_ioctx_create(void *cluster, const char *pool, void **io)
{
    /* QEMU loads its module for itself, so what comes next in the order of symbols is not it. */
    void *lib = dlopen("librados.so.2", RTLD_LAZY | RTLD_NOLOAD);
    create_fn *create = lib ? (create_fn *)dlsym(lib, "rados_ioctx_create") : NULL;
    full_try_fn *full_try = lib ? (full_try_fn *)dlsym(lib, "rados_set_pool_full_try") : NULL;
    if (!create || !full_try)
        abort(); /* only librados' users call */
    int result = create(cluster, pool, io);
    if (result == 0)
        full_try(*io);
    return result;
}

/* librados::v14_2_0::IoCtx::get_pool_full_try(). With another name of that class librbd takes its
 * own, and writes into a full pool fail instead of waiting: volumefull.sh looks. */
bool _ZN8librados7v14_2_05IoCtx17get_pool_full_tryEv(void *io);
bool _ZN8librados7v14_2_05IoCtx17get_pool_full_tryEv(void *io)
{
    (void)io;
    return false;
}
