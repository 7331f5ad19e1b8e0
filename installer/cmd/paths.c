/* SPDX-License-Identifier: MIT */
#include "cmd/paths.h"

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cmd/cmd.h"

const char *cmd_variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

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
static char *find_share(const char *dir)
{
    const char *given = getenv("SLIPWAY_SHARE");
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

/* `name` in the caller's home. */
static char *in_home(const char *name)
{
    const char *user = cmd_variable("HOME");
    struct passwd entry, *found = NULL;
    char text[4096];

    if (!user || *user != '/') {
        getpwuid_r(getuid(), &entry, text, sizeof(text), &found);
        user = found ? found->pw_dir : "/root";
    }
    return fs_join(user, name);
}

char *cmd_paths_home(void)
{
    const char *home = cmd_variable("SLIPWAY_HOME"), *config = cmd_variable("XDG_CONFIG_HOME");

    if (home)
        return mem_strdup(home);
    if (config && *config == '/')
        return fs_join(config, "slipway");
    return in_home(".config/slipway");
}

char *cmd_paths_docker(void)
{
    const char *config = cmd_variable("DOCKER_CONFIG");

    return config ? mem_strdup(config) : in_home(".docker");
}

int cmd_paths_find(struct env_paths *p, struct err *e)
{
    auto_free char *dir = NULL, *share = NULL;

    if (program_path(&p->relay, e) < 0)
        return -1;
    dir = mem_strndup(p->relay, (size_t)(strrchr(p->relay, '/') - p->relay));
    share = find_share(dir);
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
    return 0;
}

void cmd_paths_clear(struct env_paths *p)
{
    free(p->components);
    free(p->dockerfiles);
    free(p->demo);
    free(p->steps);
    free(p->init);
    free(p->agent);
    free(p->relay);
    *p = (struct env_paths){0};
}
