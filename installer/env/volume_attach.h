/* SPDX-License-Identifier: MIT */
/* Attaching and detaching as steps of something larger. */
#ifndef ENV_VOLUME_ATTACH_H
#define ENV_VOLUME_ATTACH_H

#include "env/volume_run.h"

struct volume_attach_step {
    const char *to; /* a driver as the user says it, or NULL: the only one */
    bool read_only;
    bool keep_marks;      /* the volumes stay with whoever formats them, volume_format.h */
    int64_t take_over;    /* serial, or 0: nobody has to be fenced */
    struct strv *already; /* or NULL: gets those that an instance which `to` means has already */
};
/* One step: attaches volumes to a driver, stores that and waits for it. */
int volume_attach_step(struct volume_run *r, const struct strv *names,
                       const struct volume_attach_step *a, struct err *e);
/* Tells everybody who serves the volume its size. */
int volume_attached_resize(struct volume_run *r, const char *name, struct err *e);
/* Takes one volume off the only instance that serves it; the driver refuses while it is in use. */
int volume_detach_step(struct volume_run *r, const char *name, struct err *e);

#endif
