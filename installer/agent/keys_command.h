/* SPDX-License-Identifier: MIT */
/*
 * `slipway-agent keys`: one guarded transaction on the environment's keys for a component's own
 * programs, with the agent's link, so that no other program has to know how to reach etcd. What it
 * may touch is what the instance may touch.
 *
 * stdin:  {"get": [KEY...], "if": {KEY: REVISION}, "put": {KEY: TEXT},
 *          "deadline_ms": N}, all of it optional; keys are those behind /slipway/<env>/
 * stdout: {"done": BOOL, "keys": {KEY: {"value": TEXT, "revision": N}}}
 * Revision 0 means: not there. `done` is false when a revision was another one: nothing was put.
 * The keys of `get` are read before.
 */
#ifndef AGENT_KEYS_COMMAND_H
#define AGENT_KEYS_COMMAND_H

#include "agent/options.h"

/* Reads the request from standard input, writes the answer to standard output. ERR_CONFIG: the
 * instance has no link, or the request is not one. */
int keys_command(const struct options *o, struct err *e);

#endif
