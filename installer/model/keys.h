/* SPDX-License-Identifier: MIT */
/* The etcd key layout: every key is built here, no other file contains a path. All results are
 * owned. The layout is described in etcd/README.md. */
#ifndef MODEL_KEYS_H
#define MODEL_KEYS_H

char *keys_env(const char *env);                     /* /slipway/<env>/ */
char *keys_spec(const char *env);                    /* .../spec */
char *keys_lock(const char *env);                    /* .../lock */
char *keys_journal(const char *env, const char *op); /* .../journal/<op>; op "" gives the prefix */
char *keys_audit(const char *env, const char *time); /* .../audit/<time>; "" gives the prefix */
char *keys_component(const char *env, const char *component); /* .../components/<c>/ */
char *keys_component_config(const char *env, const char *component, const char *key);
char *keys_component_shared(const char *env, const char *component, const char *key);
char *keys_component_once(const char *env, const char *component);
char *keys_instance(const char *env, const char *instance); /* .../instances/<i>/ */
char *keys_instance_config(const char *env, const char *instance, const char *key);
char *keys_instance_secret(const char *env, const char *instance, const char *name);
char *keys_instance_meta(const char *env, const char *instance);
char *keys_instance_applied(const char *env, const char *instance);
char *keys_instance_status(const char *env, const char *instance);

#endif
