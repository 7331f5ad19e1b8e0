/* SPDX-License-Identifier: MIT */
#include "model/keys.h"

#include <string.h>

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

char *keys_release_bad(const char *env, const char *digest)
{
    return mem_printf(ROOT "%s/releases/%s", env, digest);
}

char *keys_controller_user(const char *env, const char *user)
{
    return mem_printf(ROOT "%s/controller/users/%s", env, user);
}

char *keys_controller_token(const char *env, const char *id)
{
    return mem_printf(ROOT "%s/controller/tokens/%s", env, id);
}

char *keys_controller_audit(const char *env, const char *time)
{
    return mem_printf(ROOT "%s/controller/audit/%s", env, time);
}

char *keys_controller_job(const char *env, const char *job)
{
    return mem_printf(ROOT "%s/controller/jobs/%s", env, job);
}

char *keys_controller(const char *env, const char *name)
{
    return mem_printf(ROOT "%s/controller/%s", env, name);
}

char *keys_controller_leader(const char *env)
{
    return keys_controller(env, "leader");
}

char *keys_controller_paused(const char *env)
{
    return keys_controller(env, "paused");
}

char *keys_controller_stopped(const char *env, const char *instance)
{
    return mem_printf(ROOT "%s/controller/stopped/%s", env, instance);
}

char *keys_controller_held(const char *env, const char *instance)
{
    return mem_printf(ROOT "%s/controller/held/%s", env, instance);
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

char *keys_component_once_lock(const char *env, const char *component)
{
    return mem_printf(ROOT "%s/components/%s/once.lock", env, component);
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

char *keys_link_prefix(const char *env, const char *instance)
{
    return instance ? mem_printf(ROOT "%s/instances/%s", env, instance)
                    : mem_printf(ROOT "%s", env);
}

/* ---- taking apart ---- */

enum owner { OWNER_NONE, OWNER_COMPONENT, OWNER_INSTANCE };

static const struct part {
    enum owner owner;
    const char *word; /* ending in '/': a name follows */
    enum keys_kind kind;
} PARTS[] = {
    {OWNER_NONE, "spec", KEYS_KIND_SPEC},
    {OWNER_NONE, "lock", KEYS_KIND_LOCK},
    {OWNER_NONE, "journal/", KEYS_KIND_JOURNAL},
    {OWNER_NONE, "audit/", KEYS_KIND_AUDIT},
    {OWNER_NONE, "releases/", KEYS_KIND_RELEASE_BAD},
    {OWNER_NONE, "controller/users/", KEYS_KIND_CONTROLLER_USER},
    {OWNER_NONE, "controller/tokens/", KEYS_KIND_CONTROLLER_TOKEN},
    {OWNER_NONE, "controller/audit/", KEYS_KIND_CONTROLLER_AUDIT},
    {OWNER_NONE, "controller/jobs/", KEYS_KIND_CONTROLLER_JOB},
    {OWNER_NONE, "controller/", KEYS_KIND_CONTROLLER},
    {OWNER_COMPONENT, "config/", KEYS_KIND_COMPONENT_CONFIG},
    {OWNER_COMPONENT, "shared/", KEYS_KIND_COMPONENT_SHARED},
    {OWNER_COMPONENT, "once", KEYS_KIND_COMPONENT_ONCE},
    {OWNER_COMPONENT, "once.lock", KEYS_KIND_COMPONENT_ONCE_LOCK},
    {OWNER_INSTANCE, "config/", KEYS_KIND_INSTANCE_CONFIG},
    {OWNER_INSTANCE, "secrets/", KEYS_KIND_INSTANCE_SECRET},
    {OWNER_INSTANCE, "meta", KEYS_KIND_INSTANCE_META},
    {OWNER_INSTANCE, "applied", KEYS_KIND_INSTANCE_APPLIED},
    {OWNER_INSTANCE, "status", KEYS_KIND_INSTANCE_STATUS},
};

/* Moves *at past `word` when it begins so. */
static bool skip(const char **at, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(*at, word, len) != 0)
        return false;
    *at += len;
    return true;
}

/* The name before the next slash or the end, into out[KEYS_NAME_SIZE]. */
static bool take_name(char *out, const char **at)
{
    size_t len = strcspn(*at, "/");

    if (len == 0 || len >= KEYS_NAME_SIZE)
        return false;
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len;
    return true;
}

static const struct part *find_part(enum owner owner, const char **at)
{
    for (size_t i = 0; i < ARRAY_LEN(PARTS); i++) {
        const char *end = *at;

        if (PARTS[i].owner != owner || !skip(&end, PARTS[i].word))
            continue;
        if ((end[-1] == '/') == (*end != '\0')) {
            *at = end;
            return &PARTS[i];
        }
    }
    return NULL;
}

/* What stands before the key's own part; *at is after it. */
static bool take_owner(struct keys_path *out, enum owner *owner, const char **at)
{
    *owner = OWNER_NONE;
    if (!skip(at, ROOT) || !take_name(out->env, at) || !skip(at, "/"))
        return false;
    if (skip(at, "components/")) {
        *owner = OWNER_COMPONENT;
        return take_name(out->component, at);
    }
    if (skip(at, "instances/")) {
        *owner = OWNER_INSTANCE;
        return take_name(out->instance, at);
    }
    return true;
}

bool keys_parse(struct keys_path *out, const char *path)
{
    const struct part *part;
    enum owner owner;

    *out = (struct keys_path){0};
    if (!take_owner(out, &owner, &path))
        return false;
    if (owner == OWNER_INSTANCE && *path == '\0') {
        out->kind = KEYS_KIND_INSTANCE;
        return true;
    }
    if (owner != OWNER_NONE && !skip(&path, "/"))
        return false;
    part = find_part(owner, &path);
    if (!part)
        return false;
    out->kind = part->kind;
    out->name = *path ? path : NULL;
    return true;
}

bool keys_is_config(const struct keys_path *k)
{
    return k->kind == KEYS_KIND_COMPONENT_CONFIG || k->kind == KEYS_KIND_INSTANCE_CONFIG;
}

void keys_instances(struct strv *out, const struct etcd_kvs *kvs)
{
    for (size_t i = 0; i < kvs->count; i++) {
        const char *at = kvs->items[i].key;
        struct keys_path k;
        enum owner owner;

        if (take_owner(&k, &owner, &at) && owner == OWNER_INSTANCE &&
            (out->count == 0 || strcmp(out->items[out->count - 1], k.instance) != 0))
            strv_add(out, k.instance);
    }
}
