/* SPDX-License-Identifier: MIT */
#include "env/clean_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env/env.h"
#include "plan/lock_owner.h"
#include "plan/object.h"

enum { OWNER_MAX = 4096 };

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
    auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

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
        const char *name = object_label(c, LABEL_NAME);

        if (name && strcmp(name, env) == 0)
            return true;
    }
    return false;
}

static bool is_dir(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What Slipway writes into an environment's folder, but for its key. */
static bool is_own_name(const char *name)
{
    static const char *const names[] = {"document.json", "journal",         "links",
                                        "lock",          "source",          "ssh.json",
                                        "ssh_key",       "ssh_known_hosts", "volumes"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* links/INSTANCE/link and nothing else. */
static bool holds_links(const char *links)
{
    auto_strv struct strv instances = {0};
    struct err e;

    if (!is_dir(links))
        return !fs_exists(links);
    if (fs_list(&instances, links, &e) < 0)
        return false;
    for (size_t i = 0; i < instances.count; i++) {
        auto_free char *path = fs_join(links, instances.items[i]);
        auto_strv struct strv names = {0};

        if (!is_dir(path) || fs_list(&names, path, &e) < 0 || names.count > 1 ||
            (names.count == 1 && strcmp(names.items[0], "link") != 0))
            return false;
    }
    return true;
}

/* Anybody may have put a folder there. The first thing that a run makes is the lock, which says who
 * held it; and whatever is beside it must be ours too. */
static bool is_made_here(const char *folder)
{
    auto_free char *lock = fs_join(folder, "lock"), *links = fs_join(folder, "links");
    auto_free char *owner = NULL;
    auto_strv struct strv names = {0};
    struct stat st;
    struct err e;

    if (lstat(lock, &st) < 0 || !S_ISREG(st.st_mode) ||
        fs_read(&owner, NULL, lock, OWNER_MAX, &e) < 0 || fs_list(&names, folder, &e) < 0)
        return false;
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = fs_join(folder, names.items[i]);
        bool folder_inside = strcmp(names.items[i], "links") == 0;

        if (!is_own_name(names.items[i]) || lstat(path, &st) < 0 ||
            !(folder_inside ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)))
            return false;
    }
    return lock_owner_is_valid(owner) && holds_links(links);
}

/* Of environments without a container: a folder without a key, the journal of a killed run. */
static void find_homes(struct node *items, const char *home, const struct node *containers,
                       int64_t before)
{
    auto_strv struct strv names = {0};

    env_homes(&names, home);
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *folder = fs_join(home, names.items[i]);
        auto_free char *key = fs_join(folder, "key"), *lock = fs_join(folder, "lock");
        auto_free char *journal = fs_join(folder, "journal");
        struct stat st;

        if (has_containers(containers, names.items[i]) || (fs_exists(lock) && !is_free(lock)))
            continue;
        if (!fs_exists(key) && is_old(&st, folder, before) && S_ISDIR(st.st_mode) &&
            is_made_here(folder))
            add(items, folder, &st, "it has no key and no container");
        else if (fs_exists(key) && is_old(&st, journal, before))
            add(items, journal, &st, "of a killed run; its environment has no container");
    }
}

void clean_files_find(struct node *items, const char *home, const struct strv *dirs,
                      const struct node *containers, int64_t before)
{
    for (size_t i = 0; i < dirs->count; i++)
        find_in(items, dirs->items[i], before);
    find_homes(items, home, containers, before);
}
