/* SPDX-License-Identifier: MIT */
/* The image of the distribution that everything stands on: present,
 * pulled, or made by debootstrap. */
#ifndef ENGINE_DISTRIBUTION_H
#define ENGINE_DISTRIBUTION_H

#include "base/err.h"
#include "engine/engine.h"
#include "engine/images.h"

/* *ref owned: o->base itself, or slipway/debian:SUITE. */
int distribution_ensure(char **ref, struct engine *g, const struct images_opts *o,
                        const struct engine_progress *p, struct err *e);
/* The suite of "debian:trixie-slim": "trixie", owned; NULL when the image is not Debian's. Pure. */
char *distribution_suite(const char *image);

#endif
