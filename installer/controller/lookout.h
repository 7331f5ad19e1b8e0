/* SPDX-License-Identifier: MIT */
/* Hears of changes: Docker's events and a watch on the environment's keys, each in a thread of its
 * own that comes back by itself. */
#ifndef CONTROLLER_LOOKOUT_H
#define CONTROLLER_LOOKOUT_H

#include <pthread.h>

#include "base/err.h"

struct controller;

struct lookout {
    struct controller *c;
    pthread_t docker, etcd;
    int started; /* how many of the two */
    int asked;   /* of the thread for Docker: how often its stream has asked whether to end */
};

/* Two threads, which watch Docker and etcd until lookout_stop, which is called in every case. */
int lookout_start(struct lookout *l, struct controller *c, struct err *e);
/* After c->stop was raised. */
void lookout_stop(struct lookout *l);
/* Asks etcd who the people are; tells it when that changed. */
int lookout_read_people(struct controller *c, struct err *e);

#endif
