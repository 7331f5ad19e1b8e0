/* SPDX-License-Identifier: MIT */
/* Who changed what and when: /slipway/<env>/audit/<time>. */
#ifndef CMD_AUDIT_H
#define CMD_AUDIT_H

#include "conf/node.h"
#include "etcd/etcd.h"

/* Puts an entry into the transaction that makes the change. `detail` is borrowed, may be NULL. */
void audit_add(struct etcd_txn *t, const char *env, const char *what, const struct node *detail);
/* "user@host" of this process, owned. */
char *audit_who(void);

#endif
