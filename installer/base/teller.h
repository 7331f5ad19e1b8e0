/* SPDX-License-Identifier: MIT */
/*
 * Tells what several threads have to say: calls are made by a thread of its own, one at a time, in
 * the order in which they came and with no lock held. Whoever has something to say goes on
 * meanwhile, until too much waits to be told.
 */
#ifndef BASE_TELLER_H
#define BASE_TELLER_H

#include <stddef.h>

#include "base/err.h"

struct teller;

/* What waits at most, in bytes, but for the one that does not fit any more. */
enum { TELLER_MAX = 1 << 20 };

/* ERR_SYS: there is no thread to be had. */
int teller_open(struct teller **out, struct err *e);
/* Once all is told; NULL is fine. Nobody may say anything any more. */
void teller_close(struct teller *t);

/* tell(what) is called once all that was said before is told; `what`, of about `size` bytes,
 * belongs to that call. Waits while TELLER_MAX bytes wait; never from within a call. */
void teller_say(struct teller *t, void (*tell)(void *what), void *what, size_t size);
/* Until all that this thread has said is told; never from within a call. */
void teller_wait(struct teller *t);

#endif
