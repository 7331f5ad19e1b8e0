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
#include "cmd/paths.h"
#include "env/env.h"
#include "remote/remote.h"

struct cmd_context {
    /* global options */
    const char *name, *file, *log_format, *log_file;
    const char *server, *token_file, *server_pin, *server_ca;
    struct strv catalogs;
    bool json, quiet, no_color, help, version;
    bool parse_only; /* hidden: end well when the command line is well; for tests of hints */
    int verbose;
    int64_t timeout_ms; /* of the whole command; 0: the command's own */
    /* prepared by main */
    const struct cmd *const *commands; /* all of them, as cmd_all */
    struct env_paths paths;
    char *home;            /* where the environments' files are */
    char *docker_config;   /* where Docker's own client has its files */
    struct env *env;       /* with what `needs` names; NULL when that is nothing, or with: */
    struct remote *remote; /* the environment of --server, for commands that have `server` */
};

struct cmd {
    struct opt_command help;
    size_t options_size;            /* of the struct that help.options fill; 0: none */
    unsigned needs;                 /* enum env_needs */
    bool opens;                     /* opens x->env itself, later */
    int min_operands, max_operands; /* max -1: any number */
    bool file_operand;              /* the first operand is the environment document, as --file */
    bool stop_at_operand;           /* words behind the first operand are not ours: exec */
    bool no_json;                   /* --json is refused: what it prints is made for others */
    bool server;                    /* works with --server too: x->remote in the place of x->env */
    /* What the command line alone is refused for, before anything is opened; or NULL. */
    int (*check)(const struct cmd_context *x, const void *options, const struct strv *operands,
                 struct err *e);
    int (*run)(struct cmd_context *x, void *options, const struct strv *operands, struct err *e);
};

/* All commands, sorted as in commands.def; the list ends with NULL. */
extern const struct cmd *const cmd_all[];
enum { CMD_GLOBAL_OPTIONS = 17 };
extern const struct opt_spec cmd_global_options[CMD_GLOBAL_OPTIONS + 1];
/* By one or two words ("config set"); *used says how many. NULL when there is none. */
const struct cmd *cmd_find(const char *const *argv, int *used);
/* ERR_USAGE with our word when argv says it in that of another tool ("ps", "up -d"). */
int cmd_refuse_foreign(const char *const *argv, struct err *e);

/* A line for whoever looks, as it is: on stderr, or in JSON where the log is; and in its file. */
void cmd_tell(const char *line);
/* The path of a document that was named: "-" is standard input. */
const char *cmd_document_path(const char *word);
/* What the questions of a command call the environment. */
const char *cmd_place(const struct cmd_context *x);
/* x->env with what `needs` names, a set of enum env_needs; 0 opens nothing. */
int cmd_open(struct cmd_context *x, unsigned needs, struct err *e);

#endif
