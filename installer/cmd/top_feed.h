/* SPDX-License-Identifier: MIT */
/*
 * What `slipway top` shows, read by threads of its own, so that a Docker or an etcd that hangs
 * never stops the screen: the status each few seconds and at once when Docker tells of something,
 * what the instances use, volumes while somebody looks at them, and what happened. And a restart,
 * which goes on behind the picture.
 */
#ifndef CMD_TOP_FEED_H
#define CMD_TOP_FEED_H

#include "base/strv.h"
#include "conf/node.h"
#include "env/env.h"

struct top_feed;

/* Each is the caller's. */
struct top_news {
    struct node *status;  /* status.h; NULL: not read yet */
    struct node *usage;   /* usage.h; NULL: not read yet */
    struct node *volumes; /* env_volume_list; NULL: not read */
    struct strv events;   /* "12:00:00Z what happened", oldest first; not yet made harmless */
    char *error;          /* why the last try to read the status failed; NULL: it did not */
    char *volumes_error;  /* likewise */
    char *done;           /* what came of a restart since the last call; NULL: nothing did */
    int64_t read_ms;      /* when the status was read (clock.h) */
};
void top_news_clear(struct top_news *n);

/* Reads with environments of its own, opened as `env` was; that is borrowed until top_feed_stop,
 * and its engine is only cloned. *out is there after a failure too. */
int top_feed_start(struct top_feed **out, const struct env *env, struct err *e);
/* Ends what is under way, but waits for a restart. NULL is fine. */
void top_feed_stop(struct top_feed *f);
/* Readable when there is news. */
int top_feed_fd(const struct top_feed *f);
void top_feed_take(struct top_news *out, struct top_feed *f);
/* From now on volumes are read too, or not any more. */
void top_feed_want_volumes(struct top_feed *f, bool wanted);
/* Reads the status now. */
void top_feed_hurry(struct top_feed *f);
/* Restarts an instance in the background; false: another restart is under way. */
bool top_feed_restart(struct top_feed *f, const char *instance);
/* The instance that is being restarted, owned, or NULL. */
char *top_feed_restarting(struct top_feed *f);

#endif
