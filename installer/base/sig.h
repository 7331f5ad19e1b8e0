/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM of this process as one struct cancel: for programs, that is main and what only
 * main calls; everything below is handed a struct until. Blocks nothing; call before any thread. */
#ifndef BASE_SIG_H
#define BASE_SIG_H

#include "base/until.h"

/* Installs handlers that count; SIGPIPE is ignored. */
void sig_setup(void);
/* SIGHUP too is an interrupt then, the first of them, unless the process was begun to ignore it
 * (nohup): for programs of a terminal. */
void sig_add_hangup(void);
/* What the signals raise, for as long as the process lives. The third one ends the process with
 * status 130. */
struct cancel *sig_cancel(void);
/* Its count: how many of them came. */
int sig_interrupts(void);

#endif
