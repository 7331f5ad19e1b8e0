/* SPDX-License-Identifier: MIT */
/*
 * Bodies of requests against the schemas of schemas.json: type, properties, required,
 * additionalProperties, items, enum, the limits of lengths, numbers and counts, and $ref. Every
 * problem is told. Pure.
 */
#ifndef CONTROLLER_FORM_H
#define CONTROLLER_FORM_H

#include "conf/node.h"
#include "conf/problems.h"

/* `schemas`: all of them by name. Problems have no places: a body has no lines to look at. */
void form_check(const struct node *schemas, const char *name, const struct node *value,
                struct problems *p);
/* A copy with "[redacted]" for everything that its schema says is writeOnly. Owned. */
struct node *form_redact(const struct node *schemas, const char *name, const struct node *value);
/* The keys of every map as the API has them: conf/camel.h. */
void form_camel(struct node *n);

#endif
