/* SPDX-License-Identifier: MIT */
/*
 * Observe: one snapshot of a host and of the environment's etcd keys. Reads only; everything after
 * it is a pure function of the snapshot.
 */
#ifndef PLAN_WORLD_H
#define PLAN_WORLD_H

#include <stdbool.h>

#include "base/strv.h"
#include "conf/node.h"
#include "engine/engine.h"
#include "etcd/etcd.h"
#include "model/secret.h"

struct world {
    struct node *containers; /* of this environment, the API's list objects */
    int64_t listed_ms;       /* when they were listed, wall clock */
    struct node *others;     /* every other container: to see a foreign one with our name */
    struct node *networks;   /* all of the engine */
    struct node *volumes;    /* all of the engine */
    struct strv images;      /* references asked for that are there */
    struct strv routes;      /* "10.0.0.0/8": networks this machine has a route to */
    bool etcd_answers;
    bool etcd_expected;    /* there is a running etcd container */
    struct err etcd_error; /* why it does not answer */
    struct etcd_kvs keys;  /* everything below /slipway/<env>/, when it answers */
};

/* `key` NULL: the environment was never made on this machine. etcd not answering is no failure.
 * *kept: the client to etcd of an earlier look or NULL, and then of this one; the caller closes it.
 * `kept` may be NULL. */
int world_observe(struct world **out, struct engine *g, const char *env, const struct env_key *key,
                  struct etcd **kept, struct err *e);
/* Which of `refs` (component -> image reference) are there. One by one: listing all images costs
 * Docker about a millisecond for each, whoever's they are. */
int world_observe_images(struct world *w, struct engine *g, const struct node *refs, struct err *e);
void world_free(struct world *w);
void world_cleanup(struct world **w);
#define auto_world __attribute__((cleanup(world_cleanup)))

/* Value of a key in the snapshot, or NULL. Borrowed. */
const char *world_value(const struct world *w, const char *key);
/* By Name among networks or volumes, or NULL. */
const struct node *world_named(const struct node *list, const char *name);
/* "running", "exited", ... of a container object. */
const char *world_state(const struct node *container);
/*
 * Whether a report that says it is true since `since_ms` can be of the run that a container object
 * shows. For up to the time of its lease etcd keeps the word of the run before; Docker's list says
 * of a young container how many seconds it runs.
 */
bool world_is_of_this_run(const struct world *w, const struct node *container, int64_t since_ms);

#endif
