/* SPDX-License-Identifier: MIT */
/* An instance -> the exact JSON of POST /containers/create, and the bodies of networks and volumes.
 * Pure. https://docs.docker.com/reference/api/engine/version/v1.41/#operation/ContainerCreate */
#ifndef PLAN_BODY_H
#define PLAN_BODY_H

#include <stdbool.h>

#include "plan/desired.h"

/* Owned. The hash label is not in it. */
struct node *body_build(const struct desired *d, const struct desired_instance *it);
/* Where the container has the data volume with this number, from 1. Owned. */
char *body_volume_target(const struct manifest *m, int number);
/* Whether its link comes over standard input when it has started. Else it is put into the created
 * container: etcd's own, which need a snapshot beside it; or mounted, as below. */
bool body_takes_link(const struct desired_instance *it);
/* A container with a read-only root file system takes no files through the API: its link is a bind
 * mount of an operator's file. */
int body_add_link_mount(struct node *body, const struct desired *d,
                        const struct desired_instance *it, struct err *e);

/* What of the body of a container that is to be made differs from one that is there, as
 * engine_container_inspect tells it (NULL: nothing is known), appended to *out: "memory 64MiB ->
 * 128MiB", each setting by its name in a document or manifest. There are no secrets in it. */
void body_changes(struct strv *out, const struct node *body, const struct node *inspect);
/* Where Docker looks for the sockets of plugins. */
#define BODY_PLUGINS "/run/docker/plugins"
/* Where the controller finds Docker's socket on its host. */
#define BODY_ENGINE_SOCKET "/var/run/docker.sock"
/* One that every container gets. */
bool body_is_base_capability(const char *name);

#endif
