/* SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#include "crypto/must.h"

static const char salt[] = "slipway-v1";

void crypto_hmac(unsigned char out[32], struct crypto_bytes key, const struct crypto_bytes *parts,
                 size_t count)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_END};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

    crypto_must(ctx && EVP_MAC_init(ctx, key.p, key.len, params) == 1, "HMAC");
    for (size_t i = 0; i < count; i++)
        if (parts[i].len)
            crypto_must(EVP_MAC_update(ctx, parts[i].p, parts[i].len) == 1, "HMAC");
    size_t len = 0;
    crypto_must(EVP_MAC_final(ctx, out, &len, 32) == 1 && len == 32, "HMAC");
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
}

/* RFC 5869 section 2. Written over HMAC because libcrypto's KDF refuses an empty key. */
static void hkdf(void *out, size_t out_len, struct crypto_bytes key, struct crypto_bytes with_salt,
                 struct crypto_bytes info)
{
    assert(out_len <= 255 * 32);
    unsigned char prk[32], block[32];
    crypto_hmac(prk, with_salt, &key, 1);
    size_t block_len = 0;
    unsigned char counter = 0;
    for (size_t done = 0; done < out_len;) {
        counter++;
        struct crypto_bytes parts[] = {{block, block_len}, info, {&counter, 1}};
        crypto_hmac(block, (struct crypto_bytes){prk, sizeof(prk)}, parts, 3);
        block_len = sizeof(block);
        size_t n = out_len - done < sizeof(block) ? out_len - done : sizeof(block);
        memcpy((char *)out + done, block, n);
        done += n;
    }
    explicit_bzero(prk, sizeof(prk));
    explicit_bzero(block, sizeof(block));
}

void crypto_hkdf(void *out, size_t out_len, struct crypto_bytes key, const char *info)
{
    hkdf(out, out_len, key, (struct crypto_bytes){salt, sizeof(salt) - 1},
         (struct crypto_bytes){info, strlen(info)});
}

void crypto_derive(void *out, size_t out_len, const uint8_t key[CRYPTO_KEY_LEN], const char *info)
{
    crypto_hkdf(out, out_len, (struct crypto_bytes){key, CRYPTO_KEY_LEN}, info);
}

void crypto_uuid(char out[37], const uint8_t bytes[16])
{
    uint8_t b[16];

    memcpy(b, bytes, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x80); /* version 8: bytes of our own making */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, 37,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}
