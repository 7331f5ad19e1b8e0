/* SPDX-License-Identifier: MIT */
/*
 * From folders to images. A chain of content-addressed tags:
 *   base of the distribution  debian:trixie-slim pulled, or made by debootstrap as
 *                             slipway/debian:trixie
 *   slipway/engine-<image>:H  dockerfiles/<image>/ (FROM the base above: `ARG BASE`,
 *                             `FROM ${BASE}`)
 *   slipway/<component>:H     the engine image plus, as its last layers, slipway-init,
 *                             slipway-agent and the component's folder under /usr/lib/slipway;
 *                             that of the controller has all that `make install` puts under /usr
 *                             for a slipwayd
 * H is the first 16 digits of the hash over the context and everything below it; so "is it there"
 * is one call, code changes rebuild only the last layers, and nothing is built twice.
 * slipway/<component>:latest is tagged too.
 */
#ifndef ENGINE_IMAGES_H
#define ENGINE_IMAGES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "engine/engine.h"

/* Where every image has the agent. */
#define IMAGES_AGENT "/usr/lib/slipway/slipway-agent"

struct images_opts {
    const char *dockerfiles;  /* the dockerfiles/ folder */
    const char *init, *agent; /* paths of the two programs */
    /* What the controller's image holds besides: slipway and slipwayd, the folder of the programs
     * that do steps, and the folders of all components. */
    const char *slipway, *daemon, *steps;
    const struct strv *components;
    const char *base;           /* "debian:trixie-slim" */
    const char *mirror;         /* for debootstrap; NULL: the default one */
    const char *temp_dir;       /* for temporary files and locks; NULL: as the system has it */
    const struct node *proxies; /* build arguments: HTTP_PROXY and the like; NULL: none */
    char programs[65];          /* images_prepare; "" is fine */
};
/* Hashes the two programs once, for callers that compute many references. */
int images_prepare(struct images_opts *o, struct err *e);
struct images_component {
    const char *name;  /* component */
    const char *image; /* folder in dockerfiles/ */
    /* The component's folder; with a Dockerfile of its own, that replaces dockerfiles/<image>. */
    const char *dir;
    bool is_controller;
};

/* Computes the tag "slipway/<component>:H" without asking anything of the engine. *ref owned. */
int images_ref(char **ref, const struct images_opts *o, const struct images_component *c,
               struct err *e);
/* Reference of the engine image, likewise. */
int images_engine_ref(char **ref, const struct images_opts *o, const struct images_component *c,
                      struct err *e);
/* Builds whatever of the chain is missing. Safe to run twice and from several threads and
 * processes. The distribution image: the one that is present, else pulled (15 s), else
 * scripts/host/make-base beside dockerfiles/ makes it, which needs root. p may be NULL: half an
 * hour, silent. */
int images_build(struct engine *g, const struct images_opts *o, const struct images_component *c,
                 const struct engine_progress *p, struct err *e);
/* Everything made here, newest chains and old: list of the API's image objects. */
int images_list(struct node **out, struct engine *g, struct err *e);

#endif
