/* SPDX-License-Identifier: MIT */
/*
 * The layout of the keys in etcd, below /slipway/<env>/. They are built and taken apart here alone
 * (`make lint`, rule keys). A key that goes with a lease says so.
 *
 * spec                             accepted: {"document":{...},"uuid":..,"catalog":..,
 *                                  "generation":n}
 * components/<component>/
 *   config/<key>                   value in effect for it (default, profile, document)
 *   shared/<key>                   value common to its instances (fsid, monitor list)
 *   once                           of the hook `once`: {"instance":..,"at":..}; lock: once.lock
 * instances/<instance>/
 *   meta                           {"component":..,"ordinal":1,"address":..,"generation":1,
 *                                  "env":..}
 *   config/<key>                   override of one instance
 *   secrets/<name>                 sealed under the link's password, name = "<instance>/<name>"
 *   applied                        {"revision":n,"hash":..,"at":..,"result":"ok"|"failed",
 *                                  "error":..,"pending":["key needs restart"],"data":true (was
 *                                  ready with data)}; applied.h
 *   status                         lease: {"state":"starting|ready|stopping|failed",
 *                                  "health":"healthy|unhealthy|unknown","reason":..,"since":ms,
 *                                  "agent":..,"restarts":n,"source":"etcd|snapshot"}
 * lock                             lease: {"user":..,"host":..,"pid":n,"command":"up","since":..,
 *                                  "process":{"boot":..,"namespaces":..,"start":n}}
 * journal/<run>/<op>               {"op":..,"state":"started|done|failed","at":..,"error":..}
 * audit/<time>                     {"who":..,"what":..,"detail":..}
 * releases/<digest>                {"instance":..,"why":..}: an agent that was put back
 * controller/
 *   users/<user>                   {"role":..,"password": its scrypt,..}
 *   tokens/<id>                    {"digest":..,"user":..,"role":..,"kind":..,"expires":..}
 *   audit/<time>                   {"who":..,"what":..,"address":..,..}: what it was asked to
 *                                  change
 *   jobs/<job>                     {"begun":..,"ended":..,"result":..,"by":..}: its last run
 *   paused                         {"who":..,"since":..}: the controller only watches
 *   held/<instance>                the same of one instance: `slipway pause INSTANCE`
 *   stopped/<instance>             the same: somebody stopped or removed it, and wants it so
 *   leader                         lease, as lock: the controller that acts
 */
#ifndef MODEL_KEYS_H
#define MODEL_KEYS_H

#include <stdbool.h>

#include "base/strv.h"
#include "etcd/etcd.h"

/* ---- building: all results are owned ---- */

char *keys_env(const char *env);                     /* /slipway/<env>/ */
char *keys_spec(const char *env);                    /* .../spec */
char *keys_lock(const char *env);                    /* .../lock */
char *keys_journal(const char *env, const char *op); /* .../journal/<op>; op "" gives the prefix */
char *keys_audit(const char *env, const char *time); /* .../audit/<time>; "" gives the prefix */
char *keys_release_bad(const char *env,
                       const char *digest); /* .../releases/<digest>; "" as above */
/* What the controller keeps: its users, tokens and sessions, who asked it for what, and what came
 * of its jobs; a name "" as above. */
char *keys_controller_user(const char *env, const char *user);
char *keys_controller_token(const char *env, const char *id);
char *keys_controller_audit(const char *env, const char *time);
char *keys_controller_job(const char *env, const char *job); /* its last run */
/* What concerns whoever keeps the environment: .../controller/<name>; "" gives the prefix. */
char *keys_controller(const char *env, const char *name);
/* Who keeps it now, .../controller/leader; that nothing is to be done, .../controller/paused. */
char *keys_controller_leader(const char *env);
char *keys_controller_paused(const char *env);
/* .../controller/held/<instance>: left alone by it; "" as above. */
char *keys_controller_held(const char *env, const char *instance);
/* .../controller/stopped/<instance>: somebody stopped it and wants it so; "" as above. */
char *keys_controller_stopped(const char *env, const char *instance);
char *keys_component(const char *env, const char *component); /* .../components/<c>/ */
char *keys_component_config(const char *env, const char *component, const char *key);
char *keys_component_shared(const char *env, const char *component, const char *key);
char *keys_component_once(const char *env, const char *component);
char *keys_component_once_lock(const char *env, const char *component);
char *keys_instance(const char *env, const char *instance); /* .../instances/<i>/ */
char *keys_instance_config(const char *env, const char *instance, const char *key);
char *keys_instance_secret(const char *env, const char *instance, const char *name);
char *keys_instance_meta(const char *env, const char *instance);
char *keys_instance_applied(const char *env, const char *instance);
char *keys_instance_status(const char *env, const char *instance);
/* The prefix in a link, no slash at its end: an instance's own keys; instance NULL: all of the
 * environment. */
char *keys_link_prefix(const char *env, const char *instance);

/* ---- taking apart ---- */

enum keys_kind {
    KEYS_KIND_SPEC,
    KEYS_KIND_LOCK,
    KEYS_KIND_JOURNAL,
    KEYS_KIND_AUDIT,
    KEYS_KIND_RELEASE_BAD,
    KEYS_KIND_CONTROLLER_USER,
    KEYS_KIND_CONTROLLER_TOKEN,
    KEYS_KIND_CONTROLLER_AUDIT,
    KEYS_KIND_CONTROLLER_JOB,
    KEYS_KIND_CONTROLLER, /* `name`: "leader", "paused", "held/<instance>", "stopped/<instance>" */
    KEYS_KIND_COMPONENT_CONFIG,
    KEYS_KIND_COMPONENT_SHARED,
    KEYS_KIND_COMPONENT_ONCE,
    KEYS_KIND_COMPONENT_ONCE_LOCK,
    KEYS_KIND_INSTANCE, /* a link's prefix: /slipway/<env>/instances/<i> */
    KEYS_KIND_INSTANCE_CONFIG,
    KEYS_KIND_INSTANCE_SECRET,
    KEYS_KIND_INSTANCE_META,
    KEYS_KIND_INSTANCE_APPLIED,
    KEYS_KIND_INSTANCE_STATUS,
};
enum { KEYS_NAME_SIZE = 80 };
struct keys_path {
    enum keys_kind kind;
    char env[KEYS_NAME_SIZE];
    char component[KEYS_NAME_SIZE], instance[KEYS_NAME_SIZE]; /* "" where the kind has none */
    const char *name; /* of the configuration key, shared value, secret, operation or entry: the end
                       * of the path itself, borrowed; NULL where the kind has none */
};
/* False for what is not in the layout; a prefix that ends in a slash is not either. */
bool keys_parse(struct keys_path *out, const char *path);
/* A configuration key, of a component or of one instance. */
bool keys_is_config(const struct keys_path *k);
/* Adds the instances that have any key among these, each once and in their order. */
void keys_instances(struct strv *out, const struct etcd_kvs *kvs);

#endif
