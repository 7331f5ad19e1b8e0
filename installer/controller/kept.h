/* SPDX-License-Identifier: MIT */
/* What the keeper remembers of each instance: a list. */
#ifndef CONTROLLER_KEPT_H
#define CONTROLLER_KEPT_H

#include "base/strv.h"
#include "conf/node.h"
#include "controller/keep_rules.h"

struct kept {
    char *instance;
    struct keep_record record;
    int64_t next_wall;    /* record.next, by the wall clock, ms */
    char *cause;          /* why it is not well, or could not be mended; NULL: nothing to say */
    struct strv lines;    /* last ones of its log, in a crash loop */
    int64_t acted;        /* a look has to be newer than that, clock_now_ms */
    int64_t held;         /* when etcd told that it is held; 0: a newer look says that it is not */
    int64_t explain_next; /* when its log may be looked at again, clock_now_ms */
    bool lost, in_loop;   /* its data or image is gone; that it is in a crash loop was told */
    bool failed;          /* the last try came to nothing; `cause` says why */
    struct kept *next;
};

/* Borrowed; NULL: nothing is remembered of it. */
struct kept *kept_find(struct kept *list, const char *instance);
/* Adds it when it is not there. */
struct kept *kept_remember(struct kept **list, const char *instance);
/* Those that have no row any more go; NULL: all. */
void kept_forget(struct kept **list, const struct node *rows);
/* One that is there again, or well: what was said of it is over. */
void kept_settle(struct kept *one, const struct keep_seen *s);
/* Whether the time alone may ask for something to be done. */
bool kept_waits(const struct kept *list);
/* Adds to its row what there is to say. */
void kept_decorate(struct node *row, const struct kept *one);

#endif
