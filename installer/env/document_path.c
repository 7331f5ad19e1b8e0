/* SPDX-License-Identifier: MIT */
#include "env/document_path.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "volumes/volume.h"

void document_path_save(const struct env *env)
{
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *path = env->o.file && !env->o.file_passes ? realpath(env->o.file, NULL) : NULL;
    auto_free char *file = fs_join(env->folder, "source");
    auto_free char *known = document_path_load(env);
    struct stat st;
    struct err e;

    if (!path || (known && strcmp(known, path) == 0) || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    if (fs_write(file, path, strlen(path), &o, &e) < 0)
        err_drop(&e, "remembering where the document came from");
}

char *document_path_load(const struct env *env)
{
    auto_free char *file = fs_join(env->folder, "source");
    char *path = NULL;
    struct err e;

    if (fs_exists(file) && fs_read(&path, NULL, file, PATH_MAX, &e) < 0)
        err_drop(&e, "where the document came from");
    return path;
}

char *document_path_difference(const struct env *env, const struct node *in_force)
{
    auto_free char *path = env->o.file ? NULL : document_path_load(env);
    auto_node struct node *document = NULL;
    struct stat st;
    struct problems p;
    struct spec *s;
    char *text = NULL;

    if (!path || !env->catalog || !in_force || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return NULL;
    problems_init(&p, path);
    s = spec_load(path, env->catalog, &p);
    problems_clear(&p);
    if (!s)
        return mem_printf("%s cannot be used as it is now; `slipway validate %s` says why", path,
                          path);
    document = node_copy(s->document);
    volume_keep(document, s, in_force);
    if (strcmp(s->name, env->name) == 0 && !node_equal(document, in_force))
        text = mem_printf("%s differs from the document in force; `slipway plan %s` says how", path,
                          path);
    spec_free(s);
    return text;
}
