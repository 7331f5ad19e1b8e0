/* SPDX-License-Identifier: MIT */
/*
 * A command is one constant record in a file of its own and one row in commands.def; help, man page
 * and completion are printed from the records. `needs` says what main prepares before run: a
 * command holds no set-up code of its own.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>

#include "base/opt.h"
#include "engine/images.h"
#include "etcd/etcd.h"
#include "model/catalog.h"
#include "model/secret.h"
#include "model/spec.h"

enum cmd_needs {
    CMD_NEEDS_CATALOG = 1 << 0, /* x->catalog */
    CMD_NEEDS_SPEC =
        1 << 1, /* x->spec: --file, else what etcd holds, else the built-in demo; and the catalog */
    CMD_NEEDS_ENGINE = 1 << 2, /* x->engine */
    CMD_NEEDS_ETCD = 1 << 3,   /* x->etcd as root, x->containers, x->key; and the engine */
    CMD_NEEDS_NAME =
        1 << 4, /* x->env is a valid name; without --env: the only one there is, or demo */
    CMD_NEEDS_CONTAINERS = 1 << 5, /* x->key, x->containers; works while etcd does not */
};

/* Where the program's own files are: beside it in the source tree, or installed, or $SLIPWAY_SHARE.
 */
struct cmd_paths {
    char *share; /* holds components/ and dockerfiles/ */
    char *components, *dockerfiles, *init, *agent, *demo;
};

struct cmd_context {
    /* global options */
    const char *env, *file, *log_format, *log_file;
    struct strv catalogs;
    bool json, quiet, no_color, help, version;
    int verbose;
    int64_t timeout_ms; /* of the whole command; 0: the command's own */
    /* prepared */
    struct cmd_paths paths;
    char *env_owned;
    struct catalog *catalog;
    struct spec *spec;
    struct node *file_document; /* of --file, before what the environment has was added */
    struct spec *settled;       /* of cmd_settle */
    struct images_opts images;
    struct engine *engine;
    struct env_key key;
    struct node *containers;
    struct etcd *etcd;
};

struct cmd {
    struct opt_command help;
    size_t options_size; /* of the struct that help.options fill; 0: none */
    unsigned needs;
    int min_operands, max_operands; /* max -1: any number */
    bool file_operand;              /* the first operand is the environment document, as --file */
    bool stop_at_operand;           /* words behind the first operand are not ours: exec */
    int (*run)(struct cmd_context *x, void *options, const struct strv *operands, struct err *e);
};

/* All commands, sorted as in commands.def; the list ends with NULL. */
extern const struct cmd *const cmd_all[];
enum { CMD_GLOBAL_OPTIONS = 12 };
extern const struct opt_spec cmd_global_options[CMD_GLOBAL_OPTIONS + 1];
/* By one or two words ("config set"); *used says how many. NULL when there is none. */
const struct cmd *cmd_find(const char *const *argv, int *used);

/* A line for whoever looks, as it is: on stderr, or in JSON where the log is; and in its file. */
void cmd_tell(const char *line);
/* Prepares what `needs` names. */
int cmd_prepare(struct cmd_context *x, unsigned needs, struct err *e);
void cmd_release(struct cmd_context *x);
/* For struct converge_opts, with the context as its argument: the document as etcd has it now, with
 * what instances changed since it was stored, under what the file says. */
int cmd_settle(void *arg, const struct spec **spec, const struct etcd_kvs *keys, struct err *e);
/* Names of the environments that have a folder on this machine, sorted; and of those whose key is
 * in it. */
void cmd_homes(struct strv *out);
void cmd_environments(struct strv *out);
int cmd_paths_find(struct cmd_paths *p, struct err *e);
/* Deadline of the command, clock.h: --timeout, else the default of the command. */
int64_t cmd_deadline(const struct cmd_context *x, int64_t default_ms);

#endif
