/* SPDX-License-Identifier: MIT */
#include "cmd/clean_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "plan/connect.h"

static void add(struct node *items, const char *path, const struct stat *st, const char *why)
{
    struct node *n = node_add(items, node_new_map());

    node_set_text(n, "kind", S_ISDIR(st->st_mode) ? "folder" : "file");
    node_set_text(n, "name", path);
    node_set_int(n, "bytes", S_ISREG(st->st_mode) ? st->st_size : 0);
    node_set_text(n, "why", why);
}

/* Ours, and nothing has happened to it since. */
static bool is_old(struct stat *st, const char *path, int64_t before)
{
    return lstat(path, st) == 0 && st->st_uid == geteuid() && st->st_mtime < before;
}

/* Nobody holds it: the lock of a build, or of an environment. */
static bool is_free(const char *path)
{
    auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void find_in(struct node *items, const char *dir, int64_t before)
{
    auto_free char *locks = mem_printf("slipway-%u-slipway-", (unsigned)geteuid());
    auto_strv struct strv names = {0};
    struct err e;

    if (fs_list(&names, dir, &e) < 0) {
        err_drop(&e, "a folder for temporary files");
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = fs_join(dir, names.items[i]);
        bool keys = strncmp(names.items[i], "slipway-ssh.", 12) == 0;
        bool text = strncmp(names.items[i], "slipway-edit.", 13) == 0;
        bool lock = strncmp(names.items[i], locks, strlen(locks)) == 0;
        struct stat st;

        if ((!keys && !text && !lock) || !is_old(&st, path, before))
            continue;
        if (lock && S_ISREG(st.st_mode) && is_free(path))
            add(items, path, &st, "the lock of a build that was killed");
        else if (!lock && S_ISDIR(st.st_mode))
            add(items, path, &st, keys ? "keys of a killed `ssh`" : "of a killed `config edit`");
    }
}

static bool has_containers(const struct node *containers, const char *env)
{
    const struct node *c;

    node_for_each (c, containers) {
        const char *name = connect_label(c, LABEL_NAME);

        if (name && strcmp(name, env) == 0)
            return true;
    }
    return false;
}

/* Of environments without a container: a folder without a key, the journal of a killed run. */
static void find_homes(struct node *items, const struct node *containers, int64_t before)
{
    auto_strv struct strv names = {0};

    cmd_homes(&names);
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *home = secret_home(names.items[i]);
        auto_free char *key = fs_join(home, "key"), *lock = fs_join(home, "lock");
        auto_free char *journal = fs_join(home, "journal");
        struct stat st;

        if (has_containers(containers, names.items[i]) || (fs_exists(lock) && !is_free(lock)))
            continue;
        if (!fs_exists(key) && is_old(&st, home, before) && S_ISDIR(st.st_mode))
            add(items, home, &st, "it has no key and no container");
        else if (fs_exists(key) && is_old(&st, journal, before))
            add(items, journal, &st, "of a killed run; its environment has no container");
    }
}

void clean_files_find(struct node *items, const struct node *containers, int64_t before)
{
    static const char *const dirs[] = {"/run/lock", "/tmp"};
    const char *more[] = {getenv("TMPDIR"), getenv("XDG_RUNTIME_DIR")};

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        find_in(items, dirs[i], before);
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        if (more[i] && *more[i] && strcmp(more[i], "/tmp") != 0)
            find_in(items, more[i], before);
    find_homes(items, containers, before);
}
