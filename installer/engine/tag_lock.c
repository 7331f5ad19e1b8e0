/* SPDX-License-Identifier: MIT */
#include "engine/tag_lock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

enum { POLL_MS = 100 };

int tag_lock_take(struct tag_lock *l, const char *ref, const char *dir, struct until until,
                  struct err *e)
{
    if (!dir)
        dir = geteuid() == 0 && fs_exists("/run/lock") ? "/run/lock" : "/tmp";
    l->path = mem_printf("%s/slipway-%u-%s", dir, (unsigned)geteuid(), ref);
    for (char *p = l->path + strlen(dir) + 1; *p != '\0'; p++)
        if (*p == '/' || *p == ':')
            *p = '-';
    /* flock belongs to the open file: two threads that open it twice exclude each other too. */
    l->fd = open(l->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (l->fd < 0)
        log_debug("no lock %s: %m", l->path);
    while (l->fd >= 0 && flock(l->fd, LOCK_EX | LOCK_NB) < 0) {
        if (until_check_wait(until, "another run did not end", e) < 0) {
            close(l->fd);
            free(l->path);
            return err_wrap(e, "building %s", ref);
        }
        until_sleep_ms(until, POLL_MS);
    }
    return 0;
}

void tag_lock_release(struct tag_lock *l)
{
    if (l->fd >= 0) {
        unlink(l->path); /* one who waits on it takes it, finds the image and goes on */
        close(l->fd);
    }
    free(l->path);
}
