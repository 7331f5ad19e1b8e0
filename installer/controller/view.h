/* SPDX-License-Identifier: MIT */
/*
 * The environment as it was seen last: looked at when Docker or etcd tell of a change, and each
 * 30 s besides. What differs from the look before is told as events. Requests are answered from
 * here, so that a hundred browsers cost Docker and etcd nothing.
 */
#ifndef CONTROLLER_VIEW_H
#define CONTROLLER_VIEW_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/node.h"
#include "controller/shared_text.h"
#include "env/env.h"

struct controller;

/* Who acts on what is seen; zero: nobody. Called from the looking thread. */
struct view_follower {
    /* Adds to the rows what it knows; before they are told. */
    void (*decorate)(void *arg, struct node *rows);
    /* A look that began at `began`, clock_now_ms. `environment` NULL: it failed. */
    void (*look)(void *arg, const struct node *rows, const struct node *environment, int64_t began);
    void *arg;
};

struct view {
    struct controller *c;
    struct view_follower follower; /* set before it starts */
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct node *rows;        /* of the instances; NULL before the first look */
    struct node *environment; /* as GET /environment, but for `counts` made from the rows */
    struct shared_text *list; /* GET /instances without parameters */
    int64_t revision;         /* counts looks that differed */
    int64_t seen;             /* wall time, ms */
    int64_t stale;            /* since when looks fail; 0: they do not */
    bool wanted;              /* somebody wants one now */
    pthread_t looker;
    bool started;
};

/* Nothing is seen yet. */
void view_init(struct view *v, struct controller *c);
/* Starts to look; what is not there yet is waited for. */
int view_start(struct view *v, struct err *e);
/* After c->stop was raised. */
void view_stop(struct view *v);
void view_clear(struct view *v);
/* Look soon. */
void view_poke(struct view *v);

/* NULL before the first look: the list of the instances as it is asked for most, for one more user;
 * copies of rows and environment, owned. */
struct shared_text *view_list(struct view *v);
struct node *view_rows(struct view *v);
struct node *view_environment(struct view *v);
/* What `hello` says. */
struct node *view_hello(struct view *v);
int64_t view_revision(struct view *v);

#endif
