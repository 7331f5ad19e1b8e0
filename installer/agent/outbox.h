/* SPDX-License-Identifier: MIT */
/* A text that one thread says and another writes to etcd: the last one said, and whether etcd has
 * it. */
#ifndef AGENT_OUTBOX_H
#define AGENT_OUTBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct outbox {
    pthread_mutex_t lock;
    char *text; /* owned; NULL: nothing was said yet */
    uint64_t said, written;
};
#define OUTBOX_EMPTY                                                                               \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                          \
    }
/* Frees the text; when no thread uses it any more. */
void outbox_clear(struct outbox *o);

/* Takes the text. */
void outbox_say(struct outbox *o, char *text);
/* The text that etcd does not have yet, owned, and its number. NULL: etcd has it, or there is
 * none. */
char *outbox_unwritten(struct outbox *o, uint64_t *number);
/* etcd has the text of that number; 0: none, so the last one is to be written again. */
void outbox_mark_written(struct outbox *o, uint64_t number);
bool outbox_is_written(struct outbox *o);

#endif
