/* SPDX-License-Identifier: MIT */
/* Paths in etcd: what is taken apart is built again from its parts to the same text. */
#include "model/keys.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *build(const struct keys_path *k)
{
    switch (k->kind) {
    case KEYS_KIND_SPEC:
        return keys_spec(k->env);
    case KEYS_KIND_LOCK:
        return keys_lock(k->env);
    case KEYS_KIND_JOURNAL:
        return keys_journal(k->env, k->name);
    case KEYS_KIND_AUDIT:
        return keys_audit(k->env, k->name);
    case KEYS_KIND_RELEASE_BAD:
        return keys_release_bad(k->env, k->name);
    case KEYS_KIND_CONTROLLER_USER:
        return keys_controller_user(k->env, k->name);
    case KEYS_KIND_CONTROLLER_TOKEN:
        return keys_controller_token(k->env, k->name);
    case KEYS_KIND_CONTROLLER_AUDIT:
        return keys_controller_audit(k->env, k->name);
    case KEYS_KIND_CONTROLLER_JOB:
        return keys_controller_job(k->env, k->name);
    case KEYS_KIND_CONTROLLER:
        return keys_controller(k->env, k->name);
    case KEYS_KIND_COMPONENT_CONFIG:
        return keys_component_config(k->env, k->component, k->name);
    case KEYS_KIND_COMPONENT_SHARED:
        return keys_component_shared(k->env, k->component, k->name);
    case KEYS_KIND_COMPONENT_ONCE:
        return keys_component_once(k->env, k->component);
    case KEYS_KIND_COMPONENT_ONCE_LOCK:
        return keys_component_once_lock(k->env, k->component);
    case KEYS_KIND_INSTANCE:
        return keys_link_prefix(k->env, k->instance);
    case KEYS_KIND_INSTANCE_CONFIG:
        return keys_instance_config(k->env, k->instance, k->name);
    case KEYS_KIND_INSTANCE_SECRET:
        return keys_instance_secret(k->env, k->instance, k->name);
    case KEYS_KIND_INSTANCE_META:
        return keys_instance_meta(k->env, k->instance);
    case KEYS_KIND_INSTANCE_APPLIED:
        return keys_instance_applied(k->env, k->instance);
    case KEYS_KIND_INSTANCE_STATUS:
        return keys_instance_status(k->env, k->instance);
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *path = mem_strndup((const char *)data, size);
    auto_free char *again = NULL;
    struct keys_path k;

    if (!keys_parse(&k, path))
        return 0;
    again = build(&k);
    if (strcmp(path, again) != 0)
        abort();
    return 0;
}
