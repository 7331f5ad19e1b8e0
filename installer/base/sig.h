/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM as a count that long work asks for. Blocks nothing; call before any thread. */
#ifndef BASE_SIG_H
#define BASE_SIG_H

/* Installs handlers that count; SIGPIPE is ignored. */
void sig_setup(void);
/* How many SIGINT or SIGTERM came: 0 go on, 1 finish what runs and stop, 2 abort. The third one
 * ends the process with status 130. */
int sig_interrupts(void);
/* For work that must be done although somebody interrupted what came before it: takes the count
 * away and returns it. A new interrupt counts again. sig_put_back adds what was set aside. */
int sig_set_aside(void);
void sig_put_back(int count);

#endif
