/* SPDX-License-Identifier: MIT */
#include "plan/volumes_made.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

enum { FILE_MAX = 16 << 20 };

static char *path_of(const char *folder)
{
    return fs_join(folder, "volumes");
}

/* Several workers make and remove volumes at once. The lock ends with the descriptor. */
static int lock_names(const char *folder, struct err *e)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    err_sys(e, "locking %s", folder);
    if (fd >= 0)
        close(fd);
    return -1;
}

void volumes_made_load(struct strv *names, const char *folder)
{
    auto_free char *path = path_of(folder);
    auto_free char *text = NULL;
    struct err e;

    if (fs_read(&text, NULL, path, FILE_MAX, &e) == 0)
        strv_split(names, text, "\n");
    else if (e.code != ERR_NOTFOUND)
        err_drop(&e, "the names of the volumes that were made");
}

int volumes_made_add(const char *folder, const char *name, struct err *e)
{
    auto_free char *path = path_of(folder);
    auto_free char *line = mem_printf("%s\n", name);
    auto_strv struct strv names = {0};
    auto_close int lock = lock_names(folder, e);
    auto_close int fd = -1;

    if (lock < 0)
        return -1;
    volumes_made_load(&names, folder);
    if (strv_has(&names, name))
        return 0;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 || fs_write_all(fd, line, strlen(line)) < 0)
        return err_sys(e, "remembering volume %s in %s", name, path);
    return 0;
}

int volumes_made_forget(const char *folder, const char *name, struct err *e)
{
    auto_free char *path = path_of(folder);
    auto_buf struct buf left = {0};
    auto_strv struct strv names = {0};
    auto_close int lock = lock_names(folder, e);

    if (lock < 0)
        return -1;
    volumes_made_load(&names, folder);
    if (!strv_has(&names, name))
        return 0;
    buf_init(&left, FILE_MAX);
    for (size_t i = 0; i < names.count; i++) {
        if (!*names.items[i] || strcmp(names.items[i], name) == 0)
            continue;
        buf_puts(&left, names.items[i]);
        buf_putc(&left, '\n');
    }
    return fs_write(path, buf_str(&left), left.len,
                    &(struct fs_write_opts){.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1}, e);
}
