/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM as a count that long work asks for. Blocks nothing; call before any thread. */
#ifndef BASE_SIG_H
#define BASE_SIG_H

/* Installs handlers that count; SIGPIPE is ignored. */
void sig_setup(void);
/* How many SIGINT or SIGTERM came: 0 go on, 1 finish what runs and stop, 2 abort. */
int sig_interrupts(void);

#endif
