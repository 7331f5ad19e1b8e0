/* SPDX-License-Identifier: MIT */
/*
 * Observe: one snapshot of a host and of the environment's etcd keys. Reads only; everything after
 * it is a pure function of the snapshot.
 */
#ifndef PLAN_OBSERVED_H
#define PLAN_OBSERVED_H

#include <stdbool.h>

#include "base/strv.h"
#include "conf/node.h"
#include "engine/engine.h"
#include "etcd/etcd.h"
#include "model/secret.h"
#include "model/spec.h"

struct observed {
    struct node *containers; /* of this environment's instances, the API's list objects */
    struct node *strays;     /* with its labels, and no instance's: object.h */
    int64_t listed_ms;       /* when they were listed, by Docker's wall clock */
    struct node *others;     /* every other container: to see a foreign one with our name */
    struct node *networks;   /* all of the engine */
    struct node *volumes;    /* all of the engine */
    struct strv images;      /* references asked for that are there */
    struct strv routes;      /* "10.0.0.0/8": networks this machine has a route to */
    struct node *host_ports; /* map "127.0.0.1:80" -> why it cannot be published; NULL: none */
    struct strv no_devices;  /* paths that instances want and that are not there */
    struct node *changed;    /* map container -> its inspection, of those whose settings changed */
    bool etcd_answers;
    bool etcd_expected;       /* there is a running etcd container */
    struct err etcd_error;    /* why it does not answer */
    struct etcd_kvs keys;     /* everything below /slipway/<env>/, when it answers */
    bool access_known;        /* the next two were read */
    struct strv users, roles; /* of etcd, by name */
};

/* `key` NULL: the environment was never made on this machine. etcd not answering is not a failure.
 * *kept: the client to etcd of an earlier look or NULL, and then of this one; the caller closes it.
 * `kept` may be NULL. */
int observed_observe(struct observed **out, struct engine *g, const char *env,
                     const struct env_key *key, struct etcd **kept, struct err *e);
/* Which of `refs` (component -> image reference) are there. One by one: listing all images costs
 * Docker about a millisecond for each, whoever's they are. */
int observed_observe_images(struct observed *w, struct engine *g, const struct node *refs,
                            struct err *e);
/* What the host lacks of what the document wants of it: `host_ports`, also those that Docker itself
 * publishes already, and `no_devices`. Nothing when Docker is not of this machine, and
 * nothing when an instance asks (`self`, else NULL): of its container it would come to know. */
void observed_observe_host(struct observed *w, const struct spec *s, const char *self);
/* Fills `changed`: which settings of a container differ only an inspection tells. What cannot be
 * inspected is left out. `only`: of this instance alone; NULL: of all. */
struct desired;
void observed_inspect_changed(struct observed *w, struct engine *g, const struct desired *d,
                              const char *only);
void observed_free(struct observed *w);
void observed_cleanup(struct observed **w);
#define auto_observed __attribute__((cleanup(observed_cleanup)))

/* Value of a key in the snapshot, or NULL. Borrowed. */
const char *observed_value(const struct observed *w, const char *key);
/* By Name among networks or volumes, or NULL. */
const struct node *observed_named(const struct node *list, const char *name);
/* "running", "exited", ... of a container object. */
const char *observed_state(const struct node *container);
/* Whether it has a process, or Docker is about to give it one. */
bool observed_runs(const struct node *container);
/*
 * Whether a report that says it is true since `since_ms` can be of the run that a container object
 * shows. For up to the time of its lease etcd keeps what the run before reported; Docker's list
 * says of a young container how many seconds it runs.
 */
bool observed_is_of_this_run(const struct observed *w, const struct node *container,
                             int64_t since_ms);

#endif
