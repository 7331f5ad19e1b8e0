/* SPDX-License-Identifier: MIT */
/* The bytes of one connection: a socket that does not block, and what libssh2 reads and writes
 * through it. libssh2 itself never waits for the network. */
#ifndef HOST_TRANSPORT_H
#define HOST_TRANSPORT_H

#include <libssh2.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct transport {
    LIBSSH2_SESSION *ssh;
    int fd;
    struct buf out; /* sent from `out_done` on */
    size_t out_done;
    size_t budget;     /* bytes that may still be read in this turn */
    bool delivered;    /* libssh2 was given bytes since it was last asked */
    bool cut;          /* the other side has ended it, or we give it up */
    int sys;           /* errno that ended it */
    uint64_t received; /* bytes in all */
    int64_t heard_ms;  /* when the last ones came; clock.h */
};

/* Begins to connect to an address of digits. ERR_CONFIG, ERR_NET, ERR_SYS. */
int transport_open(struct transport *t, const char *address, int port, struct err *e);
/* Once the socket is writable: whether it is connected. */
int transport_connected(const struct transport *t, struct err *e);
/* Sends what is to be sent, as far as the socket takes it. */
void transport_flush(struct transport *t);
/* Bytes that wait to be sent. */
size_t transport_pending(const struct transport *t);
/* Frees everything at once, also in the middle of a call. */
void transport_close(struct transport *t);

#endif
