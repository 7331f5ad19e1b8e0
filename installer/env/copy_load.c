/* SPDX-License-Identifier: MIT */
#include "env/copy_load.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env/copy_item.h"

enum { BYTES_MAX = 256 << 20, FILES_MAX = 100000, DEPTH_MAX = 128 };

/* One that is being added. */
struct adding {
    struct copy_load *l;
    struct copy_left *left;
    const char *as;
    size_t count; /* what was there before */
    uint64_t bytes;
};

static void drop_from(struct copy_load *l, size_t count)
{
    for (size_t i = count; i < l->count; i++) {
        l->bytes -= l->files[i].len;
        free((void *)(uintptr_t)l->files[i].path);
        free((void *)(uintptr_t)l->files[i].data);
        free((void *)(uintptr_t)l->files[i].link);
    }
    l->count = count;
}

static int add(struct adding *a, struct engine_file f, struct err *e)
{
    struct copy_load *l = a->l;

    l->files = mem_grow(l->files, l->count + 1, sizeof(*l->files));
    l->files[l->count++] = f;
    l->bytes += f.len;
    if (l->bytes - a->bytes > BYTES_MAX || l->count - a->count > FILES_MAX)
        return err_set(e, ERR_CONFIG,
                       "more than %d MiB or %d files; say `ssh: true` for the component, and "
                       "rsync takes it",
                       BYTES_MAX >> 20, FILES_MAX);
    return 0;
}

static int add_path(struct adding *a, const char *path, const char *as, unsigned depth,
                    struct err *e);

static int add_folder(struct adding *a, const char *path, const char *as, unsigned depth,
                      struct err *e)
{
    auto_strv struct strv names = {0};

    if (depth > DEPTH_MAX)
        return err_set(e, ERR_CONFIG, "%s: more than %d folders in one another", path, DEPTH_MAX);
    if (fs_list(&names, path, e) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *below = fs_join(path, names.items[i]);
        auto_free char *below_as = fs_join(as, names.items[i]);

        if (add_path(a, below, below_as, depth + 1, e) < 0)
            return -1;
    }
    return 0;
}

/* Only what was named itself may be a link that is followed. */
static int add_path(struct adding *a, const char *path, const char *as, unsigned depth,
                    struct err *e)
{
    struct engine_file f = {0};
    struct stat st;
    char link[PATH_MAX];
    char *data = NULL;

    if ((depth ? lstat(path, &st) : stat(path, &st)) < 0)
        return err_sys(e, "%s", path);
    f.mode = st.st_mode & 07777;
    if (S_ISREG(st.st_mode)) {
        if (fs_read(&data, &f.len, path, BYTES_MAX, e) < 0)
            return -1;
        f.data = data;
    } else if (S_ISLNK(st.st_mode)) {
        ssize_t n = readlink(path, link, sizeof(link) - 1);

        if (n < 0)
            return err_sys(e, "%s", path);
        f.link = mem_strndup(link, (size_t)n);
    } else if (S_ISDIR(st.st_mode)) {
        f.folder = true;
    } else { /* a device, a pipe, a socket */
        copy_left_add(a->left, depth ? as + strlen(a->as) + 1 : path);
        return 0;
    }
    f.path = mem_strdup(as);
    if (add(a, f, e) < 0)
        return -1;
    return f.folder ? add_folder(a, path, as, depth, e) : 0;
}

int copy_load_add(struct copy_load *l, struct copy_left *left, const char *path, const char *as,
                  struct err *e)
{
    struct adding a = {.l = l, .left = left, .as = as, .count = l->count, .bytes = l->bytes};

    if (add_path(&a, path, as, 0, e) == 0)
        return 0;
    drop_from(l, a.count);
    return -1;
}

void copy_load_clear(struct copy_load *l)
{
    drop_from(l, 0);
    free(l->files);
    *l = (struct copy_load){0};
}
