/* SPDX-License-Identifier: MIT */
/* Whether somebody takes connections at an address. */
#ifndef CMD_CHECK_PORT_H
#define CMD_CHECK_PORT_H

#include <stdint.h>

#include "base/err.h"

/* 0, or -1: ERR_NET with why ("connection refused"), ERR_TIMEOUT. "0.0.0.0" and "" are this
 * machine, "::" too. */
int check_port_connect(const char *address, int port, int64_t deadline, struct err *e);

#endif
