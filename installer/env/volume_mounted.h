/* SPDX-License-Identifier: MIT */
/* What `volume mount` keeps on this machine, for whoever would take the volume away under it. */
#ifndef ENV_VOLUME_MOUNTED_H
#define ENV_VOLUME_MOUNTED_H

#include <sys/types.h>

#include "base/err.h"
#include "base/strv.h"
#include "base/until.h"

/* What one mount leaves in /run/slipway/mounts/<env>/<volume>/. */
struct volume_place {
    char *dir;          /* that folder */
    char *file;         /* where the helper shows the volume */
    char *pid;          /* of the helper; not there without one */
    char *target;       /* text: where it is mounted */
    char *attached;     /* there when the mount attached the volume, so the unmount detaches it */
    struct until until; /* of whoever works there; without an end until it is set */
};
void volume_place_init(struct volume_place *p, const char *env, const char *volume);
void volume_place_clear(struct volume_place *p);
#define auto_volume_place __attribute__((cleanup(volume_place_clear)))

#define VOLUME_PLACE_HELPER "qemu-storage-daemon"
/* The helper that runs for it; 0: none. */
pid_t volume_place_helper(const struct volume_place *p);
/* The folder that `target` says, mounted or not; NULL: none. Owned. */
char *volume_place_target(const struct volume_place *p);

/* ERR_CONFLICT with the way to end it when one of them is mounted on this machine by `volume
 * mount`, or a helper still serves such a mount. `volumes` NULL: all of the environment. `before`:
 * "deleting it". */
int volume_mounted_refuse(const char *env, const struct strv *volumes, const char *before,
                          struct err *e);

#endif
