/* SPDX-License-Identifier: MIT */
#include "env/engine.h"

#include "base/mem.h"
#include "crypto/crypto.h"
#include "engine/client_config.h"

int env_engine_open(struct env *env, struct err *e)
{
    auto_free char *url = NULL;

    if (env->engine)
        return 0;
    if (crypto_check(e) < 0)
        return -1;
    if (env->o.docker)
        url = mem_strdup(env->o.docker);
    else if (client_config_engine(&url, env->o.docker_config, env->o.docker_context, e) < 0)
        return -1;
    if (!env->proxies)
        env->proxies = client_config_proxies(env->o.docker_config, url);
    env->images.proxies = env->proxies;
    return engine_open(&env->engine, url, env->until, e);
}
