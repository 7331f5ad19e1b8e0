/* SPDX-License-Identifier: MIT */
/*
 * The headers of a request, and the rules that keep others from speaking through somebody's browser
 * or through a proxy that reads the same bytes differently. Pure.
 */
#ifndef CONTROLLER_HEADERS_H
#define CONTROLLER_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"

enum { HEADERS_MAX = 64, HEADERS_BYTES_MAX = 16384 };

struct header {
    const char *name, *value; /* borrowed */
};
struct headers {
    struct header items[HEADERS_MAX];
    size_t count;
    bool full; /* there were more, or they were longer in all */
    size_t bytes;
};

/* One more; the first HEADERS_MAX are kept. The texts are borrowed. */
void headers_add(struct headers *h, const char *name, const char *value);
/* The first of that name, in any case of letters; NULL: none. */
const char *headers_get(const struct headers *h, const char *name);

/* One Host, at most one Content-Length and one Transfer-Encoding and not both, one Authorization,
 * one Origin, one Cookie. */
int headers_check_single(const struct headers *h, struct err *e);
/* The body's length; -1: it comes in chunks; 0: there is none. ERR_USAGE. */
int headers_length(int64_t *out, const struct headers *h, struct err *e);

/* What the server is called, or whose pages it trusts; a refusal says how one more is added. */
struct headers_known {
    const struct strv *items;
    const char *env; /* they are configuration of this environment's component `controller`;
                        NULL: options of slipwayd */
};

/*
 * Whether Host is one of `names`, "localhost", or an address: a name that somebody points at this
 * server to get at it through a browser (DNS rebinding) is not one of these, and an address cannot
 * be pointed elsewhere. The port does not count. ERR_AUTH.
 */
int headers_check_host(const struct headers *h, const struct headers_known *names, struct err *e);
/*
 * For what changes something: an Origin must be the server's own, "https://" with the Host of the
 * request, or stand in `trusted`. Without one, only who shows a token in the request itself
 * (`bearer`), which no browser does by itself. ERR_AUTH.
 */
int headers_check_origin(const struct headers *h, const struct headers_known *trusted, bool bearer,
                         struct err *e);
/* Whether the body is application/json, in UTF-8 if that is said. */
bool headers_is_json(const struct headers *h);
/* The value of a cookie, owned; NULL: there is none, or more than one of that name. */
char *headers_cookie(const struct headers *h, const char *name);
/* The token of "Authorization: Bearer TOKEN", borrowed; NULL: none. */
const char *headers_bearer(const struct headers *h);
/* The one tag of an If-Match without its quotes and W/, owned; *out NULL: "*", whatever there is.
 * False: it is neither, and matches nothing. */
bool headers_tag(char **out, const char *value);
/* Whether an If-Match or If-None-Match has that tag ("abc", without quotes) or is "*". */
bool headers_has_tag(const char *value, const char *tag);

/* A Last-Event-ID, "EPOCH-NUMBER"; false for anything else. */
bool headers_event_id(int64_t *epoch, int64_t *number, const char *text);

#endif
