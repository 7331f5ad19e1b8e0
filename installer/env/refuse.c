/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "env/env.h"

int env_refuse(struct env *env, const struct problems *p, const char *what, struct err *e)
{
    for (size_t i = 0; i < p->lines.count; i++) {
        log_redact_text(p->lines.items[i]);
        strv_add(&env->problems, p->lines.items[i]);
    }
    return err_set(e, ERR_CONFIG, "%s: %zu problem%s; nothing was changed", what, p->count,
                   p->count == 1 ? "" : "s");
}
