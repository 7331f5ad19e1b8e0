/* SPDX-License-Identifier: MIT */
/* A volume written or read whole by a driver's hook io, which is a client of that driver. */
#ifndef CHECK_IO_H
#define CHECK_IO_H

#include "check/check.h"

enum check_io_kind { CHECK_IO_READ, CHECK_IO_WRITE };
enum { CHECK_IO_SUM_LEN = 64, CHECK_IO_VIA_LEN = 100 };

struct check_io {
    char sum[CHECK_IO_SUM_LEN + 1]; /* SHA-256 of the whole volume, in hex */
    char via[CHECK_IO_VIA_LEN + 1]; /* the protocols, for people */
    bool on_host;                   /* a file of this machine was read too, and is the same */
};

/* Where the driver shows a file, and this machine may read it, that must be the
 * same. */
int check_io_run(struct check_io *io, const struct check *c, enum check_io_kind kind,
                 const char *instance, const char *volume, struct err *e);
/* What the hook printed: {"sha256","via","file"}; *file NULL when there is none, owned. Pure. */
int check_io_parse(struct check_io *io, char **file, const char *text, struct err *e);

#endif
