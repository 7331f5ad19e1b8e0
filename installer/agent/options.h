/* SPDX-License-Identifier: MIT */
/*
 * Words and variables of slipway-agent. What is neither an option nor a link belongs to the
 * component: its hook `arguments` makes a snapshot of it.
 */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include "base/err.h"
#include "base/strv.h"
#include "etcd/link.h"

enum command {
    COMMAND_RUN,     /* child of slipway-init */
    COMMAND_HOOK,    /* hook NAME [WORD...]: runs it with the environment in effect */
    COMMAND_HEALTH,  /* Docker's HEALTHCHECK */
    COMMAND_KEYS,    /* one transaction on etcd, keys_command.h */
    COMMAND_RULES,   /* volume-rules: rules_command.h */
    COMMAND_RELEASE, /* release_command.h */
    COMMAND_VERSION,
};

struct options {
    enum command command;
    char *component_dir; /* --component, SLIPWAY_HOME, /usr/lib/slipway/component */
    char *run_dir;       /* --run, SLIPWAY_RUN, /run/slipway */
    char *data_dir;      /* --data, SLIPWAY_DATA; NULL: the manifest's */
    char *state_dir;     /* SLIPWAY_STATE, /var/lib/slipway: keep.h, of a component without data */
    char *hook;          /* COMMAND_HOOK */
    struct strv set;     /* --set KEY=VALUE, later ones win; then SLIPWAY_SET_<KEY> below them */
    struct strv set_env; /* KEY=VALUE of the variables */
    char *link;          /* the argument; wipe it. NULL: look elsewhere */
    struct strv rest;    /* arguments that are not a link; COMMAND_HOOK: the hook's;
                          * COMMAND_RELEASE: its words */
};

/* argv with the program's name at 0; environ is read. */
int options_parse(struct options *o, const char *const *argv, struct err *e);
void options_clear(struct options *o);
/* The link by precedence: argument, SLIPWAY_LINK, SLIPWAY_LINK_FILE or /etc/slipway/link, standard
 * input when it is a pipe. *out is NULL, without an error, when arguments for the component stand
 * in its place. */
int options_link(struct link **out, const struct options *o, struct err *e);

#endif
