/* SPDX-License-Identifier: MIT */
/* Where the first configuration comes from: etcd, else a snapshot of it, a file, or the component's
 * own hook `arguments`. */
#ifndef AGENT_BOOTSTRAP_H
#define AGENT_BOOTSTRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/options.h"
#include "agent/tree.h"
#include "model/manifest.h"

struct bootstrap {
    struct tree *tree;   /* owned */
    struct etcd *client; /* owned: with a token and a connection; NULL when etcd did not answer */
    int64_t revision;    /* of the store; 0 without an answer */
    bool had_data;       /* etcd says that the instance was ready before */
};

struct bootstrap_opts {
    const struct options *options;
    const struct manifest *manifest;
    const struct link *link; /* NULL: the hook `arguments` */
    bool (*idle)(void *arg); /* true: give up, ERR_INTERRUPTED */
    void *arg;
};
/* Waits for etcd as long as there is nothing else. ERR_AUTH when it refuses and there is no
 * snapshot. */
int bootstrap_open(struct bootstrap *out, const struct bootstrap_opts *o, struct err *e);
void bootstrap_clear(struct bootstrap *s);

#endif
