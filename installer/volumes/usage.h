/* SPDX-License-Identifier: MIT */
/*
 * How a volume is used where a driver serves it: lines of the driver's file `usage` in its
 * component folder, "title: text" with ${variables}, so that no driver is known here.
 */
#ifndef VOLUMES_USAGE_H
#define VOLUMES_USAGE_H

#include "base/err.h"
#include "conf/node.h"

enum { VOLUME_USAGE_SOCKET_MAX = 107 /* bytes of a socket's path that Linux takes */ };

/*
 * List of {"title","line"} from the text of such a file; lines with # are left out. Beside
 * `variables`, which has "volume" and "host_dir", there are
 *   id          a name for the volume that QEMU takes for a node or a device: the volume's own, or
 *               one that follows from it where that begins with a digit or is too long
 *   socket_dir  host_dir; or, when a path of a line would be longer than a socket's may be, a link
 *               to it with a short name, which the first line then makes
 * ERR_CONFIG names an unknown variable. Pure.
 */
int volume_usage_render(struct node **out, const char *text, const struct node *variables,
                        struct err *e);

#endif
