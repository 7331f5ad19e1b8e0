/* SPDX-License-Identifier: MIT */
/* What libssh2 says, as one sentence. */
#ifndef HOST_REASON_H
#define HOST_REASON_H

#include "host/session.h"

/* What is offered to the other side, in this order. */
#define REASON_KEX "curve25519-sha256,ecdh-sha2-nistp256"
#define REASON_CIPHERS "aes128-ctr,aes256-ctr"
#define REASON_MACS "hmac-sha2-256,hmac-sha2-512"

/* Fills *e from libssh2's status `code` (negative) in the state that the session is in. Returns
 * -1. */
int reason_set(const struct session *s, int code, struct err *e);
/* The key that the other side showed is not the pinned one. Returns -1. */
int reason_host_key(const struct session *s, const void *shown, size_t len, struct err *e);
/* No answer while connecting. Returns -1. */
int reason_silent(const struct session *s, int64_t after_ms, struct err *e);
/* "NAME (ADDRESS): " in front. Returns -1. */
int reason_wrap(const struct session *s, struct err *e);

#endif
