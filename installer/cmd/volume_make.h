/* SPDX-License-Identifier: MIT */
/* Creating and deleting as steps among others: each stores, and waits for the maker's word. */
#ifndef CMD_VOLUME_MAKE_H
#define CMD_VOLUME_MAKE_H

#include "cmd/volume_run.h"

int volume_create_many(struct volume_run *r, const struct volume_new *n, const struct strv *names,
                       struct err *e);
/* Those whose deletion was begun and not ended are deleted too. */
int volume_delete_many(struct volume_run *r, const struct strv *names, bool force, struct err *e);

#endif
