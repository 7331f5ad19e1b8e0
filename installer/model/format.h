/* SPDX-License-Identifier: MIT */
/* What all documents of ours begin with. */
#ifndef MODEL_FORMAT_H
#define MODEL_FORMAT_H

#include "conf/schema.h"

/* The row of `slipway`, into the int at `at`. */
#define FORMAT_ROW(at)                                                                             \
    {                                                                                              \
        .key = "slipway", .type = SCHEMA_TYPE_INT, .offset = at, .min = 1, .max = 1,               \
        .fallback = "1", .help = "version of this format"                                          \
    }

#endif
