/* SPDX-License-Identifier: MIT */
/*
 * What should be there: the document, the catalog and the key, expanded to the exact bodies of the
 * Engine API and the exact etcd keys. Pure; plan compares it with the snapshot.
 */
#ifndef PLAN_DESIRED_H
#define PLAN_DESIRED_H

#include "etcd/etcd.h"
#include "model/spec.h"
#include "plan/observed.h"

struct desired_instance {
    const struct spec_component *component; /* borrowed from the spec */
    const struct spec_instance *spec;
    const char *image; /* borrowed from the component below */
    char *container;   /* its name */
    char *address;
    struct node *body; /* POST /containers/create */
    char hash[65];     /* of the body without the hash label itself */
};

struct desired_component {
    const struct spec_component *spec;
    char *image;         /* slipway/ceph-osd:0123456789abcdef */
    size_t first, count; /* its instances in desired.items */
};

struct desired {
    const struct spec *spec;
    const struct env_key *key;
    const char *folder;
    char *network, *subnet;
    struct desired_component *components;
    size_t component_count;
    struct desired_instance *items;
    size_t count;
};

/* All borrowed until desired_free. */
struct desired_opts {
    const struct spec *spec;
    const struct env_key *key;
    const char *folder;        /* of the environment's files */
    const struct node *images; /* component -> reference */
    const struct observed *observed;
};
int desired_build(struct desired **out, const struct desired_opts *o, struct err *e);
void desired_free(struct desired *d);
void desired_cleanup(struct desired **d);
#define auto_desired __attribute__((cleanup(desired_cleanup)))

/* Borrowed; NULL: there is no such instance. */
const struct desired_instance *desired_find(const struct desired *d, const char *instance);
/* Labels of one volume, and of the network: bodies of their create calls; owned. */
struct node *desired_volume_body(const struct desired *d, const struct desired_instance *i,
                                 int number);
struct node *desired_network_body(const struct desired *d);

/*
 * Every etcd key of one component and its instances, as key -> text in a map node (sorted by key).
 * Secrets are sealed under the passwords of the instances' links. `link` hashes go into meta.
 */
int desired_keys(struct node **out, const struct desired *d, const struct desired_component *c,
                 struct err *e);
/* Which SSH keys are good, as etcd has it; left as it is where etcd has no document. */
void desired_ssh_state(struct ssh_state *s, const struct observed *w, const char *env);
/* Adds to `out` the sealed lines of an instance's authorized_keys, under their key of etcd: those
 * of the operator, and those of whoever deploys agents. */
int desired_authorized(struct node *out, const struct env_key *k, const char *env,
                       const char *instance, struct err *e);
int desired_deployers(struct node *out, const struct env_key *k, const char *env,
                      const char *instance, struct err *e);
/* The link of an instance, and for an etcd instance the snapshot that lets it start before etcd.
 * Owned. */
int desired_link(char **out, const struct desired *d, const char *user, struct err *e);
int desired_snapshot(char **out, const struct desired *d, const struct desired_instance *i,
                     struct err *e);
/* The value of `spec`: document, uuid, catalog version. Owned text. */
char *desired_spec(const struct desired *d, const char *catalog_version);

#endif
