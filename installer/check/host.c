/* SPDX-License-Identifier: MIT */
/*
 * The built-in module host: space where Docker and Slipway keep things on this machine, and that
 * nobody but the operator reads what the operator's folder holds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "check/modules.h"
#include "check/host.h"
#include "plan/host_dir.h"

enum { PLACES = 3, DEPTH_MAX = 8, FILES_MAX = 100000 };

/* ---- space ---- */

enum check_result check_host_space(const struct statvfs *v)
{
    uint64_t free_bytes = (uint64_t)v->f_bavail * v->f_frsize;
    uint64_t free_percent = v->f_blocks ? v->f_bavail * 100 / v->f_blocks : 100;
    uint64_t free_nodes = v->f_files ? v->f_favail * 100 / v->f_files : 100;

    if ((free_percent < 3 && free_bytes < (uint64_t)1 << 30) || free_nodes < 1)
        return CHECK_FAILED;
    if ((free_percent < 10 && free_bytes < (uint64_t)10 << 30) || free_nodes < 5)
        return CHECK_WARNING;
    return CHECK_SUCCESS;
}

static void check_place(struct check *c, const char *path, const char *what)
{
    struct statvfs v;
    enum check_result r;

    if (statvfs(path, &v) < 0) {
        check_add(c, "host.disk", CHECK_EXCEPTION, NULL, "%s: %s", path, strerror(errno));
        return;
    }
    r = check_host_space(&v);
    check_add(
        c, "host.disk", r,
        "make space (docker system df shows what Docker keeps; slipway list what there is), or "
        "enlarge the file system",
        "%s (%s): %llu MiB of %llu MiB free, %llu %% of the inodes", path, what,
        (unsigned long long)v.f_bavail * v.f_frsize >> 20,
        (unsigned long long)v.f_blocks * v.f_frsize >> 20,
        (unsigned long long)(v.f_files ? v.f_favail * 100 / v.f_files : 100));
}

/* Each file system once, under its first name. Docker's folder is here when Docker is. */
static void check_disk(struct check *c)
{
    auto_node struct node *info = NULL;
    auto_free char *exports = host_dir_path(c->env->name, "");
    struct engine *g = NULL;
    const char *paths[PLACES] = {NULL, exports, c->env->folder};
    static const char *const whats[PLACES] = {"Docker's images, containers and volumes",
                                              "what the host sees of the drivers",
                                              "the operator's key and journal"};
    dev_t seen[PLACES] = {0};
    size_t count = 0;
    struct err e;

    if (engine_clone(&g, c->env->engine, &e) < 0 || engine_info(&info, g, &e) < 0)
        check_add(c, "host.disk", CHECK_EXCEPTION, NULL, "%s", e.msg);
    paths[0] = node_get_text(info, "DockerRootDir");
    for (size_t i = 0; i < PLACES; i++) {
        struct stat st;
        bool again = false;

        if (!paths[i] || stat(paths[i], &st) < 0)
            continue;
        for (size_t j = 0; j < count; j++)
            again = again || seen[j] == st.st_dev;
        if (again)
            continue;
        seen[count++] = st.st_dev;
        check_place(c, paths[i], whats[i]);
    }
    engine_close(g);
}

/* ---- permissions ---- */

struct walk {
    struct check *check;
    size_t files, bad;
};

static void look_at(struct walk *w, const char *path, int depth)
{
    auto_strv struct strv names = {0};
    struct stat st;
    struct err e;

    if (depth > DEPTH_MAX || w->files >= FILES_MAX || lstat(path, &st) < 0 || S_ISLNK(st.st_mode))
        return; /* gone meanwhile; or a name for something else */
    w->files++;
    if (st.st_mode & 077) {
        w->bad++;
        check_add(w->check, "host.permissions", CHECK_FAILED,
                  "chmod go= of it; who has read the key can read every password: then make the "
                  "environment again",
                  "%s may be read by others: mode %04o", path, st.st_mode & 07777);
    } else if (st.st_uid != geteuid() && geteuid() != 0) {
        w->bad++;
        check_add(w->check, "host.permissions", CHECK_WARNING, "chown it to who runs slipway",
                  "%s belongs to the user %u", path, (unsigned)st.st_uid);
    }
    if (!S_ISDIR(st.st_mode))
        return;
    if (fs_list(&names, path, &e) < 0) {
        err_drop(&e, "the operator's files");
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *child = fs_join(path, names.items[i]);

        look_at(w, child, depth + 1);
    }
}

static void check_permissions(struct check *c)
{
    const char *home = c->env->folder;
    struct walk w = {.check = c};

    look_at(&w, home, 0);
    if (w.files == 0)
        check_add(c, "host.permissions", CHECK_SKIPPED, NULL, "%s is not there", home);
    else if (w.bad == 0)
        check_add(c, "host.permissions", CHECK_SUCCESS, NULL,
                  "%s and the %zu files in it are the operator's alone", home, w.files - 1);
}

static void check_host(struct check *c)
{
    if (check_wants(c, "disk"))
        check_disk(c);
    if (check_wants(c, "permissions"))
        check_permissions(c);
}

static const char *const tests[] = {"disk", "permissions", NULL};
const struct check_module check_module_host = {
    .name = "host", .tests = tests, .probe = true, .run = check_host};
