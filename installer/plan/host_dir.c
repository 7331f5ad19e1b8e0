/* SPDX-License-Identifier: MIT */
#include "plan/host_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strv.h"

#define HOST_ROOT "/var/lib/slipway"

enum { MOUNTINFO_MAX = 4 << 20 };

char *host_dir_path(const char *env, const char *instance)
{
    return mem_printf("%s/%s/%s", HOST_ROOT, env, instance);
}

int host_dir_open(int *fd, const char *env, const char *instance, const char *name, int flags,
                  struct err *e)
{
    auto_free char *path = host_dir_path(env, instance);

    return host_dir_open_in(fd, path, instance, name, flags, e);
}

int host_dir_open_in(int *fd, const char *path, const char *instance, const char *name, int flags,
                     struct err *e)
{
    auto_close int folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    auto_close int file = folder < 0
                              ? -1
                              : openat(folder, strchr(name, '/') ? "" : name,
                                       flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct statfs fs;
    struct stat st;

    if (file < 0 && errno == ELOOP)
        return err_set(e, ERR_CONFLICT, "%s/%s is a link, and is not followed", path, name);
    if (file < 0)
        return err_sys(e, "cannot open %s/%s", path, name);
    if (fstat(file, &st) < 0 || fstatfs(file, &fs) < 0)
        return err_sys(e, "cannot look at %s/%s", path, name);
    if (!S_ISREG(st.st_mode) || fs.f_type != FUSE_SUPER_MAGIC)
        return err_set(e, ERR_CONFLICT, "%s/%s is not a file that %s serves", path, name, instance);
    *fd = file;
    file = -1;
    return 0;
}

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    if (strcmp(folder, "/") == 0)
        return true;
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Field `n` (from 0) of a line of mountinfo, owned; see proc_pid_mountinfo(5). */
static char *field(const char *line, int n)
{
    while (n-- > 0 && line) {
        line = strchr(line, ' ');
        line = line ? line + 1 : NULL;
    }
    return line ? mem_strndup(line, strcspn(line, " ")) : mem_strdup("");
}

bool host_dir_is_shared(const char *mountinfo, const char *path)
{
    auto_strv struct strv lines = {0};
    size_t longest = 0;
    bool shared = false;

    strv_split(&lines, mountinfo, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        auto_free char *point = field(lines.items[i], 4);
        const char *end = strstr(lines.items[i], " - ");
        const char *word = strstr(lines.items[i], " shared:");

        /* A later mount on the same point covers the earlier one. */
        if (*point && is_below(path, point) && strlen(point) >= longest) {
            longest = strlen(point);
            shared = word && end && word < end;
        }
    }
    return shared;
}

static char *read_mounts(void)
{
    char *text = NULL;
    struct err e;

    if (fs_read(&text, NULL, "/proc/self/mountinfo", MOUNTINFO_MAX, &e) < 0)
        err_drop(&e, "the list of mounts");
    return text;
}

int host_dir_share(const char *path, struct err *e)
{
    auto_free char *mounts = read_mounts();

    if (!mounts || geteuid() != 0 || host_dir_is_shared(mounts, path))
        return 0;
    if (fs_mkdirs(path, 0755, e) < 0)
        return -1;
    if (mount(path, path, NULL, MS_BIND, NULL) < 0)
        return err_sys(e, "mounting %s on itself, to be shared with a container", path);
    if (mount(NULL, path, NULL, MS_SHARED, NULL) < 0)
        return err_sys(e, "making the mount %s shared", path);
    return 0;
}

/* The newest mount first: it may stand on an older one. */
static void unmount_below(const char *folder)
{
    auto_free char *mounts = read_mounts();
    auto_strv struct strv lines = {0};

    if (mounts)
        strv_split(&lines, mounts, "\n");
    for (size_t i = lines.count; i-- > 0;) {
        auto_free char *point = field(lines.items[i], 4);

        if (*point && is_below(point, folder) && umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
            log_debug("%s stays mounted", point);
    }
}

static void remove_leftovers(const char *folder)
{
    auto_strv struct strv names = {0};
    struct err e;

    if (fs_list(&names, folder, &e) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = fs_join(folder, names.items[i]);
        struct stat st;

        if (lstat(path, &st) == 0 &&
            (S_ISSOCK(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size == 0)))
            unlink(path);
        else
            rmdir(path); /* of an empty folder only */
    }
    if (rmdir(folder) < 0)
        log_debug("%s is not empty and stays", folder);
}

void host_dir_remove_all(const char *env)
{
    auto_free char *folder = fs_join(HOST_ROOT, env);
    auto_strv struct strv names = {0};
    struct err e;

    if (!fs_exists(folder) || fs_list(&names, folder, &e) < 0)
        return;
    unmount_below(folder);
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = fs_join(folder, names.items[i]);

        remove_leftovers(path);
    }
    rmdir(folder);
}
