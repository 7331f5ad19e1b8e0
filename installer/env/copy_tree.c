/* SPDX-License-Identifier: MIT */
#include "env/copy_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

enum { DEPTH_MAX = 128 };

/* Where the temporary folder is made: in the target when that is a folder, which may be a file
 * system of its own or lie in a folder that we may not write; else beside it. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return mem_strdup(path);
    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

int copy_tree_open(struct copy_tree *t, const char *target, struct err *e)
{
    auto_free char *folder = folder_of(target);
    auto_free char *dir = mem_printf("%s/.slipway-copy.XXXXXX", folder);

    *t = (struct copy_tree){.fd = -1, .into = strcmp(folder, target) == 0};
    if (!mkdtemp(dir)) /* 0700 */
        return err_sys(e, "making a folder in %s", folder);
    t->dir = steal(dir);
    t->fd = open(t->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    return t->fd < 0 ? err_sys(e, "opening %s", t->dir) : 0;
}

void copy_tree_close(struct copy_tree *t)
{
    struct err e;

    if (t->fd >= 0)
        close(t->fd);
    if (t->dir && fs_remove_tree(t->dir, &e) < 0)
        err_drop(&e, "removing a temporary folder");
    free(t->dir);
    *t = (struct copy_tree){.fd = -1};
}

/* Two folders, the same path below each. */
struct pair {
    int from, to;
    unsigned depth;
};

static int move_folder(const struct pair *p, const char *name, const struct stat *st,
                       struct err *e);

static int move_entry(const struct pair *p, const char *name, struct err *e)
{
    struct stat st, old;

    if (fstatat(p->from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(e, "%s", name);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(e, ERR_REMOTE,
                       "the container sent something that is neither a file nor a folder");
    if (S_ISDIR(st.st_mode))
        return move_folder(p, name, &st, e);
    if (st.st_mode & 06000 && fchmodat(p->from, name, st.st_mode & 0777, 0) < 0)
        return err_sys(e, "%s", name);
    if (fstatat(p->to, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(old.st_mode))
        return err_set(e, ERR_CONFLICT, "%s is a folder here, and a file there", name);
    return renameat(p->from, name, p->to, name) < 0 ? err_sys(e, "%s", name) : 0;
}

static int move_all(const struct pair *p, struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *path = mem_printf("/proc/self/fd/%d", p->from);

    if (fs_list(&names, path, e) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (move_entry(p, names.items[i], e) < 0)
            return -1;
    return 0;
}

static int move_folder(const struct pair *p, const char *name, const struct stat *st, struct err *e)
{
    static const int flags = O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
    auto_close int from = openat(p->from, name, flags), to = -1;
    bool made;

    if (from < 0)
        return err_sys(e, "%s", name);
    if (p->depth > DEPTH_MAX)
        return err_set(e, ERR_REMOTE, "the container sent more than %d folders in one another",
                       DEPTH_MAX);
    made = mkdirat(p->to, name, 0700) == 0;
    if (!made && errno != EEXIST)
        return err_sys(e, "the folder %s", name);
    to = openat(p->to, name, flags);
    if (to < 0)
        return err_set(e, ERR_CONFLICT, "%s is a folder there, and something else here", name);
    struct pair below = {.from = from, .to = to, .depth = p->depth + 1};
    if (move_all(&below, e) < 0)
        return -1;
    return made && fchmod(to, st->st_mode & 0777) < 0 ? err_sys(e, "%s", name) : 0;
}

static int move_into(const struct copy_tree *t, const char *target, struct err *e)
{
    auto_close int from =
        openat(t->fd, COPY_TREE_NAME, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    auto_close int to = open(target, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    struct pair p = {.from = from, .to = to, .depth = 1};

    if (from < 0 && errno == ENOTDIR)
        return err_set(e, ERR_CONFLICT, "%s is a folder here, and a file there", target);
    return from < 0 || to < 0 ? err_sys(e, "%s", target) : move_all(&p, e);
}

/* A file gets the target's name first: names decide what replaces what. */
int copy_tree_move(const struct copy_tree *t, const char *target, struct err *e)
{
    if (t->into)
        return move_into(t, target, e);
    auto_free char *folder = folder_of(target);
    auto_close int to = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    const char *name = fs_basename(target);
    struct stat st;

    if (to < 0)
        return err_sys(e, "%s", folder);
    if (fstatat(t->fd, COPY_TREE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(e, "nothing came");
    if (strcmp(name, COPY_TREE_NAME) != 0 && renameat(t->fd, COPY_TREE_NAME, t->fd, name) < 0)
        return err_sys(e, "%s", target);
    struct pair p = {.from = t->fd, .to = to};
    return move_entry(&p, name, e) < 0 ? err_wrap(e, "%s", target) : 0;
}
