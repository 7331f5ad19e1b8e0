/* SPDX-License-Identifier: MIT */
#include "env/tally.h"

#include "base/mem.h"

void tally_add(struct tally *t, const char *place, bool done)
{
    t->count++;
    if (done)
        return;
    t->failures++;
    if (!strv_has(&t->failed, place))
        strv_add(&t->failed, place);
}

static int result(const struct tally *t, const struct env *env, const char *interrupted,
                  struct err *e)
{
    auto_free char *list = strv_join(&t->failed, ", ");

    if (t->failures == 0)
        return 0;
    if (until_is_cancelled(env->until))
        return err_set(e, ERR_INTERRUPTED, "%s", interrupted);
    err_set(e, ERR_REMOTE, "failed in %zu of %zu: %s", t->failures, t->count, list);
    return err_partial(e, true);
}

int tally_result(struct tally *t, const struct env *env, const char *interrupted, struct err *e)
{
    int r = result(t, env, interrupted, e);

    strv_clear(&t->failed);
    *t = (struct tally){0};
    return r;
}
