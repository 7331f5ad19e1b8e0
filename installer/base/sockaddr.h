/* SPDX-License-Identifier: MIT */
/* From an IP address as text to what the socket calls take. */
#ifndef BASE_SOCKADDR_H
#define BASE_SOCKADDR_H

#include <sys/socket.h>

/* IPv4 or IPv6 without brackets; no name is looked up. Returns the length for bind and connect, 0
 * when it is not an address. */
socklen_t sockaddr_parse(struct sockaddr_storage *out, const char *address, int port);

#endif
