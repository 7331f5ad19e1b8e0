/* SPDX-License-Identifier: MIT */
#include "env/paths.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

static int program_path(char **out, struct err *e)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (len < 0)
        return err_sys(e, "finding the program's own path");
    path[len] = '\0';
    *out = mem_strdup(path);
    return 0;
}

/* The first folder that holds components/: given, of the source tree (build/gcc/slipway),
 * installed. */
static char *find_share(const char *dir, const char *given)
{
    auto_free char *tree = mem_printf("%s/../..", dir);
    auto_free char *installed = mem_printf("%s/../share/slipway", dir);
    const char *const candidates[] = {given, tree, installed};

    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        auto_free char *components = candidates[i] ? fs_join(candidates[i], "components") : NULL;

        if (components && fs_exists(components))
            return realpath(candidates[i], NULL);
    }
    return NULL;
}

/* slipway-init and slipway-agent lie beside slipway in a build, in lib/slipway when installed. */
static char *find_program(const char *dir, const char *name)
{
    auto_free char *beside = fs_join(dir, name);

    if (fs_is_executable(beside))
        return steal(beside);
    return mem_printf("%s/../lib/slipway/%s", dir, name);
}

int env_paths_find(struct env_paths *p, const char *given, struct err *e)
{
    auto_free char *dir = NULL, *share = NULL;

    if (program_path(&p->relay, e) < 0)
        return -1;
    dir = mem_strndup(p->relay, (size_t)(strrchr(p->relay, '/') - p->relay));
    share = find_share(dir, given);
    if (!share)
        return err_set(
            e, ERR_NOTFOUND,
            "the folder with components/ and dockerfiles/ is not found; name it in SLIPWAY_SHARE");
    p->components = fs_join(share, "components");
    p->dockerfiles = fs_join(share, "dockerfiles");
    p->demo = fs_join(share, "components/demo.yaml");
    p->steps = fs_join(share, "scripts/host/steps");
    p->init = find_program(dir, "slipway-init");
    p->agent = find_program(dir, "slipway-agent");
    p->daemon = fs_join(dir, "slipwayd");
    return 0;
}

void env_paths_clear(struct env_paths *p)
{
    free(p->components);
    free(p->dockerfiles);
    free(p->demo);
    free(p->steps);
    free(p->init);
    free(p->agent);
    free(p->daemon);
    free(p->relay);
    *p = (struct env_paths){0};
}
