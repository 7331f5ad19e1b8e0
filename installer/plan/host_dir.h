/* SPDX-License-Identifier: MIT */
/*
 * The folder of the host that an instance with `run.host_dir` sees: sockets and mounts that the
 * host is to use. Docker makes it on whatever host the engine is; what is done here concerns an
 * engine on this machine and does nothing where it has not the right to.
 */
#ifndef PLAN_HOST_DIR_H
#define PLAN_HOST_DIR_H

#include <stdbool.h>

#include "base/err.h"

/* /var/lib/slipway/<env>/<instance>, owned. */
char *host_dir_path(const char *env, const char *instance);
/*
 * Opens a file that an instance shows there; *fd is the caller's, `flags` O_RDONLY or O_RDWR.
 * Root in the container can put anything under a name: a link to a file of this machine, a
 * device, a FIFO that nobody writes to. So no link is followed, opening waits for nobody, and
 * what is open has to be a regular file that the container's mount serves (FUSE), else
 * ERR_CONFLICT; ENOENT in e->sys when there is nothing. The descriptor is what to work with:
 * under the name there may be another file next.
 */
int host_dir_open(int *fd, const char *env, const char *instance, const char *name, int flags,
                  struct err *e);
/* The same in the folder `path`. */
int host_dir_open_in(int *fd, const char *path, const char *instance, const char *name, int flags,
                     struct err *e);
/*
 * Docker starts a container with a shared mount only when the folder's file system is shared, which
 * it is not where / is private: then the folder becomes a mount of its own. Nothing to do
 * elsewhere, or for anybody but root; Docker's own words tell then.
 */
int host_dir_share(const char *path, struct err *e);
/* Takes away the environment's folders that hold nothing but leftovers (mounts without a server,
 * sockets, empty files). Whatever holds something stays. */
void host_dir_remove_all(const char *env);

/* True when the mount that `path` lies on is shared, by the text of /proc/self/mountinfo. Pure. */
bool host_dir_is_shared(const char *mountinfo, const char *path);

#endif
