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

enum volume_detach_how {
    VOLUME_DETACH_ASKED,  /* the driver refuses while it is in use */
    VOLUME_DETACH_FORCED, /* the driver cuts off who uses it, if it is alive */
    VOLUME_DETACH_UNHEARD /* the driver is not waited for */
};
/* Takes one volume off the instance that serves it; with several, `from` says which. */
int volume_detach_from(struct volume_run *r, const char *name, const char *from,
                       enum volume_detach_how how, struct err *e);

struct volume_move {
    const char *to, *from; /* as the user says them, or NULL: the only one */
    bool force;            /* the old driver is dead, and is fenced */
};
int volume_move_to(struct volume_run *r, const struct volume_move *o, const char *name,
                   struct err *e);

#endif
