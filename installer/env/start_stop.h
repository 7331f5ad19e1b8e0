/* SPDX-License-Identifier: MIT */
/* Starts, stops and restarts single instances, those first that others need. */
#ifndef ENV_START_STOP_H
#define ENV_START_STOP_H

#include "env/env.h"

enum start_stop_verb { START_STOP_START, START_STOP_STOP, START_STOP_RESTART };

struct start_stop_opts {
    enum start_stop_verb verb;
    int64_t grace_ms; /* until they are killed; 0: as their manifests say */
    bool force;       /* killed at once */
    bool no_wait;     /* not until they are ready */
};

struct start_stop_events {
    /* One instance is done. One call at a time, from any thread. */
    void (*done)(void *arg, const char *instance, int64_t took_ms);
    void *arg;
};

/*
 * `names` are of instances with a container. With env->catalog by what components require: started
 * after it is ready, stopped before it is; without, only etcd is known to be needed. Restarts come
 * one by one, and end at the first that does not get ready; a stop that fails leaves alone what
 * that one needs. ERR_PARTIAL: some are done; the message is the first failure. ERR_UNHEALTHY: one
 * does not get ready within the environment's timeout, else a minute.
 */
int start_stop_run(struct env *env, const struct strv *names, const struct start_stop_opts *o,
                   const struct start_stop_events *ev, struct err *e);

#endif
