/* SPDX-License-Identifier: MIT */
/*
 * The gateway's JSON, both ways; the only user of cJSON here. Its rules: keys and values are
 * base64, 64-bit numbers are strings in replies, and whatever is zero, empty or false is left out,
 * so every reader takes a missing name for zero. Names it does not know in a request are ignored
* silently, so requests are built by these functions only.
 */
#ifndef ETCD_WIRE_H
#define ETCD_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "etcd/etcd.h"

enum { WIRE_REPLY_MAX = 32 << 20, WIRE_REQUEST_MAX = 16 << 20 };

/* ---- replies ---- */

struct wire; /* a value of a parsed reply; borrowed from its root */

/* A whole reply: one object, nothing behind it. *out owned. ERR_REMOTE when it is not that. */
int wire_parse(struct wire **out, const char *text, size_t len, struct err *e);
void wire_free(struct wire *root);
void wire_cleanup(struct wire **root);
#define auto_wire __attribute__((cleanup(wire_cleanup)))

/* Borrowed, or NULL when missing; `object` may be NULL. */
const struct wire *wire_get(const struct wire *object, const char *name);
/* Items of an array in order; NULL at the end. */
const struct wire *wire_first(const struct wire *array);
const struct wire *wire_next(const struct wire *item);
/* 0, false or "" when missing or of another type. */
int64_t wire_int(const struct wire *object, const char *name);
uint64_t wire_uint(const struct wire *object, const char *name);
bool wire_bool(const struct wire *object, const char *name);
const char *wire_text(const struct wire *object, const char *name);
/* The value itself as text: "" when it has no text. */
const char *wire_as_text(const struct wire *value);
/* Base64 field; *out owned and NUL-terminated behind *len, "" when missing. */
int wire_bytes(char **out, size_t *len, const struct wire *object, const char *name, struct err *e);
int wire_kv(struct etcd_kv *out, size_t *key_len, const struct wire *object, struct err *e);

/* ---- failures ---- */

enum wire_fault {
    WIRE_FAULT_NONE,        /* the reply is not a failure */
    WIRE_FAULT_TOKEN,       /* no token, or one that is worth nothing now: authenticate again */
    WIRE_FAULT_AUTH_MOVED,  /* users or roles changed while the request was under way; not done */
    WIRE_FAULT_AUTH_OFF,    /* authentication is not enabled: go on without a token */
    WIRE_FAULT_COMPACTED,   /* that revision is gone */
    WIRE_FAULT_UNAVAILABLE, /* no leader, overload, shutting down: another try may do */
    WIRE_FAULT_NOT_HERE,    /* this member cannot do it, another can; nothing was done */
    WIRE_FAULT_LOGIN,       /* etcd refuses the user or the password */
    WIRE_FAULT_TOO_BIG,     /* the reply is longer than the caller allows; nothing of it is kept */
    WIRE_FAULT_OTHER,
};
/* Classified by message and code; the HTTP status alone says nothing (compaction is 400, so is a
 * missing token). Fills *e unless NONE. `reply` may be any text, at any HTTP status. */
enum wire_fault wire_failure(long http_status, const char *reply, size_t len, struct err *e);
/* The same for a message alone, as in a watch's cancel_reason; code is gRPC's, or -1. */
enum wire_fault wire_message_fault(const char *message, int64_t code, struct err *e);

/* ---- requests ---- */

/* "name":"<base64>" without a comma. */
void wire_put_bytes(struct buf *b, const char *name, const void *p, size_t len);
/* "key":..., and "range_end":... when the name ends in '/', so that it means the prefix. */
void wire_put_range(struct buf *b, const char *name);
/* "name":"<escaped>" */
void wire_put_text(struct buf *b, const char *name, const char *text);
/* The smallest key behind every key with the prefix, owned; "\0" (length 1: no end) when there is
 * none, because the prefix is empty or all 0xff. */
char *wire_prefix_end(size_t *len, const char *prefix, size_t prefix_len);
/* True when the name means a prefix. */
bool wire_is_prefix(const char *name);

#endif
