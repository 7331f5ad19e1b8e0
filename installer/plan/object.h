/* SPDX-License-Identifier: MIT */
/* Names and labels of what an environment has at Docker: containers, its network, volumes. */
#ifndef PLAN_OBJECT_H
#define PLAN_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/node.h"
#include "engine/engine.h"

/* Labels of everything Slipway makes. */
#define LABEL_ENV "slipway.env"             /* UUID of the environment */
#define LABEL_NAME "slipway.name"           /* its name */
#define LABEL_INSTANCE "slipway.instance"   /* ceph-osd-1 */
#define LABEL_COMPONENT "slipway.component" /* ceph-osd */
#define LABEL_HASH "slipway.hash"           /* of the desired container */
#define LABEL_ADDRESS "slipway.address"     /* containers and volumes: the instance keeps it */
#define LABEL_SSH "slipway.ssh"             /* containers: sshd runs inside */
#define LABEL_KEY "slipway.key"       /* network and volumes: path of the key they were made with */
#define LABEL_SUBNET "slipway.subnet" /* volumes: the network it was made in */
#define LABEL_PLACE "slipway.place"   /* volumes: its number in the instance, from 1; newer ones */

/* Suffix of a container set aside while its successor proves itself. */
#define OBJECT_ASIDE ".old"

#define ETCD_COMPONENT "etcd" /* the component that carries the configuration of the others */

char *object_container_name(const char *env, const char *instance); /* <env>-<instance> */
char *object_network_name(const char *env);                         /* <env>-net */

/*
 * Labels alone make no instance: `docker commit` copies them. A container is an instance's when it
 * has its labels and its name, and its image does not carry the labels (that of a copy does). One
 * that only lacks the name was renamed, and is the instance's still unless another one has it, and
 * gets it back. Whatever else carries the labels is a stray, named by `status`, `plan` and `down`
 * and left alone.
 *
 * No ids are kept: a record beside the key would be missing on another machine and stale after a
 * restore, and then take an environment for foreign when it is needed most. What must never
 * happen, two writers on one data volume, is told by Docker's mounts instead, whoever the other
 * one is: nothing is started beside a container that writes there.
 */
struct object_lists {
    struct node *instances; /* at most one for each instance, and one that is set aside */
    struct node *strays;    /* with our labels, and no instance's; each has "Labels" and "Names" */
    struct node *others;    /* everything else */
};
/* Moves the items of `all`, a list of the API's containers, to the lists, which are there. Asks for
 * images only where a container is not what it should be. `uuid` NULL: all are others. */
int object_sort(struct object_lists *lists, struct node *all, struct engine *g, const char *uuid,
                struct err *e);
/* The instances' containers of the environment with this UUID, owned. */
int object_containers(struct node **out, struct engine *g, const char *uuid, struct err *e);
/* A container, network or volume that carries the label of the environment with this UUID. */
bool object_is_ours(const struct node *object, const char *uuid);
/* A container that has the name of its instance's, or of one that is set aside. */
bool object_has_own_name(const struct node *container);
/* A container that was set aside. */
bool object_is_aside(const struct node *container);
/* The one of an instance in such a list (not one set aside), or NULL. */
const struct node *object_find_instance(const struct node *containers, const char *instance);
/* The name of a container in a list, borrowed; "?" when it has none. */
const char *object_name(const struct node *container);
/* Whether a container in a list uses the volume, and is not held to reading. */
bool object_writes_to(const struct node *container, const char *volume);
/* A volume with the name that one of the instance on its label is given. */
bool object_has_default_name(const struct node *volume);
/* The address that a container has in our network now, else the one it was made with; NULL for
 * NULL. Borrowed. */
const char *object_address(const struct node *container);
/* Label of a container, network or volume object, or NULL. */
const char *object_label(const struct node *object, const char *label);
/* Docker's "2026-01-31T12:00:00.5Z" in milliseconds; 0 for NULL, for what is not a time, and for
 * Docker's never, the year 1. */
int64_t object_time_ms(const char *text);

#endif
