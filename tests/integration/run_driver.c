/* SPDX-License-Identifier: MIT */
/* For commands.sh: two commands of one environment that stays open, as a server has it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "env/run.h"

static bool on_output(void *arg, size_t index, int stream, const char *p, size_t len)
{
    (void)arg, (void)index, (void)stream;
    return fwrite(p, 1, len, stdout) == len;
}

static int use(struct env *env, const char *instance, struct err *e)
{
    static const char *const argv[] = {"sh", "-c", "echo $SSH_CONNECTION", NULL};
    auto_strv struct strv names = strv_of(instance);
    const struct run_events ev = {.output = on_output};

    for (int i = 0; i < 2; i++) {
        struct run_result *results;

        if (run_many(&results, env, &names, &(struct run_opts){.argv = argv}, &ev, e) < 0)
            return -1;
        *e = results[0].error;
        free(results);
        if (e->code != ERR_NONE)
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct env *env = NULL;
    struct err e = {.msg = "HOME COMPONENTS NAME INSTANCE"};
    int r = -1;

    if (argc == 5) {
        struct env_paths paths = {.components = argv[2]};
        struct env_opts o = {.home = argv[1], .name = argv[3], .paths = &paths};

        r = env_open(&env, &o, ENV_NEEDS_NAME | ENV_NEEDS_SSH, &e) < 0 ? -1 : use(env, argv[4], &e);
        env_close(env);
    }
    if (r < 0)
        fprintf(stderr, "run_driver: %s\n", e.msg);
    return r < 0;
}
