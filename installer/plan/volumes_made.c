/* SPDX-License-Identifier: MIT */
#include "plan/volumes_made.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

enum { FILE_MAX = 16 << 20 };

static char *path_of(const char *folder)
{
    return fs_join(folder, "volumes");
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

/* One write at the end of the file: several workers make volumes at once. */
int volumes_made_add(const char *folder, const char *name, struct err *e)
{
    auto_free char *path = path_of(folder);
    auto_free char *line = mem_printf("%s\n", name);
    auto_strv struct strv names = {0};
    auto_close int fd = -1;

    volumes_made_load(&names, folder);
    if (strv_has(&names, name))
        return 0;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fs_write_all(fd, line, strlen(line)) < 0)
        return err_sys(e, "remembering volume %s in %s", name, path);
    return 0;
}
