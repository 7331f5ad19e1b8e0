/* SPDX-License-Identifier: MIT */
/*
 * Who may do what: users and tokens as etcd had them last, so that who has logged in is answered
 * while etcd does not answer, and how often somebody may be wrong. What changes them goes to etcd
 * first.
 */
#ifndef CONTROLLER_PEOPLE_H
#define CONTROLLER_PEOPLE_H

#include <pthread.h>

#include "controller/limiter.h"
#include "controller/request.h"
#include "env/access.h"

struct people {
    pthread_mutex_t mutex; /* all below */
    struct access access;
    bool loaded;           /* etcd was asked successfully once */
    struct limiter wrong;  /* by "ADDRESS USER" */
    struct limiter from;   /* by "ADDRESS": who tries many users */
    pthread_mutex_t login; /* one password is tried at a time: each needs 16 MiB and a core */
};

/* Nobody is known until people_take. */
void people_init(struct people *p);
void people_clear(struct people *p);
/* Takes in what etcd has; true: it differs from before. */
bool people_take(struct people *p, struct access *now);
/* Who shows that token; false: nobody. */
bool people_who(struct principal *out, struct people *p, const char *token);
/* What that token, by its id, is good for now; ACCESS_ROLE_ANYBODY: nothing. */
enum access_role people_role(struct people *p, const char *id);
bool people_is_loaded(struct people *p);
/* A copy of what is known, the caller's: access_clear. */
void people_copy(struct access *out, struct people *p);
/* How long somebody has to wait who was wrong, ms; and that it was wrong, or right. */
int64_t people_wait(struct people *p, const char *address, const char *user);
void people_count(struct people *p, const char *address, const char *user, bool right);

#endif
