/* SPDX-License-Identifier: MIT */
/* Who changed what and when: /slipway/<env>/audit/<time>. */
#ifndef PLAN_AUDIT_H
#define PLAN_AUDIT_H

#include <stdbool.h>

#include "conf/node.h"
#include "etcd/etcd.h"

/*
 * An entry's value, owned: what `user` did from this machine. `detail` is borrowed, may be NULL. Of
 * a change of configuration it is {"target": component or component/instance, "changes": [{"name",
 * "instance", "old", "new"}]}.
 */
char *audit_text(const char *user, const char *what, const struct node *detail);
/* Puts an entry into the transaction that makes the change. */
void audit_add(struct etcd_txn *t, const char *env, const char *user, const char *what,
               const struct node *detail);
/* Whether an entry is about `target`: a component and all of its instances, or one of these. */
bool audit_is_about(const struct node *entry, const char *target);
/* "user@host", owned: who does something from this machine. */
char *audit_who(const char *user);

#endif
