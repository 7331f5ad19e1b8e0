/* SPDX-License-Identifier: MIT */
/*
 * What Docker's own command line is told in its folder (~/.docker): which engine the current
 * context means, and the proxies that builds get. Slipway follows it, so that `docker ps` and
 * `slipway status` mean the same engine.
 */
#ifndef ENGINE_CLIENT_CONFIG_H
#define ENGINE_CLIENT_CONFIG_H

#include "base/err.h"
#include "conf/node.h"

/* Address of the engine that a context means, owned: `context`, else the current one of config.json
 * in `folder`; the local engine where that is "default" or nothing is said. ERR_CONFIG: there is no
 * such context, or it cannot be used from here; the error says what to set. `folder` NULL: nothing
 * is said. */
int client_config_engine(char **url, const char *folder, const char *context, struct err *e);

/* The build arguments that `docker build` makes of the proxies for the engine at `url`, in a map,
 * owned; empty when there are none. Values with credentials are kept out of logs. */
struct node *client_config_proxies(const char *folder, const char *url);

#endif
