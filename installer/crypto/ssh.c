/* SPDX-License-Identifier: MIT */
/* OpenSSH's private key file: PROTOCOL.key in its source; public key: RFC 8709. */
#include "crypto/crypto.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "crypto/must.h"

static const char key_type[] = "ssh-ed25519";
enum { LINE = 70, CIPHER_BLOCK = 8 };

static void put_u32(struct buf *b, uint32_t v)
{
    unsigned char p[] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
                         (unsigned char)(v >> 8), (unsigned char)v};

    buf_add(b, p, sizeof(p));
}

static void put_string(struct buf *b, const void *p, size_t len)
{
    put_u32(b, (uint32_t)len);
    buf_add(b, p, len);
}

static void wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    buf_clear(b);
}

static void put_private(struct buf *b, const uint8_t seed[32], const uint8_t public[32],
                        const char *comment)
{
    uint8_t check[4], both[64];

    crypto_derive(check, sizeof(check), seed, "ssh-check");
    for (int i = 0; i < 2; i++) /* equal numbers say that decryption went well */
        buf_add(b, check, sizeof(check));
    put_string(b, key_type, strlen(key_type));
    put_string(b, public, 32);
    memcpy(both, seed, 32);
    memcpy(both + 32, public, 32);
    put_string(b, both, sizeof(both));
    explicit_bzero(both, sizeof(both));
    put_string(b, comment, strlen(comment));
    for (char pad = 1; b->len % CIPHER_BLOCK; pad++)
        buf_putc(b, pad);
}

static char *armour(const struct buf *raw)
{
    auto_wipe char *text = base64_encode(raw->data, raw->len);
    struct buf out;

    buf_init(&out, 64 << 10);
    buf_puts(&out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i += LINE) {
        buf_add(&out, text + i, len - i < LINE ? len - i : LINE);
        buf_putc(&out, '\n');
    }
    buf_puts(&out, "-----END OPENSSH PRIVATE KEY-----\n");
    char *result = mem_strdup(buf_str(&out));
    wipe(&out);
    return result;
}

int crypto_ssh_key(char **private_pem, char **public_line, const uint8_t seed[32],
                   const char *comment, struct err *e)
{
    *private_pem = *public_line = NULL;
    if (strlen(comment) > 1024 || strpbrk(comment, "\r\n"))
        return err_set(e, ERR_CONFIG, "comment of an SSH key: one line of at most 1024 bytes");
    uint8_t public[32];
    size_t public_len = sizeof(public);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    crypto_must(key && EVP_PKEY_get_raw_public_key(key, public, &public_len) == 1, "Ed25519");
    EVP_PKEY_free(key);

    struct buf blob, secret, file;
    buf_init(&blob, 4096);
    buf_init(&secret, 4096);
    buf_init(&file, 8192);
    put_string(&blob, key_type, strlen(key_type));
    put_string(&blob, public, sizeof(public));
    put_private(&secret, seed, public, comment);
    buf_add(&file, "openssh-key-v1", sizeof("openssh-key-v1"));
    put_string(&file, "none", 4); /* cipher */
    put_string(&file, "none", 4); /* key derivation and its options */
    put_string(&file, "", 0);
    put_u32(&file, 1); /* keys */
    put_string(&file, blob.data, blob.len);
    put_string(&file, secret.data, secret.len);

    *private_pem = armour(&file);
    auto_free char *text = base64_encode(blob.data, blob.len);
    *public_line = mem_printf("%s %s%s%s", key_type, text, *comment ? " " : "", comment);
    wipe(&file);
    wipe(&secret);
    buf_clear(&blob);
    return 0;
}

/* A key as it is sent begins with its own type. */
static bool is_of_type(const char *blob, size_t len, const char *type)
{
    struct buf want;
    bool same;

    buf_init(&want, 4096);
    put_string(&want, type, strlen(type));
    same = !want.full && len > want.len && memcmp(blob, want.data, want.len) == 0;
    buf_clear(&want);
    return same;
}

int crypto_ssh_blob(char **blob, size_t *len, char **type, const char *public_line, struct err *e)
{
    size_t type_len = strcspn(public_line, " ");
    const char *text = public_line + type_len + strspn(public_line + type_len, " ");
    struct err why;

    *blob = NULL;
    *type = mem_strndup(public_line, type_len);
    if (type_len && base64_decode(blob, len, text, strcspn(text, " \r\n"), &why) == 0 &&
        is_of_type(*blob, *len, *type))
        return 0;
    free(*blob);
    free(*type);
    *blob = *type = NULL;
    return err_set(e, ERR_CONFIG, "not a public SSH key: \"%.60s\"; expected \"TYPE BASE64\"",
                   public_line);
}

void crypto_ssh_fingerprint(char out[CRYPTO_SSH_FINGERPRINT_LEN], const void *blob, size_t len)
{
    unsigned char digest[32];

    crypto_must(EVP_Digest(blob, len, digest, NULL, EVP_sha256(), NULL) == 1, "SHA-256");
    auto_free char *text = base64_encode(digest, sizeof(digest));
    snprintf(out, CRYPTO_SSH_FINGERPRINT_LEN, "SHA256:%.43s", text); /* without its padding */
}
