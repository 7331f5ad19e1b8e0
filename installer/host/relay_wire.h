/* SPDX-License-Identifier: MIT */
/* What goes over the relay's socket: one packet "NAME\0COMMAND\0" with three descriptors there, one
 * byte with the status back. */
#ifndef HOST_RELAY_WIRE_H
#define HOST_RELAY_WIRE_H

#include <stddef.h>

#include "base/err.h"

enum { RELAY_FDS = 3, RELAY_PACKET_MAX = 64 << 10 };

struct relay_request {
    char packet[RELAY_PACKET_MAX];
    const char *name, *command; /* in `packet` */
    int fds[RELAY_FDS];         /* the caller's to close after relay_request_receive */
};

/* With this process's standard input, output and error. */
int relay_request_send(int socket, const char *name, const char *command, struct err *e);
/* Waits for it some seconds at most. On failure no descriptor is left open. */
int relay_request_receive(struct relay_request *q, int socket, struct err *e);

#endif
