/* SPDX-License-Identifier: MIT */
/* A text that many answers have in common: made once, freed with the last of them. */
#ifndef CONTROLLER_SHARED_TEXT_H
#define CONTROLLER_SHARED_TEXT_H

#include <stdatomic.h>
#include <stddef.h>

struct shared_text {
    atomic_uint users;
    char *text; /* owned, and not changed any more */
    size_t len;
    char tag[17]; /* for an ETag: the same for the same text alone */
};

/* Takes the text; its first user is the caller. */
struct shared_text *shared_text_new(char *text);
/* The same for one more user. From any thread that knows that it has one. */
struct shared_text *shared_text_use(struct shared_text *t);
/* One user less; NULL is fine. */
void shared_text_release(struct shared_text *t);

#endif
