/* SPDX-License-Identifier: MIT */
/* What the keeper is to leave alone. */
#include "controller/api.h"
#include "env/held.h"
#include "env/status.h"

/* `word` NULL: the whole environment. */
static int hold(struct controller *c, struct request *q, const char *word, bool off, struct err *e)
{
    auto_strv struct strv words = {0}, names = {0};
    const struct held_set o = {.why = HELD_WHY_PAUSED, .off = off, .names = word ? &names : NULL};
    struct env *env = NULL;
    int r = api_open(&env, c, q, ENV_NEEDS_NAME | ENV_NEEDS_ETCD, e);

    if (r == 0 && word) {
        strv_add(&words, word);
        r = status_names(&names, env, &words, e);
    }
    if (r == 0 && word && names.count != 1)
        r = err_set(e, ERR_NOTFOUND, "%s is not one instance", word);
    if (r == 0)
        r = held_set(env, &o, e);
    env_close(env);
    return r;
}

int api_environment_pause(struct controller *c, struct request *q, struct err *e)
{
    return hold(c, q, NULL, false, e);
}

int api_environment_resume(struct controller *c, struct request *q, struct err *e)
{
    return hold(c, q, NULL, true, e);
}

int api_instance_pause(struct controller *c, struct request *q, struct err *e)
{
    return hold(c, q, q->args[0], false, e);
}

int api_instance_resume(struct controller *c, struct request *q, struct err *e)
{
    return hold(c, q, q->args[0], true, e);
}
