/* SPDX-License-Identifier: MIT */
/*
 * What an instance's agent remembers from one run of its container to the next: the last
 * configuration that worked (a snapshot, tree.h), one that was refused, and how the daemon ended.
 * It lies in the data volume, else in the container's own layer; for root alone, with secrets
 * sealed.
 */
#ifndef AGENT_KEEP_H
#define AGENT_KEEP_H

#include <stdint.h>

#include "agent/config.h"
#include "agent/options.h"
#include "agent/tree.h"
#include "model/manifest.h"

#define KEEP_SNAPSHOT "snapshot.json"
#define KEEP_REFUSAL "refused.json"
#define KEEP_END "end.json"
#define KEEP_ONCE "once" /* hook `once` ran; etcd knows it too, unless it lost its data */
#define KEEP_LOST "lost" /* the data is being made again; until the instance is ready */

/* Path of such a file, owned. */
char *keep_path(const struct options *o, const struct manifest *m, const char *name);
/* Makes the folder for them. ERR_NOTFOUND when the data volume itself is not there. */
int keep_make(const struct options *o, const struct manifest *m, struct err *e);

/* Whether the data root holds nothing: neither what a component nor what an agent wrote. False for
 * a component without data. */
bool keep_data_is_empty(const struct options *o, const struct manifest *m);

/*
 * A configuration that does not work here. When only what a daemon is started with was new, `hash`
 * is over that, so that a volume more or a peer's new address does not make another configuration
 * of it. `asked` is tree.h's: whoever asks for it once more is obeyed.
 */
struct keep_refusal {
    char hash[65];
    int64_t asked;
    char *error; /* owned; NULL: nothing is refused */
};

/* `refused` does not work, `good` does. */
void keep_refuse(struct keep_refusal *r, const struct manifest *m, struct config_version refused,
                 struct config_version good);
/* Whether this is the refused one. */
bool keep_is_refused(const struct keep_refusal *r, const struct manifest *m,
                     struct config_version s);
void keep_refusal_clear(struct keep_refusal *r);
/* Nothing refused: the file is removed. */
int keep_refusal_save(const struct keep_refusal *r, const char *path, struct err *e);
/* Without a file, or with one that cannot be read, nothing is refused. */
void keep_refusal_load(struct keep_refusal *r, const char *path);

/* The last end of the daemon that nobody asked for. */
struct keep_end {
    unsigned row;     /* how many in a row came within a minute of the start; 0: none */
    int64_t lived_ms; /* of the last one */
    int64_t at_ms;    /* wall time */
    char *text;       /* how it ended, owned; NULL: not known, or long ago */
};
/* Counts one more. */
void keep_end_add(struct keep_end *k, int64_t lived_ms, const char *text);
/* How long a daemon that ended like this must live to be believed, 0: as long as any other. */
int64_t keep_end_settle_ms(const struct keep_end *k);
void keep_end_clear(struct keep_end *k);
int keep_end_save(const struct keep_end *k, const char *path, struct err *e);
void keep_end_load(struct keep_end *k, const char *path);

#endif
