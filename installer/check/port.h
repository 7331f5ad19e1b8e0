/* SPDX-License-Identifier: MIT */
/* Whether somebody takes connections at an address. */
#ifndef CHECK_PORT_H
#define CHECK_PORT_H

#include "base/err.h"
#include "base/until.h"

/* 0, or -1: ERR_NET with why ("connection refused"), ERR_TIMEOUT, ERR_INTERRUPTED at a first
 * cancel. "0.0.0.0" and "" are this machine, "::" too. */
int check_port_connect(const char *address, int port, struct until until, struct err *e);

#endif
