/* SPDX-License-Identifier: MIT */
#include "cmd/source.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"

static char *place(const char *env)
{
    auto_free char *home = secret_home(env);

    return fs_join(home, "source");
}

void source_save(const struct cmd_context *x)
{
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *path = x->file ? realpath(x->file, NULL) : NULL;
    auto_free char *file = place(x->env);
    auto_free char *known = source_load(x->env);
    struct stat st;
    struct err e;

    if (!path || (known && strcmp(known, path) == 0) || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    if (fs_write(file, path, strlen(path), &o, &e) < 0)
        err_drop(&e, "remembering where the document came from");
}

char *source_load(const char *env)
{
    auto_free char *file = place(env);
    char *path = NULL;
    struct err e;

    if (fs_exists(file) && fs_read(&path, NULL, file, PATH_MAX, &e) < 0)
        err_drop(&e, "where the document came from");
    return path;
}
