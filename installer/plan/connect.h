/* SPDX-License-Identifier: MIT */
/* The way from an environment's name and key to its etcd: the link, and a client opened with it. */
#ifndef PLAN_CONNECT_H
#define PLAN_CONNECT_H

#include "conf/node.h"
#include "engine/engine.h"
#include "etcd/etcd.h"
#include "model/secret.h"

/*
 * The link for a user ("root" or an instance) to the etcd members among `containers`. For an
 * instance the prefix is its own. ERR_NOTFOUND when there is no etcd container. The text is owned:
 * wipe it.
 */
int connect_link(char **text, const struct node *containers, const char *env,
                 const struct env_key *key, const char *user, struct err *e);
/* The link as root, parsed; link_free. */
int connect_root_link(struct link **out, const struct node *containers, const char *env,
                      const struct env_key *key, struct err *e);
/* Opened as root. ERR_NOTFOUND when no etcd runs: the message says what to do. */
int connect_etcd(struct etcd **out, const struct node *containers, const char *env,
                 const struct env_key *key, struct err *e);
/* The same with what an earlier call left in *kept, a client or NULL: it stays when it still leads
 * there, with its connection and its login. */
int connect_kept_etcd(struct etcd **kept, const struct node *containers, const char *env,
                      const struct env_key *key, struct err *e);

#endif
