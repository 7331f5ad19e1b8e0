/* SPDX-License-Identifier: MIT */
/*
 * Other programs' way through our connections. rsync runs a program of ours where it would run ssh;
 * that one hands its standard input, output and error over a socket to the process that keeps the
 * connections, with the name of the target and the command, and waits for its status. So rsync
 * needs no login, no key and no ssh, and the bytes do not pass through one more process.
 *
 * The socket lies in a folder that only its owner may enter, and takes only the owner's processes.
 */
#ifndef HOST_RELAY_H
#define HOST_RELAY_H

#include "host/host.h"

struct relay;

/* Makes the folder in `tmp`. `h` is borrowed until relay_close. */
int relay_open(struct relay **out, struct hosts *h, const char *tmp, struct err *e);
/* Ends what is under way, and takes the folder away. NULL is fine. */
void relay_close(struct relay *r);
/* Path of the socket, borrowed. */
const char *relay_path(const struct relay *r);
/* From now on commands for `name`, a word of letters and digits, are run at *t, each until `until`.
 * Both are borrowed until relay_close. */
void relay_allow(struct relay *r, const char *name, const struct host_target *t,
                 struct until until);
/* hosts_turn, and the programs whose command has ended are told. */
size_t relay_turn(struct relay *r, struct until until);
/* hosts_watch and hosts_unwatch of its connections. */
void relay_watch(struct relay *r, struct host_watch *w);
void relay_unwatch(struct relay *r, struct host_watch *w);
/* Bytes in all that programs sent under that name, and got. */
struct relay_bytes {
    uint64_t sent, received;
};
struct relay_bytes relay_bytes(const struct relay *r, const char *name);

/* The first word of `slipway` for relay_call. */
#define RELAY_WORD "relay-call"
/* The other end, in the program that rsync runs: hands over descriptors 0, 1 and 2 and waits.
 * *status is that of the command; 255 when it could not run, which `2` was told. */
int relay_call(int *status, const char *path, const char *name, const char *const *words,
               struct err *e);

#endif
