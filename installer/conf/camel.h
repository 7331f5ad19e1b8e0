/* SPDX-License-Identifier: MIT */
/*
 * Names of fields as the API has them, and as the program's own trees do: "desired_revision" and
 * "desiredRevision". What people named themselves stays: everything below "value", "old", "new",
 * "given", "default", "schema", "document", and the names right below "snapshots". Pure.
 */
#ifndef CONF_CAMEL_H
#define CONF_CAMEL_H

#include "conf/node.h"

/* The keys of every map in camelCase; and back. */
void camel_names(struct node *n);
void camel_undo(struct node *n);

#endif
