/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/cmd.h"

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    (void)options;
    (void)operands;
    (void)e;
    if (x->json)
        puts("{\"version\":\"" SLIPWAY_VERSION "\"}");
    else
        puts("slipway " SLIPWAY_VERSION);
    return 0;
}

const struct cmd cmd_version = {
    .help = {.name = "version", .summary = "print the version", .group = "Help"},
    .run = run,
};
