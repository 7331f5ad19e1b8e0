/* SPDX-License-Identifier: MIT */
/* The ways by which an instance's login once reached what is not the instance's in etcd. Each is
 * written so that it changes nothing where it still works. */
#ifndef CHECK_WAYS_H
#define CHECK_WAYS_H

#include "base/strv.h"
#include "etcd/etcd.h"

struct check_ways {
    const char *env, *user, *victim; /* two instances */
    struct etcd *c;                  /* with the login of `user` */
    struct etcd *root;
};

/* How many were tried; the names of those that are open are appended to `open`. -1: it could not be
 * tried, also because `user` cannot even log in. */
int check_ways_try(struct strv *open, const struct check_ways *w, struct err *e);

#endif
