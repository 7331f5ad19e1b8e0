/* SPDX-License-Identifier: MIT */
/*
 * What the controller leaves alone: the whole environment or single instances, because somebody
 * paused them, and instances that somebody stopped and wants so. Keys in etcd say it, so that it
 * holds for every controller and outlives each.
 */
#ifndef ENV_HELD_H
#define ENV_HELD_H

#include "env/env.h"
#include "env/start_stop.h"
#include "plan/observed.h"

enum held_why { HELD_WHY_PAUSED, HELD_WHY_STOPPED };

/* Says so of `names` (NULL: the whole environment, which can only be paused), or with `off` no
 * longer. What is as asked stays, with who said it first. Needs NAME and ETCD. */
struct held_set {
    enum held_why why;
    bool off;
    const struct strv *names;
};
int held_set(struct env *env, const struct held_set *o, struct err *e);
/* What a person wants of instances: start_stop_run, and etcd is told whether they are to run. When
 * it does not answer, they are started and stopped all the same. */
int held_start_stop(struct env *env, const struct strv *names, const struct start_stop_opts *o,
                    const struct start_stop_events *ev, struct err *e);
/* Tells etcd that these are not to run, or are again; that it could not be told is logged. */
void held_tell_stopped(struct env *env, const struct strv *names, bool stopped);

/* Whether an instance is to be left alone by what these keys say. */
bool held_is(const struct etcd_kvs *keys, const char *env, const char *instance);
/* {"paused","stopped","state","cause"} of one instance, owned; NULL: nothing is said of it. One
 * that runs all the same is not stopped. */
struct node *held_row(const struct observed *w, const char *env, const char *instance,
                      bool running);
/* {"paused","state","detail","holder"} of the environment: who keeps it, and whether that acts.
 * NULL: nobody does. Owned. */
struct node *held_environment(const struct observed *w, const char *env);

#endif
