/* SPDX-License-Identifier: MIT */
/* Request targets: names, queries and label filters, percent-encoded (RFC 3986). */
#ifndef ENGINE_URL_H
#define ENGINE_URL_H

#include "base/buf.h"

/* Appends text with everything but unreserved characters and those in `keep` percent-encoded. */
void url_escape(struct buf *b, const char *text, const char *keep);
/* A container, network or volume in a path: "/containers/" + id + tail. Owned. */
char *url_path(const char *before, const char *id, const char *tail);
/* The same for an image reference, whose slashes and colons stay. */
char *url_image(const char *before, const char *ref, const char *tail);
/* path + "?filters={"label":[label]}", or the path alone for NULL; `query` is other parameters
 * ("all=1") or NULL. Owned. */
char *url_filtered(const char *path, const char *query, const char *label);

#endif
