/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with volumes right now, in the words of the agents: what the provisioner or a
 * driver could not do ("volume NAME: why" in `applied`), and what the provisioner's health
 * says of volumes and of full pools. list and show put it beside the desired state.
 */
#ifndef ENV_VOLUME_TROUBLE_H
#define ENV_VOLUME_TROUBLE_H

#include "env/volume_run.h"

/* Adds to `texts` what the provisioner and the drivers say. */
int volume_trouble_load(struct strv *texts, const struct volume_run *r, struct err *e);
/* Gives the row of a volume, with "name", "pool" and perhaps "data_pool", a list "problems" of
 * sentences; none when all is well. */
void volume_trouble_add(struct node *row, const struct strv *texts);

#endif
