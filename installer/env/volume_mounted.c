/* SPDX-License-Identifier: MIT */
#include "env/volume_mounted.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env/volume_loop.h"

enum { WORD_MAX = 16384 };
static const char ROOT[] = "/run/slipway/mounts"; /* a folder for each environment */

void volume_place_init(struct volume_place *p, const char *env, const char *volume)
{
    p->dir = mem_printf("%s/%s/%s", ROOT, env, volume);
    p->file = fs_join(p->dir, "disk");
    p->pid = fs_join(p->dir, "pid");
    p->target = fs_join(p->dir, "target");
    p->attached = fs_join(p->dir, "attached");
    p->until = (struct until){0};
}

void volume_place_clear(struct volume_place *p)
{
    free(p->dir);
    free(p->file);
    free(p->pid);
    free(p->target);
    free(p->attached);
}

static char *read_word(const char *path)
{
    char *text = NULL;
    struct err e;

    if (fs_read(&text, NULL, path, WORD_MAX, &e) < 0)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

char *volume_place_target(const struct volume_place *p)
{
    return read_word(p->target);
}

/* A number that the pid file says and that is the helper indeed. */
pid_t volume_place_helper(const struct volume_place *p)
{
    auto_free char *text = read_word(p->pid);
    long pid = text ? strtol(text, NULL, 10) : 0;
    auto_free char *link = mem_printf("/proc/%ld/exe", pid);
    char exe[256] = "";

    if (pid <= 1 || readlink(link, exe, sizeof(exe) - 1) < 0 || !strstr(exe, VOLUME_PLACE_HELPER))
        return 0;
    return (pid_t)pid;
}

static int refuse(const char *env, const char *volume, const char *before, struct err *e)
{
    auto_volume_place struct volume_place p;
    auto_free char *dir = NULL;

    volume_place_init(&p, env, volume);
    dir = volume_place_target(&p);
    if (!volume_place_helper(&p) && !(dir && volume_loop_is_mounted(dir)))
        return 0;
    return err_set(e, ERR_CONFLICT,
                   "volume %s is mounted on %s of this machine; `slipway -e %s volume unmount %s` "
                   "before %s",
                   volume, dir ? dir : "a folder", env, volume, before);
}

int volume_mounted_refuse(const char *env, const struct strv *volumes, const char *before,
                          struct err *e)
{
    auto_free char *root = fs_join(ROOT, env);
    auto_strv struct strv all = {0};

    /* Nothing is mounted, or not by this user, who could not end it. */
    if (!volumes && fs_list(&all, root, e) < 0)
        err_drop(e, "what is mounted");
    volumes = volumes ? volumes : &all;
    for (size_t i = 0; i < volumes->count; i++)
        if (refuse(env, volumes->items[i], before, e) < 0)
            return -1;
    return 0;
}
