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
/* Every file of the manifest, rendered; nothing is written yet. *out is owned. ERR_CONFIG: a
 * template asks for something that is not there; ERR_AUTH: a secret is sealed under another
 * password. */
int files_build(struct files **out, const struct files_source *s, struct err *e);
/* Writes those that differ from what is there, each at once. */
int files_write(const struct files *f, struct err *e);
void files_free(struct files *f); /* wipes */
/* For auto_files. */
void files_cleanup(struct files **f);
#define auto_files __attribute__((cleanup(files_cleanup)))

#endif
