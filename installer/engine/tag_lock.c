/* SPDX-License-Identifier: MIT */
#include "engine/tag_lock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"

enum { POLL_MS = 100 };

int tag_lock_take(struct tag_lock *l, const char *ref, int64_t deadline, struct err *e)
{
    const char *dir = getenv("TMPDIR");
    if (dir == NULL || dir[0] == '\0')
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
        bool late = clock_passed(deadline), interrupted = sig_interrupts() > 0;
        if (late || interrupted) {
            close(l->fd);
            free(l->path);
            return late ? err_set(e, ERR_TIMEOUT, "another run is still building %s", ref)
                        : err_set(e, ERR_INTERRUPTED, "interrupted");
        }
        clock_sleep_ms(POLL_MS);
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
