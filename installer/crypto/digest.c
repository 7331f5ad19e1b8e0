/* SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/mem.h"
#include "crypto/must.h"

struct crypto_hash {
    EVP_MD_CTX *ctx;
};

void crypto_must(bool ok, const char *what)
{
    if (!ok)
        mem_die(what);
}

static const char *find_missing(void)
{
    unsigned char digest[32], seed[32] = {0};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
    EVP_SIGNATURE *ed25519 = EVP_SIGNATURE_fetch(NULL, "ED25519", NULL);
    EVP_SIGNATURE *ecdsa = EVP_SIGNATURE_fetch(NULL, "ECDSA", NULL);
    EVP_KEYMGMT *ec = EVP_KEYMGMT_fetch(NULL, "EC", NULL);
    const char *what = NULL;

    if (EVP_Digest("", 0, digest, NULL, EVP_sha256(), NULL) != 1)
        what = "SHA-256";
    else if (!mac)
        what = "HMAC";
    else if (!cipher)
        what = "AES-GCM";
    else if (!kdf)
        what = "scrypt";
    else if (!key || !ed25519)
        what = "Ed25519";
    else if (!ec || !ecdsa)
        what = "ECDSA";
    EVP_MAC_free(mac);
    EVP_CIPHER_free(cipher);
    EVP_KDF_free(kdf);
    EVP_PKEY_free(key);
    EVP_SIGNATURE_free(ed25519);
    EVP_SIGNATURE_free(ecdsa);
    EVP_KEYMGMT_free(ec);
    return what;
}

int crypto_check(struct err *e)
{
    const char *what = find_missing();

    return what ? err_set(e, ERR_SYS, "libcrypto, as it is set up here, has no %s", what) : 0;
}

static void hex(char out[CRYPTO_HEX_LEN], const unsigned char digest[32])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 32; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[64] = '\0';
}

void crypto_sha256_hex(char out[CRYPTO_HEX_LEN], const void *p, size_t len)
{
    unsigned char digest[32];

    crypto_must(EVP_Digest(len ? p : "", len, digest, NULL, EVP_sha256(), NULL) == 1, "SHA-256");
    hex(out, digest);
}

struct crypto_hash *crypto_hash_new(void)
{
    struct crypto_hash *h = mem_alloc(sizeof(*h));

    h->ctx = EVP_MD_CTX_new();
    crypto_must(h->ctx && EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) == 1, "SHA-256");
    return h;
}

void crypto_hash_add(struct crypto_hash *h, const void *p, size_t len)
{
    if (len)
        crypto_must(EVP_DigestUpdate(h->ctx, p, len) == 1, "SHA-256");
}

void crypto_hash_free(struct crypto_hash *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void crypto_hash_hex(struct crypto_hash *h, char out[CRYPTO_HEX_LEN])
{
    unsigned char digest[32];

    crypto_must(EVP_DigestFinal_ex(h->ctx, digest, NULL) == 1, "SHA-256");
    hex(out, digest);
    crypto_hash_free(h);
}

int crypto_random(void *out, size_t len, struct err *e)
{
    unsigned char *p = out;

    while (len) {
        ssize_t n = getrandom(p, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, "random bytes");
        p += n;
        len -= (size_t)n;
    }
    return 0;
}
