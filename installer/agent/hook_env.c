/* SPDX-License-Identifier: MIT */
#include "agent/hook_env.h"

#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"

enum { FILE_MAX = 4 << 20 };

int hook_env_save(const struct strv *env, const char *run_dir, struct err *e)
{
    auto_buf struct buf b;
    auto_free char *path = fs_join(run_dir, "hook.env");

    buf_init(&b, FILE_MAX);
    for (size_t i = 0; i < env->count; i++)
        buf_add(&b, env->items[i], strlen(env->items[i]) + 1);
    if (b.full)
        return err_set(e, ERR_CONFIG, "the environment of hooks is larger than %d bytes", FILE_MAX);
    return fs_write(path, buf_str(&b), b.len,
                    &(struct fs_write_opts){.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1}, e);
}

int hook_env_load(struct strv *env, const char *run_dir, struct err *e)
{
    auto_free char *path = fs_join(run_dir, "hook.env");
    auto_free char *text = NULL;
    size_t len = 0;

    if (fs_read(&text, &len, path, FILE_MAX, e) < 0)
        return err_wrap(e, "environment of hooks");
    for (size_t at = 0; at < len; at += strlen(text + at) + 1)
        strv_add(env, text + at);
    return 0;
}
