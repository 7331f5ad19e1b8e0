/* SPDX-License-Identifier: MIT */
/* What the agent of an instance answers to what etcd holds for it. */
#ifndef ENV_VOLUME_ANSWER_H
#define ENV_VOLUME_ANSWER_H

#include "env/env.h"
#include "model/spec.h"

enum volume_answer_is { VOLUME_ANSWER_NONE, VOLUME_ANSWER_APPLIED, VOLUME_ANSWER_REFUSED };
struct volume_answer {
    enum volume_answer_is is;
    char *complaint;  /* all of it, of one that refused, else NULL; the caller's */
    int64_t revision; /* of etcd, when it was read */
};
/* The answer to what etcd holds now. */
int volume_answer_read(struct volume_answer *a, struct env *env, const struct spec_instance *i,
                       struct err *e);
/* The same, waited for until `deadline` (clock.h) or a cancel: VOLUME_ANSWER_NONE then. */
int volume_answer_await(struct volume_answer *a, struct env *env, const struct spec_instance *i,
                        int64_t deadline, struct err *e);
/* Whether its agent reports that it lives. */
bool volume_answer_alive(struct env *env, const struct spec_instance *i);

/* What an agent says of these volumes ("volume NAME: why") in the text of a failed hook: that line,
 * or NULL when it speaks only of other volumes. `noun`: "volume" or "pool". Owned. */
char *volume_complaint(const char *error, const char *noun, const struct strv *names);

#endif
