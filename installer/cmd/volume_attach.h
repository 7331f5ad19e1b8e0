/* SPDX-License-Identifier: MIT */
/* Attaching as one step among others. */
#ifndef CMD_VOLUME_ATTACH_H
#define CMD_VOLUME_ATTACH_H

#include "cmd/volume_run.h"

struct volume_attach_many {
    const struct strv *names;
    const char *to; /* a driver as the user says it, or NULL: the only one */
    bool read_only;
    int64_t take_over;
};
int volume_attach_many(struct volume_run *r, const struct volume_attach_many *o, struct err *e);
/* Tells everybody who serves the volume its size. */
int volume_attached_resize(struct volume_run *r, const char *name, struct err *e);

#endif
