/* SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "crypto/must.h"

enum { NONCE_LEN = 12, TAG_LEN = 16, SEAL_MAX = 4 << 20 };
static const char version[] = "v1:";

/* One derivation, two keys: what encrypts never makes nonces. */
struct seal_keys {
    unsigned char cipher[32], nonce[32];
};

static void derive_keys(struct seal_keys *k, const char *password)
{
    unsigned char both[64];

    crypto_hkdf(both, sizeof(both), (struct crypto_bytes){password, strlen(password)}, "seal");
    memcpy(k->cipher, both, 32);
    memcpy(k->nonce, both + 32, 32);
    explicit_bzero(both, sizeof(both));
}

/* The name's length goes in front, so that no part of the text can pass for a part of the name. */
static void make_nonce(unsigned char nonce[NONCE_LEN], const struct seal_keys *k, const char *name,
                       struct crypto_bytes plain)
{
    unsigned char digest[32], prefix[8];
    size_t name_len = strlen(name);

    for (int i = 0; i < 8; i++)
        prefix[i] = (unsigned char)((uint64_t)name_len >> (56 - 8 * i));
    struct crypto_bytes parts[] = {{prefix, sizeof(prefix)}, {name, name_len}, plain};
    crypto_hmac(digest, (struct crypto_bytes){k->nonce, sizeof(k->nonce)}, parts, 3);
    memcpy(nonce, digest, NONCE_LEN);
}

char *crypto_seal(const char *password, const char *name, const void *plain, size_t len)
{
    assert(len <= SEAL_MAX && strlen(name) < INT_MAX);
    struct seal_keys k;
    derive_keys(&k, password);
    size_t total = NONCE_LEN + len + TAG_LEN;
    auto_free unsigned char *raw = mem_alloc(total);
    make_nonce(raw, &k, name, (struct crypto_bytes){plain, len});

    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    crypto_must(ctx && EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), k.cipher, raw, NULL) == 1,
                "AES-GCM");
    crypto_must(EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)name, (int)strlen(name)) ==
                    1,
                "AES-GCM");
    if (len)
        crypto_must(EVP_EncryptUpdate(ctx, raw + NONCE_LEN, &n, plain, (int)len) == 1, "AES-GCM");
    crypto_must(EVP_EncryptFinal_ex(ctx, raw + NONCE_LEN + len, &n) == 1, "AES-GCM");
    crypto_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, raw + NONCE_LEN + len) ==
                    1,
                "AES-GCM");
    EVP_CIPHER_CTX_free(ctx);
    explicit_bzero(&k, sizeof(k));

    auto_free char *text = base64_encode(raw, total);
    return mem_printf("%s%s", version, text);
}

/* raw is nonce | ciphertext | tag; plain gets len - NONCE_LEN - TAG_LEN bytes. */
static bool decrypt(unsigned char *plain, const struct seal_keys *k, const char *name,
                    unsigned char *raw, size_t len)
{
    int n = 0;
    size_t body = len - NONCE_LEN - TAG_LEN;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    crypto_must(ctx && EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), k->cipher, raw, NULL) == 1,
                "AES-GCM");
    bool ok =
        EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)name, (int)strlen(name)) == 1 &&
        (!body || EVP_DecryptUpdate(ctx, plain, &n, raw + NONCE_LEN, (int)body) == 1) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, raw + len - TAG_LEN) == 1 &&
        EVP_DecryptFinal_ex(ctx, plain + body, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

int crypto_open(char **plain, size_t *len, const char *password, const char *name,
                const char *sealed, struct err *e)
{
    *plain = NULL;
    *len = 0;
    size_t prefix = sizeof(version) - 1;
    if (strncmp(sealed, version, prefix) != 0)
        return err_set(e, ERR_AUTH, "secret %s: not a sealed text", name);
    auto_free char *raw = NULL;
    size_t raw_len = 0;
    struct err why;
    if (strlen(sealed) > 2 * (size_t)SEAL_MAX ||
        base64_decode(&raw, &raw_len, sealed + prefix, strlen(sealed + prefix), &why) < 0 ||
        raw_len < NONCE_LEN + TAG_LEN)
        return err_set(e, ERR_AUTH, "secret %s: the sealed text is damaged", name);

    struct seal_keys k;
    derive_keys(&k, password);
    size_t body = raw_len - NONCE_LEN - TAG_LEN;
    char *out = mem_alloc(body + 1);
    bool ok = decrypt((unsigned char *)out, &k, name, (unsigned char *)raw, raw_len);
    explicit_bzero(&k, sizeof(k));
    if (!ok) {
        mem_wipe_free(out, body + 1);
        return err_set(e, ERR_AUTH,
                       "secret %s: does not open with this link's password (the password changed, "
                       "or the text was made for another name)",
                       name);
    }
    *plain = out;
    *len = body;
    return 0;
}
