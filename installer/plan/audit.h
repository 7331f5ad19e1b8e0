/* SPDX-License-Identifier: MIT */
/* Who changed what and when: /slipway/<env>/audit/<time>. */
#ifndef PLAN_AUDIT_H
#define PLAN_AUDIT_H

#include "conf/node.h"
#include "etcd/etcd.h"

/*
 * An entry's value, owned. `detail` is borrowed, may be NULL. Of a change of configuration it is
 * {"target": component or component/instance, "changes": [{"name", "instance", "old", "new"}]}.
 */
char *audit_text(const char *what, const struct node *detail);
/* Puts an entry into the transaction that makes the change. */
void audit_add(struct etcd_txn *t, const char *env, const char *what, const struct node *detail);
/* "user@host" of this process, owned. */
char *audit_who(void);

#endif
