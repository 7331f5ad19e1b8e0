/* SPDX-License-Identifier: MIT */
/*
 * Names, labels and the way from an environment's name to its etcd. One fact each, for every
 * command.
 */
#ifndef PLAN_CONNECT_H
#define PLAN_CONNECT_H

#include "conf/node.h"
#include "engine/engine.h"
#include "etcd/etcd.h"
#include "model/secret.h"

/* Labels of everything Slipway makes. */
#define LABEL_ENV "slipway.env"             /* UUID of the environment */
#define LABEL_NAME "slipway.name"           /* its name */
#define LABEL_INSTANCE "slipway.instance"   /* ceph-osd-1 */
#define LABEL_COMPONENT "slipway.component" /* ceph-osd */
#define LABEL_HASH "slipway.hash"           /* of the desired container */
#define LABEL_ADDRESS "slipway.address"     /* containers and volumes: the instance keeps it */
#define LABEL_SSH "slipway.ssh"             /* containers: sshd runs inside */
#define LABEL_SUBNET "slipway.subnet"       /* volumes: the network it was made in */

#define CONNECT_ASIDE                                                                              \
    ".old" /* suffix of a container set aside while its successor proves itself                    \
            */

#define ETCD_COMPONENT "etcd" /* the component that carries the configuration of the others */

char *connect_container_name(const char *env, const char *instance); /* <env>-<instance> */
char *connect_network_name(const char *env);                         /* <env>-net */
char *connect_volume_name(const char *env, const char *instance, int number, int of);

/* Containers of the environment with this UUID (list of the API's objects). */
int connect_containers(struct node **out, struct engine *g, const char *uuid, struct err *e);
/* A container, network or volume that the environment with this UUID made. */
bool connect_is_ours(const struct node *object, const char *uuid);
/* A container that was set aside. */
bool connect_is_aside(const struct node *container);
/* The one of an instance in such a list (not one set aside), or NULL. */
const struct node *connect_find(const struct node *containers, const char *instance);
/* Label of a container, network or volume object, or NULL. */
const char *connect_label(const struct node *object, const char *label);

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
/* The same from nothing but the name: loads the key, asks the engine. */
int connect_environment(struct etcd **out, struct node **containers, struct env_key *key,
                        struct engine *g, const char *env, struct err *e);

#endif
