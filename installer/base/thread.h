/* SPDX-License-Identifier: MIT */
/* Threads that go on with what the one that starts them is about. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* pthread_create, whose thread begins with the log fields of this one. */
int thread_start(pthread_t *id, const pthread_attr_t *attr, void *(*run)(void *arg), void *arg);

#endif
