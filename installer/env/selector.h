/* SPDX-License-Identifier: MIT */
/*
 * Which instances are meant, in one word: terms with commas between them, of which one has to hold.
 *   all                        every instance
 *   ceph-osd-1, ceph-osd       an instance or all of a component, as instances.h has it
 *   ceph-osd-*, *-1, ceph-m[gon]*   instances whose name the pattern matches
 *   health=unhealthy           instances of that health: healthy, unhealthy, unknown
 */
#ifndef ENV_SELECTOR_H
#define ENV_SELECTOR_H

#include "env/env.h"

enum selector_kind {
    SELECTOR_KIND_ALL,
    SELECTOR_KIND_WORD,
    SELECTOR_KIND_PATTERN,
    SELECTOR_KIND_HEALTH,
};

struct selector_term {
    enum selector_kind kind;
    char *text; /* word, pattern or health */
};

struct selector {
    struct selector_term *terms;
    size_t count;
};

enum { SELECTOR_MAX_TERMS = 1000, SELECTOR_MAX_LEN = 64 << 10 };

/* ERR_USAGE with the column of what is wrong. Clear it in every case. Pure. */
int selector_parse(struct selector *s, const char *text, struct err *e);
/* The text that parses to the same, owned. */
char *selector_format(const struct selector *s);
void selector_clear(struct selector *s);
/* Names of the instances that are meant, each once, sorted as people count. Needs the containers,
 * and for health etcd, if it answers. A word that means nothing is ERR_NOTFOUND, and so is a
 * selector that nothing matches. */
int selector_find(struct strv *out, struct env *env, const struct selector *s, struct err *e);
/* Both at once, for a text that somebody typed; NULL: all. */
int selector_names(struct strv *out, struct env *env, const char *text, struct err *e);

#endif
