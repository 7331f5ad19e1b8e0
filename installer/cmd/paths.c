/* SPDX-License-Identifier: MIT */
#include "cmd/paths.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cmd/cmd.h"

const char *cmd_variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
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
