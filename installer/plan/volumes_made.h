/* SPDX-License-Identifier: MIT */
/*
 * The names of the volumes that were made for an environment, in the operator's folder: with
 * `overrides: {ceph-osd-1: {volumes: [NAME]}}` a volume may be called anything, and a label alone
 * does not tell it from a copy, whose data nobody asked to remove.
 */
#ifndef PLAN_VOLUMES_MADE_H
#define PLAN_VOLUMES_MADE_H

#include "base/err.h"
#include "base/strv.h"

/* Remembers one that is about to be made; again is fine. */
int volumes_made_add(const char *folder, const char *name, struct err *e);
/* Forgets one that was removed on purpose; one that nobody remembers is fine. */
int volumes_made_forget(const char *folder, const char *name, struct err *e);
/* Adds them to `names`: none where the folder was lost, then only usual names are known. */
void volumes_made_load(struct strv *names, const char *folder);

#endif
