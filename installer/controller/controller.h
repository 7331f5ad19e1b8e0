/* SPDX-License-Identifier: MIT */
/* What the parts of the server share. Everything here may be used from any thread. */
#ifndef CONTROLLER_CONTROLLER_H
#define CONTROLLER_CONTROLLER_H

#include "controller/events.h"
#include "controller/jobs.h"
#include "controller/keeper.h"
#include "controller/people.h"
#include "controller/store.h"
#include "controller/tasks.h"
#include "controller/view.h"

enum { CONTROLLER_LOG_STREAMS = 32 };

struct controller {
    struct env_opts env; /* how the environment is opened; user, timeout and cancel as needed */
    const char *data;    /* the folder of what need not be in etcd */
    struct strv names;   /* what the server is called besides its addresses */
    struct strv trusted; /* origins of pages that may change something */
    struct node *schemas;
    char *openapi;      /* the document, made once */
    const char *fault;  /* a failpoint of the tests for what the keeper does; NULL: none */
    struct cancel stop; /* raised when the server is to end */
    struct store store;
    struct people people;
    struct events events;
    struct view view;
    struct tasks tasks;
    struct keeper keeper;
    struct jobs jobs;
    pthread_mutex_t logs_mutex;
    int log_streams; /* under way */
};

#endif
