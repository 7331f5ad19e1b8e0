/* SPDX-License-Identifier: MIT */
/* A connected byte stream to an engine, and the sentences for why there is none. */
#ifndef ENGINE_DIAL_H
#define ENGINE_DIAL_H

#include "base/err.h"
#include "base/until.h"

/* The path of unix://PATH, owned; anything else is ERR_CONFIG. */
int dial_parse(char **path, const char *url, struct err *e);
/* *fd is owned and does not block. An engine that takes no connection is waited for. */
int dial_unix(int *fd, const char *path, struct until until, struct err *e);

#endif
