/* SPDX-License-Identifier: MIT */
/* Private to crypto/: what libcrypto can only refuse for lack of memory ends the process. */
#ifndef CRYPTO_MUST_H
#define CRYPTO_MUST_H

#include <stdbool.h>
#include <stddef.h>

/* Ends the process (mem_die) when `ok` is false, which crypto_check leaves no other reason for.
 * `what` is static. */
void crypto_must(bool ok, const char *what);
/* HMAC-SHA256 of a | b (b may be NULL with len 0) into out[32]. */
struct crypto_bytes {
    const void *p;
    size_t len;
};
void crypto_hmac(unsigned char out[32], struct crypto_bytes key, const struct crypto_bytes *parts,
                 size_t count);
/* HKDF-SHA256 (RFC 5869) with the salt of this program. */
void crypto_hkdf(void *out, size_t out_len, struct crypto_bytes key, const char *info);

#endif
