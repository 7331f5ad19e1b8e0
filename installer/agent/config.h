/* SPDX-License-Identifier: MIT */
/*
 * The values in effect, from the keys by precedence, and what a change of them asks for. Pure, but
 * for the instance's own address when the keys do not tell it.
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "agent/options.h"
#include "agent/tree.h"
#include "model/manifest.h"

struct config {
    struct node *values; /* map key -> normalised value; keys without a value are not in it */
    struct node *shared; /* map name -> value */
    struct node *vars;   /* what templates and the command may name */
    int64_t ordinal;
    char *address, *data, *run;
    struct strv argv; /* the daemon's, empty when the component has none */
    struct strv env;  /* of hooks and daemon, sorted by name; without SLIPWAY_CHANGED */
};

/* *out owned. ERR_CONFIG: what the tree says does not fit the manifest. */
int config_build(struct config **out, const struct manifest *m, const struct tree *t,
                 const struct options *o, struct err *e);
void config_free(struct config *c);
void config_cleanup(struct config **c);
#define auto_config __attribute__((cleanup(config_cleanup)))

struct config_diff {
    bool any;             /* something in the keys is different */
    enum apply_kind kind; /* the strongest */
    bool live;            /* one of them is live: hook `apply` has work */
    bool effective;       /* false: nothing has to be done (an equal value, a generation) */
    struct strv names; /* configuration keys, "shared:NAME", "secret:NAME", "command", "address" */
};
/* From the trees `old` and `now` with their values. */
struct config_version {
    const struct tree *tree;
    const struct config *config;
};
void config_compare(struct config_diff *out, const struct manifest *m, struct config_version old,
                    struct config_version now);
void config_diff_clear(struct config_diff *c);
/* SHA-256 over what the daemon is started with and cannot be told later: keys that are not live,
 * secrets, address, arguments. */
void config_start_hash(char out[65], const struct manifest *m, struct config_version s);

#endif
