/* SPDX-License-Identifier: MIT */
/*
 * Options from a table. One row says what an option is; parsing, help, man page and completion are
 * all made from the rows. A command is one const record.
 *
 *   struct up_options { bool json; int64_t wait_ms; const char *file; struct strv set; };
 *   static const struct opt_spec up_specs[] = {
 *       {"json", 'j', OPT_FLAG, NULL, "print JSON lines", offsetof(struct up_options, json)},
 *       {"wait", 'w', OPT_DURATION, "TIME", "time limit", offsetof(struct up_options, wait_ms)},
 *       {"set", 0, OPT_LIST, "KEY=VALUE", "set a key", offsetof(struct up_options, set)},
 *       {0}};
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

enum opt_kind {
    OPT_FLAG,     /* bool */
    OPT_COUNT,    /* int: how often it was given (-vv) */
    OPT_STRING,   /* const char *, borrowed from argv */
    OPT_INT,      /* int64_t */
    OPT_DURATION, /* int64_t milliseconds: 500ms 30s 5min 2h 1d, or plain seconds */
    OPT_LIST,     /* struct strv, one item for each time it is given; the owner clears it */
};

struct opt_spec {
    const char *name; /* without dashes; a table ends with a row whose name is NULL */
    char letter;      /* 0: none */
    enum opt_kind kind;
    const char *arg; /* argument's name in help: FILE; NULL for flags and counts */
    const char *help;
    size_t offset;             /* of the field in the target struct */
    const char *const *values; /* string, list: what is allowed, NULL-terminated; NULL: anything */
    int64_t min, max;          /* int, duration; both 0: any from 0 on */
    bool hidden;               /* parsed, but in no help */
};

struct opt_example {
    const char *line; /* "slipway up my.yaml"; the list ends with NULL here */
    const char *does; /* "create or change the environment my.yaml describes" */
};

struct opt_command {
    const char *name;                   /* "up", or two words: "config set" */
    const char *summary;                /* one line, lower case, no full stop */
    const char *args;                   /* operands as in usage: "[ENV.yaml]"; NULL: none */
    const char *details;                /* paragraphs divided by an empty line; NULL: none */
    const struct opt_spec *options;     /* NULL: none of its own */
    const struct opt_example *examples; /* NULL: none */
    const char *group;                  /* heading in the list of commands; NULL: none */
};

/* Specs and the struct that they fill. opt_parse takes a list that ends with specs NULL. */
struct opt_set {
    const struct opt_spec *specs;
    void *target;
};

enum opt_mode {
    OPT_ANYWHERE,        /* options and operands in any order, until "--" */
    OPT_STOP_AT_OPERAND, /* the first operand ends the options: "slipway -v up ...", "exec X cmd" */
};

/* argv is NULL-terminated and starts with the first argument, not with the program.
 * Operands are copied to *operands (a leading "--" is left out). ERR_USAGE says in
 * one sentence what is wrong. */
int opt_parse(struct strv *operands, const struct opt_set *sets, const char *const *argv,
              enum opt_mode mode, struct err *e);

/* "30s" to 30000. False when the text is not a duration or too large. */
bool opt_duration(int64_t *ms, const char *text);

/* Help of one command: usage line, summary, details, options, common options, examples. */
void opt_help(struct buf *b, const char *program, const struct opt_command *c,
              const struct opt_spec *common);
/* The rows of a table, aligned, wrapped at 80 columns. */
void opt_help_options(struct buf *b, const struct opt_spec *specs);

/* Pieces of a man page (roff). Text is escaped; empty lines divide paragraphs. */
void opt_man_head(struct buf *b, const char *program, const char *version, const char *summary);
void opt_man_section(struct buf *b, const char *title, const char *text); /* text may be NULL */
void opt_man_command(struct buf *b, const char *program, const struct opt_command *c);
void opt_man_options(struct buf *b, const struct opt_spec *specs);
/* A definition list's entry: term in bold, text below. */
void opt_man_item(struct buf *b, const char *term, const char *text);

/* Completion words, one a line: "--wait=" for those with an argument, "--json", "-j". */
void opt_words(struct buf *b, const struct opt_spec *specs);

#endif
