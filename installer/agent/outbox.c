/* SPDX-License-Identifier: MIT */
#include "agent/outbox.h"

#include <stdlib.h>

#include "base/mem.h"

void outbox_clear(struct outbox *o)
{
    free(o->text);
    pthread_mutex_destroy(&o->lock);
}

void outbox_say(struct outbox *o, char *text)
{
    pthread_mutex_lock(&o->lock);
    free(o->text);
    o->text = text;
    o->said++;
    pthread_mutex_unlock(&o->lock);
}

char *outbox_unwritten(struct outbox *o, uint64_t *number)
{
    pthread_mutex_lock(&o->lock);
    char *text = o->text && o->written != o->said ? mem_strdup(o->text) : NULL;
    *number = o->said;
    pthread_mutex_unlock(&o->lock);
    return text;
}

void outbox_mark_written(struct outbox *o, uint64_t number)
{
    pthread_mutex_lock(&o->lock);
    o->written = number;
    pthread_mutex_unlock(&o->lock);
}

bool outbox_is_written(struct outbox *o)
{
    pthread_mutex_lock(&o->lock);
    bool written = o->written != 0;
    pthread_mutex_unlock(&o->lock);
    return written;
}
