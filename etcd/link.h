/* SPDX-License-Identifier: MIT */
/*
 * The link: the one argument of a component container.
 *   etcds://USER:PASSWORD@HOST[:PORT][,HOST[:PORT]...]/PREFIX[?pin=sha256//BASE64]
 *   etcd://... plain text; file:///PATH a snapshot of the same key tree
 * One parser for every program. Percent-decoding in user, password and prefix (RFC 3986), IPv6 in
 * brackets, default port 2379, at most 4096 bytes and 16 endpoints.
 */
#ifndef ETCD_LINK_H
#define ETCD_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { LINK_MAX = 4096, LINK_ENDPOINTS_MAX = 16 };

struct link_endpoint {
    char *host;
    int port;
};

struct link {
    bool file; /* file:// - then only path is set */
    bool tls;
    char *path;
    char *user, *password; /* NULL when not given */
    struct link_endpoint endpoints[LINK_ENDPOINTS_MAX];
    size_t endpoint_count;
    char *prefix;       /* "/slipway/demo/instances/x", no slash at the end; "" when none */
    char *pin;          /* "sha256//..." or NULL */
    char *refused_hint; /* not in the text: what to do when etcd refuses the login; NULL: nothing */
    char *token;        /* of a login that was made already, tried first; in no text; NULL: none */
};

int link_parse(struct link **out, const char *text, struct err *e); /* no secret in the message */
void link_free(struct link *l);                                     /* wipes the secrets */
/* The link as text with percent-encoding, owned: wipe it. With `redact`, the password is "***". */
char *link_format(const struct link *l, bool redact);

#endif
