/* SPDX-License-Identifier: MIT */
/* Where the first configuration comes from: etcd, else a snapshot of it, a file, or the component's
 * own hook `arguments`. */
#ifndef AGENT_SOURCE_H
#define AGENT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/options.h"
#include "agent/tree.h"
#include "model/manifest.h"

struct source {
    struct tree *tree;   /* owned */
    struct etcd *client; /* owned: with a token and a connection; NULL when etcd did not answer */
    int64_t revision;    /* of the store; 0 without an answer */
};

struct source_opts {
    const struct options *options;
    const struct manifest *manifest;
    const struct link *link; /* NULL: the hook `arguments` */
    bool (*idle)(void *arg); /* true: give up, ERR_INTERRUPTED */
    void *arg;
};
/* Waits for etcd as long as there is nothing else. ERR_AUTH when it refuses and there is no
 * snapshot. */
int source_open(struct source *out, const struct source_opts *o, struct err *e);
void source_clear(struct source *s);
/* Data root of the instance, borrowed, or NULL. */
const char *source_data_dir(const struct options *o, const struct manifest *m);
/* Path of the snapshot that survives the container, owned; NULL when there is no data root. */
char *source_snapshot_path(const struct options *o, const struct manifest *m);

#endif
