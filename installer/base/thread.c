/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

struct start {
    void *(*run)(void *arg);
    void *arg;
    struct log_fields fields;
};

static void *begin(void *arg)
{
    struct start s = *(struct start *)arg;

    free(arg);
    log_fields_set(&s.fields);
    return s.run(s.arg);
}

int thread_start(pthread_t *id, const pthread_attr_t *attr, void *(*run)(void *arg), void *arg)
{
    struct start *s = mem_alloc(sizeof(*s));
    int why;

    *s = (struct start){.run = run, .arg = arg};
    log_fields_get(&s->fields);
    why = pthread_create(id, attr, begin, s);
    if (why)
        free(s);
    return why;
}
