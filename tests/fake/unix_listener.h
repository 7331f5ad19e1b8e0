/* SPDX-License-Identifier: MIT */
/* A socket of this process where a test expects Docker's. */
#ifndef FAKE_UNIX_LISTENER_H
#define FAKE_UNIX_LISTENER_H

struct unix_listener {
    int fd;
    char path[64], url[80]; /* "/tmp/slipway-NAME-PID", and as the Engine's address */
};

/* Listens; what goes wrong fails the test. */
void unix_listener_open(struct unix_listener *l, const char *name, int backlog);
/* Ends a wait in accept(2). */
void unix_listener_end(struct unix_listener *l);
/* After whoever waited is gone. */
void unix_listener_close(struct unix_listener *l);

#endif
