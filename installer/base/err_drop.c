/* SPDX-License-Identifier: MIT */
/* Apart from err.c, so that errors do not need the log, which needs files, which need errors. */
#include "base/err.h"
#include "base/log.h"

void err_drop(struct err *e, const char *what)
{
    log_debug("%s: %s", what, e->msg);
    *e = (struct err){0};
}
