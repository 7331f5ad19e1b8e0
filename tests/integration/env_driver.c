/* SPDX-License-Identifier: MIT */
/* For volumes.sh: an environment used by env/ and check/ alone, as a server would. */
#include <stdio.h>

#include "check/run.h"
#include "env/config.h"
#include "env/follow.h"
#include "env/volumes.h"

static bool on_line(void *arg, const struct logs_line *line)
{
    (void)arg;
    printf("log %s\n", line->len ? "followed" : "empty");
    return false; /* no more is wanted */
}

static int set(struct env *env, const char *target, const char *key, const char *value,
               struct err *e)
{
    const struct config_edit edits[] = {{key, value}, {0}};
    const struct config_commit o = {.what = "config set", .lock_wait_ms = CONFIG_LOCK_WAIT_MS};
    struct config_state s;
    int r = env_config_change(&s, env, target, edits, &o, e);

    config_close(&s);
    return r;
}

static int use(struct env *env, char *const *argv, struct err *e)
{
    auto_strv struct strv names = strv_of("by-library"), drivers = strv_of(argv[4]);
    auto_strv struct strv modules = strv_of("instances", "access");
    auto_node struct node *value = NULL, *row = NULL;
    auto_check_report struct check_report report = {0};

    if (set(env, argv[5], argv[6], argv[7], e) < 0 ||
        env_config_get(&value, env, argv[5], argv[6], e) < 0 ||
        set(env, argv[5], argv[6], NULL, e) < 0)
        return -1;
    printf("key %s\n", value->text);
    if (env_volume_create(env, &names, &(struct volume_new){.size = "16MiB"}, NULL, NULL, e) < 0 ||
        env_volume_attach(env, &names, &(struct volume_attach_opts){.to = argv[4]}, NULL, e) < 0 ||
        env_volume_show(&row, env, names.items[0], e) < 0 ||
        env_volume_detach(env, &names, NULL, NULL, e) < 0 ||
        env_volume_delete(env, &names, false, NULL, e) < 0)
        return -1;
    printf("volume %s\n", env_volume_state(row));
    if (follow_run(env, &drivers, &(struct follow_opts){.tail = 1, .line = on_line}, e) < 0 ||
        check_run(&report, env, &modules, NULL, e) < 0)
        return -1;
    printf("checks %s, %s\n", report.counts[CHECK_SUCCESS] ? "run" : "none",
           report.good ? "good" : "not good");
    return 0;
}

int main(int argc, char **argv)
{
    struct env *env = NULL;
    struct err e = {.msg = "HOME COMPONENTS NAME DRIVER COMPONENT KEY VALUE"};
    int r = -1;

    if (argc == 8) {
        struct env_paths paths = {.components = argv[2]};
        struct env_opts o = {.home = argv[1], .name = argv[3], .paths = &paths};

        r = env_open(&env, &o, 0, &e) < 0 ? -1 : use(env, argv, &e);
        env_close(env);
    }
    if (r < 0)
        fprintf(stderr, "env_driver: %s\n", e.msg);
    return r < 0;
}
