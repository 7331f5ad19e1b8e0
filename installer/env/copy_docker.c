/* SPDX-License-Identifier: MIT */
/* Copies through the Engine API, as archives. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/embed.h"
#include "base/fs.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "engine/untar.h"
#include "env/copy_item.h"
#include "env/instances.h"

/* The container of one copy. */
struct place {
    struct engine *g;
    const char *id;
    int64_t deadline;
};

enum { SAID_MAX = 4096, UP_MAX = 256 << 20, FILES_MAX = 100000, DEPTH_MAX = 128, CLEAN_MS = 10000 };

/*
 * Docker's archives do not see what is mounted in memory (/run, /tmp): they read and write below
 * it. So everything goes through a folder of ours in the container's own layer, and a command there
 * copies between that and where it is.
 */
#define STAGE "/.slipway-copy"

EMBED_TEXT(copy_inside_script, "installer/env/copy_inside.sh");

/* What the script does for `verb`, with the path in the container and our folder there. */
static int inside(char **said, struct copy_item *it, const struct place *p, const char *verb,
                  struct err *e)
{
    const char *path = it->up && it->target ? it->target : it->up ? it->to : it->from;
    const char *const argv[] = {"/bin/sh", "-c", copy_inside_script, "sh",
                                verb,      path, it->stage,          NULL};
    auto_buf struct buf out = {0}, errors = {0};
    const struct engine_exec x = {
        .argv = argv, .out = &out, .err = &errors, .deadline = p->deadline};
    int status;

    buf_init(&out, SAID_MAX);
    buf_init(&errors, SAID_MAX);
    if (engine_exec_run(&status, p->g, p->id, &x, e) < 0)
        return -1;
    if (status != 0)
        return err_set(e, ERR_REMOTE, "%.*s", (int)strcspn(buf_str(&errors), "\n"),
                       errors.len ? buf_str(&errors) : "the command in the container failed");
    if (said)
        *said = buf_take(&out);
    return 0;
}

static int find_place(struct place *p, struct copy_item *it, struct env *env, struct engine *g,
                      struct err *e)
{
    *p = (struct place){.g = g, .deadline = env_deadline(env, COPY_TIMEOUT_MS)};
    return instances_running(NULL, &p->id, env, it->result->instance, e);
}

int copy_docker_probe(struct copy_item *it, struct env *env, struct engine *g, struct err *e)
{
    auto_free char *said = NULL;
    uint64_t number;
    struct place p;

    if (crypto_random(&number, sizeof(number), e) < 0)
        return -1;
    it->stage = mem_printf(STAGE ".%016llx", (unsigned long long)number);
    if (find_place(&p, it, env, g, e) < 0 || inside(&said, it, &p, "probe", e) < 0)
        return -1;
    it->there = copy_kind_of(&it->mode, said);
    return 0;
}

/* ---- into the container ---- */

struct load {
    struct engine_file *files;
    size_t count;
    uint64_t bytes;
};

static void load_clear(struct load *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free((void *)(uintptr_t)l->files[i].path);
        free((void *)(uintptr_t)l->files[i].data);
        free((void *)(uintptr_t)l->files[i].link);
    }
    free(l->files);
}

static int load_add(struct load *l, struct engine_file f, struct err *e)
{
    l->files = mem_grow(l->files, l->count + 1, sizeof(*l->files));
    l->files[l->count++] = f;
    l->bytes += f.len;
    if (l->bytes > UP_MAX || l->count > FILES_MAX)
        return err_set(e, ERR_CONFIG,
                       "more than %d MiB or %d files; say `ssh: true` for the component, and "
                       "rsync takes it",
                       UP_MAX >> 20, FILES_MAX);
    return 0;
}

static int load_path(struct load *l, const char *path, const char *as, unsigned depth,
                     struct err *e);

static int load_folder(struct load *l, const char *path, const char *as, unsigned depth,
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

        if (load_path(l, below, below_as, depth + 1, e) < 0)
            return -1;
    }
    return 0;
}

/* Only what was named itself may be a link that is followed. */
static int load_path(struct load *l, const char *path, const char *as, unsigned depth,
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
        if (fs_read(&data, &f.len, path, UP_MAX, e) < 0)
            return -1;
        f.data = data;
    } else if (S_ISLNK(st.st_mode)) {
        ssize_t n = readlink(path, link, sizeof(link) - 1);

        if (n < 0)
            return err_sys(e, "%s", path);
        f.link = mem_strndup(link, (size_t)n);
    } else if (S_ISDIR(st.st_mode)) {
        f.folder = true;
    } else {
        return 0; /* devices and sockets stay here */
    }
    f.path = mem_strdup(as);
    if (load_add(l, f, e) < 0)
        return -1;
    return f.folder ? load_folder(l, path, as, depth, e) : 0;
}

static int put(struct copy_item *it, const struct place *p, struct err *e)
{
    auto_free char *as = fs_join(it->stage, "it");
    struct load l = {0};
    int r = load_path(&l, it->from, as, 0, e);

    if (r == 0)
        r = engine_container_put(p->g, p->id, l.files, l.count, e);
    it->result->bytes = l.bytes;
    load_clear(&l);
    return r < 0 ? -1
                 : inside(NULL, it, p, it->here == COPY_KIND_FOLDER ? "folder-in" : "file-in", e);
}

/* ---- out of it ---- */

static int on_piece(void *arg, const char *p, size_t len, struct err *e)
{
    return untar_feed(arg, p, len, e);
}

static int get(struct copy_item *it, const struct place *p, struct err *e)
{
    auto_free char *as = fs_join(it->stage, "it");
    struct untar *u;
    int r;

    if (copy_tree_open(&it->tree, it->target, e) < 0 ||
        inside(NULL, it, p, it->there == COPY_KIND_FOLDER ? "folder-out" : "file-out", e) < 0)
        return -1;
    u = untar_new(it->tree.fd, COPY_TREE_NAME);
    r = engine_container_get(
        p->g, p->id,
        &(struct engine_get){.path = as, .chunk = on_piece, .arg = u, .deadline = p->deadline}, e);
    if (r == 0)
        r = untar_end(u, e);
    it->result->bytes = untar_bytes(u);
    untar_free(u);
    return r < 0 ? -1 : copy_tree_move(&it->tree, it->target, e);
}

int copy_docker_transfer(struct copy_item *it, struct env *env, struct engine *g, struct err *e)
{
    struct place p;
    struct err ignored;
    int r;

    if (find_place(&p, it, env, g, e) < 0)
        return -1;
    it->result->via = "docker";
    r = it->up ? put(it, &p, e) : get(it, &p, e);
    /* Also after an interrupt and a deadline. */
    p.deadline = clock_deadline(CLEAN_MS);
    engine_set_until(g, until_in(CLEAN_MS, NULL));
    if (inside(NULL, it, &p, "clean", &ignored) < 0)
        err_drop(&ignored, "removing our folder in the container");
    return r;
}
