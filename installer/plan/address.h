/* SPDX-License-Identifier: MIT */
/*
 * Which subnet and which addresses an environment gets. Pure. What exists wins: the network, then
 * the label on a volume (monitors need the address their volume was made with), then the document,
 * then the first free /24 (or /20 for many instances) of 10.64.0.0/10 from a place the UUID names.
 */
#ifndef PLAN_ADDRESS_H
#define PLAN_ADDRESS_H

#include "model/spec.h"
#include "plan/observed.h"

struct cidr {
    uint32_t base; /* host order, network bits only */
    int bits;
};
/* "10.90.7.0/24": what is behind the network bits is left out. ERR_CONFIG. */
int cidr_parse(struct cidr *out, const char *text, struct err *e);
/* Whether an address is in both. */
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);
char *cidr_address(const struct cidr *c, uint32_t host); /* "10.0.0.2", owned */
/* The part of a subnet in which Docker chooses addresses for guests of the network, like
 * "10.0.0.224/27"; ours are given from the other end. NULL: the subnet is too small. Owned. */
char *cidr_guests(const struct cidr *c);

/* The environment's network, or NULL. Docker's names are not unique: calls of two runs can make
 * two. The one that containers and volumes have addresses in counts, else the oldest. Borrowed. */
const struct node *address_network(const struct observed *w, const char *name, const char *uuid);
/* Whether Docker runs on this machine, in this network namespace: one of its bridges is a route. */
bool address_is_docker_host(const struct observed *w);
/* Subnet text, owned. ERR_CONFLICT when the wanted one is taken or differs from the existing
 * network. */
int address_subnet(char **out, const struct observed *w, const struct spec *s,
                   const struct env_key *key, struct err *e);
struct address_request {
    const char *env, *uuid, *subnet;
    const struct strv *instances;
};
/* What is wrong with the place in our network that a container of ours has, as a predicate ("has
 * ..."); NULL: nothing, or it is not known. Owned. */
char *address_drift(const struct observed *w, const struct node *container, const char *network);
/* One address per instance name, in the order of r->instances, appended to *out. */
int address_assign(struct strv *out, const struct observed *w, const struct address_request *r,
                   struct err *e);

#endif
