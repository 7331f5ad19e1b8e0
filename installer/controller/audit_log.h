/* SPDX-License-Identifier: MIT */
/* Who asked this server to change what, in etcd: beside the environment's own audit trail, which
 * says what came of it. The oldest entries go by age and by number. */
#ifndef CONTROLLER_AUDIT_LOG_H
#define CONTROLLER_AUDIT_LOG_H

#include "controller/controller.h"
#include "controller/request.h"

enum { AUDIT_LOG_DAYS = 30, AUDIT_LOG_MAX = 2000, AUDIT_LOG_ENTRY_MAX = 4096 };

/* Writes down a request that is answered. What its schema says is secret is not in it. A failure is
 * logged: what was done is done. Wrong logins of one address within a minute are one entry; a login
 * that was not tried leaves nothing. */
void audit_log_add(struct controller *c, const struct request *q);
/* The entries, the newest first, owned. */
int audit_log_rows(struct node **out, struct controller *c, struct err *e);
/* Removes what is too old or too many. */
void audit_log_sweep(struct controller *c);

#endif
