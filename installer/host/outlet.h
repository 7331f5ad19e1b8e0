/* SPDX-License-Identifier: MIT */
/* One stream of a job's output on its way to a descriptor whose reader may be slow. */
#ifndef HOST_OUTLET_H
#define HOST_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Zero at first. */
struct outlet {
    char *piece; /* read from the channel; written from `sent` on */
    size_t len, sent;
};

/* Keeps a copy, to be written. Only when nothing waits. */
void outlet_put(struct outlet *o, const char *p, size_t len);
/* Writes what waits, as far as the descriptor takes it without waiting. 1: nothing waits, 0: some
 * does, -1: nobody reads it any more. */
int outlet_flush(struct outlet *o, int fd, struct err *e);
bool outlet_is_full(const struct outlet *o); /* something waits */
void outlet_clear(struct outlet *o);

#endif
