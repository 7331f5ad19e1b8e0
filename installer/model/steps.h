/* SPDX-License-Identifier: MIT */
/*
 * A steps file: what has to be so on a target, as a list of steps that each say one thing. A step
 * is done by the program of its kind (scripts/host/steps), which finds out itself whether there is
 * anything to do. Here is what the file says, checked, and what a program is told.
 */
#ifndef MODEL_STEPS_H
#define MODEL_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"
#include "conf/node.h"
#include "conf/problems.h"

enum step_kind {
    STEP_KIND_PACKAGE,
    STEP_KIND_FILE,
    STEP_KIND_DIRECTORY,
    STEP_KIND_USER,
    STEP_KIND_GROUP,
    STEP_KIND_LINE,
    STEP_KIND_SERVICE,
    STEP_KIND_COMMAND,
};
enum { STEP_KINDS = STEP_KIND_COMMAND + 1 };

/* What is not given is NULL or 0. Owned. */
struct step {
    enum step_kind kind;
    int line;    /* in the file */
    char *title; /* "file /etc/motd", for people */
    char *name, *path, *state;
    char *owner, *group, *home, *shell;
    char *content, *content_file, *template, *template_file; /* as written */
    char *text; /* what they say, or the line; text_len bytes, and a NUL */
    size_t text_len;
    char *match, *creates, *enabled, *secret;
    mode_t mode;
    int id; /* uid, gid */
    bool system;
    struct strv names, groups; /* of packages; of a user */
    struct node *run, *unless; /* a text for a shell, or a list of words */
};

struct steps {
    struct node *vars; /* map */
    struct step *items;
    size_t count;
};

/* The file at `path`, with the files that it names, or NULL and all problems in p, whose name is
 * the path. `dir` is where those are looked for; NULL: beside it. Owned. */
struct steps *steps_load(const char *path, const char *dir, struct problems *p);
/* Of a tree that was read. `dir` NULL: it cannot name files. */
struct steps *steps_decode(const struct node *root, const char *dir, struct problems *p);
void steps_free(struct steps *s);

/* Static: "file". The program of that name does the steps of the kind. */
const char *steps_kind(enum step_kind kind);
/* What the step's program is called with: "apply" or, when nothing may be changed, "look"; then
 * name=value; then, for some, "--" and a list. Appended to `out`. */
void steps_words(struct strv *out, const struct step *s, bool look);
/* What the step's program reads, owned: of a template what it is for this target; in front of what
 * a file is to hold its SHA-256 and a line break. *out NULL: it reads nothing. */
int steps_input(char **out, size_t *len, const struct steps *all, const struct step *s,
                const struct node *target, struct err *e);
/* What a template finds as ${target.name} and so on; NULL texts have no value. Owned. */
struct node *steps_target(const char *name, const char *component, const char *environment,
                          const char *address);
/* Every key, as Markdown tables; and as JSON Schema (draft-07), owned. */
void steps_print_format(struct buf *b);
struct node *steps_schema(void);

#endif
