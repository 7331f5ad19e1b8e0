/* SPDX-License-Identifier: MIT */
/*
 * Secrets and rendered templates. Everything is made in memory first: either all of it is good, or
 * no file is touched. Each file is then replaced atomically.
 */
#ifndef AGENT_FILES_H
#define AGENT_FILES_H

#include "agent/config.h"
#include "agent/tree.h"
#include "model/manifest.h"

struct files;

struct files_source {
    const struct manifest *manifest;
    const struct tree *tree;
    const struct config *config;
    const char *password; /* of the link; NULL: secrets have to be clear */
};
int files_build(struct files **out, const struct files_source *s, struct err *e);
int files_write(const struct files *f, struct err *e);
void files_free(struct files *f); /* wipes */
void files_cleanup(struct files **f);
#define auto_files __attribute__((cleanup(files_cleanup)))

/* Adds a file; `data` is taken. The owner is a user's name or NULL. */
struct files_item {
    char *path; /* taken */
    char *data; /* taken */
    mode_t mode;
    const char *owner;
};
int files_add(struct files *f, struct files_item item, struct err *e);
/* Value of a secret, opened and registered for redaction. Owned; wipe it. */
int files_secret(char **out, const struct files_source *s, const char *name, struct err *e);

#endif
