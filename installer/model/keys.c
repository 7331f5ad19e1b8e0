/* SPDX-License-Identifier: MIT */
#include "model/keys.h"

#include "base/mem.h"

#define ROOT "/slipway/"

char *keys_env(const char *env)
{
    return mem_printf(ROOT "%s/", env);
}

char *keys_spec(const char *env)
{
    return mem_printf(ROOT "%s/spec", env);
}

char *keys_lock(const char *env)
{
    return mem_printf(ROOT "%s/lock", env);
}

char *keys_journal(const char *env, const char *op)
{
    return mem_printf(ROOT "%s/journal/%s", env, op);
}

char *keys_audit(const char *env, const char *time)
{
    return mem_printf(ROOT "%s/audit/%s", env, time);
}

char *keys_component(const char *env, const char *component)
{
    return mem_printf(ROOT "%s/components/%s/", env, component);
}

char *keys_component_config(const char *env, const char *component, const char *key)
{
    return mem_printf(ROOT "%s/components/%s/config/%s", env, component, key);
}

char *keys_component_shared(const char *env, const char *component, const char *key)
{
    return mem_printf(ROOT "%s/components/%s/shared/%s", env, component, key);
}

char *keys_component_once(const char *env, const char *component)
{
    return mem_printf(ROOT "%s/components/%s/once", env, component);
}

char *keys_instance(const char *env, const char *instance)
{
    return mem_printf(ROOT "%s/instances/%s/", env, instance);
}

char *keys_instance_config(const char *env, const char *instance, const char *key)
{
    return mem_printf(ROOT "%s/instances/%s/config/%s", env, instance, key);
}

char *keys_instance_secret(const char *env, const char *instance, const char *name)
{
    return mem_printf(ROOT "%s/instances/%s/secrets/%s", env, instance, name);
}

char *keys_instance_meta(const char *env, const char *instance)
{
    return mem_printf(ROOT "%s/instances/%s/meta", env, instance);
}

char *keys_instance_applied(const char *env, const char *instance)
{
    return mem_printf(ROOT "%s/instances/%s/applied", env, instance);
}

char *keys_instance_status(const char *env, const char *instance)
{
    return mem_printf(ROOT "%s/instances/%s/status", env, instance);
}
