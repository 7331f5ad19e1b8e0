/* SPDX-License-Identifier: MIT */
/* RFC 4648 base64: standard alphabet with padding (etcd's gateway), and base64url without
 * (passwords). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/err.h"

char *base64_encode(const void *p, size_t len);    /* owned */
char *base64url_encode(const void *p, size_t len); /* owned, no padding */
/* Strict standard alphabet with padding. *out owned, NUL-terminated behind *len. */
int base64_decode(char **out, size_t *len, const char *text, size_t text_len, struct err *e);

#endif
