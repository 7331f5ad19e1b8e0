/* SPDX-License-Identifier: MIT */
/* The container's own address, for keys that do not tell it. */
#ifndef AGENT_ADDRESS_H
#define AGENT_ADDRESS_H

/* First address that is not a loopback, IPv4 before IPv6; else 127.0.0.1. Owned. */
char *address_own(void);

#endif
