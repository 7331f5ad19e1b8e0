/* SPDX-License-Identifier: MIT */
/*
 * The link from standard input. `slipway up` writes it there just after the container's start: so
 * it is in no argument, no variable and no mount, and costs Docker nothing. It is kept in a file of
 * the container's own layer, for the next start.
 */
#ifndef AGENT_LINK_INPUT_H
#define AGENT_LINK_INPUT_H

#include <stdbool.h>

#include "base/err.h"
#include "etcd/link.h"

/* Whether standard input is a pipe that may bring one. */
bool link_input_is_there(void);
/* One line of at most LINK_MAX bytes, or the file `path` should it come up meanwhile: `slipway up`
 * puts it there when it cannot know whether an earlier run came to write. Waits 30 s. What is no
 * link is not kept. */
int link_input_read(struct link **out, const char *path, struct err *e);
/* From now on standard input is empty, for this process and its children. */
void link_input_close(void);
/* The link in a file. ERR_NOTFOUND when there is none. */
int link_file_read(struct link **out, const char *path, struct err *e);

#endif
