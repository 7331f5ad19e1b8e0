/* SPDX-License-Identifier: MIT */
/*
 * Everything that derives from the environment key: HKDF-SHA256 (RFC 5869), sealing (AES-256-GCM),
 * digests, keys and certificates. All derivations are deterministic: the same key, label and
 * generation give the same bytes, so that pushing twice changes nothing. libcrypto does the work.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { CRYPTO_KEY_LEN = 32, CRYPTO_HEX_LEN = 65 };

/* Whether libcrypto, as this machine has set it up, has what everything here needs. Asked before
 * anything here is used: with every environment key and engine that is opened, and when the agent
 * starts. After that only a lack of memory can fail, and ends the process as malloc's does; what
 * depends on the caller's input is an error. ERR_SYS. */
int crypto_check(struct err *e);

/* SHA-256 as 64 lower-case hex digits. */
void crypto_sha256_hex(char out[CRYPTO_HEX_LEN], const void *p, size_t len);

/* Incremental form. */
struct crypto_hash;
struct crypto_hash *crypto_hash_new(void);
void crypto_hash_add(struct crypto_hash *h, const void *p, size_t len);
void crypto_hash_free(struct crypto_hash *h);
void crypto_hash_hex(struct crypto_hash *h, char out[CRYPTO_HEX_LEN]); /* ends it; h is freed */

/* 32 random bytes from the kernel. */
int crypto_random(void *out, size_t len, struct err *e);

/* out_len bytes (at most 255*32) of HKDF-SHA256(key, salt "slipway-v1", info). */
void crypto_derive(void *out, size_t out_len, const uint8_t key[CRYPTO_KEY_LEN], const char *info);

/*
 * Sealing of a secret for the holder of a password: "v1:" + base64(nonce | ciphertext | tag). The
 * key is HKDF(password); the nonce is synthetic, HMAC(key, name | plaintext), so equal input gives
 * equal text. `name` is bound as additional data: a sealed text cannot be moved to another name.
 */
char *crypto_seal(const char *password, const char *name, const void *plain,
                  size_t len); /* owned */
/* ERR_AUTH when the password or the name is not the sealing one or the text was changed. */
int crypto_open(char **plain, size_t *len, const char *password, const char *name,
                const char *sealed, struct err *e);

/* UUID (RFC 9562 version 8) from 16 derived bytes, into out[37]. */
void crypto_uuid(char out[37], const uint8_t bytes[16]);

/*
 * TLS of an environment: an Ed25519 CA and one Ed25519 server key shared by its etcd members, both
 * derived. The leaf carries the given SANs ("IP:10.0.0.2", "DNS:localhost"); dates are fixed
 * (2020-01-01 to 2119-12-31) because trust is by pin. PEM texts are owned by the caller.
 */
struct crypto_tls {
    char *key_pem, *cert_pem, *ca_pem;
    char pin[64]; /* "sha256//BASE64" of the server's SubjectPublicKeyInfo */
};
int crypto_tls_make(struct crypto_tls *out, const uint8_t env_key[CRYPTO_KEY_LEN],
                    const char *const *sans, size_t san_count, struct err *e);
void crypto_tls_clear(struct crypto_tls *t);
/* The pin alone: it depends on the key, not on the names. */
void crypto_tls_pin(char pin[64], const uint8_t env_key[CRYPTO_KEY_LEN]);

/*
 * What a browser is shown: a P-256 key, also derived, so that its pin outlives the certificate, and
 * a certificate of its own signature for the given SANs; that one is new each time, since ECDSA
 * signatures are random. ca_pem stays NULL.
 */
int crypto_tls_web(struct crypto_tls *out, const uint8_t env_key[CRYPTO_KEY_LEN],
                   const char *const *sans, size_t san_count, struct err *e);

/* A password as it is kept: "scrypt:BASE64:BASE64" of salt and key (N 2^14, r 8, p 5: 16 MiB and
 * some 100 ms, also when it is asked). Owned. */
int crypto_password_hash(char **out, const char *password, struct err *e);
bool crypto_password_is(const char *hash, const char *password);

/*
 * An Ed25519 SSH key from a derived seed: *private_pem in OpenSSH's own format (PROTOCOL.key,
 * unencrypted), *public_line "ssh-ed25519 AAAA... COMMENT". Both owned.
 */
int crypto_ssh_key(char **private_pem, char **public_line, const uint8_t seed[32],
                   const char *comment, struct err *e);
/* What the public line "TYPE BASE64 [COMMENT]" stands for: the key as the protocol sends it, and
 * its type. Both owned. ERR_CONFIG. */
int crypto_ssh_blob(char **blob, size_t *len, char **type, const char *public_line, struct err *e);
/* "SHA256:BASE64" of such a key, as ssh-keygen -l prints it. */
enum { CRYPTO_SSH_FINGERPRINT_LEN = 52 };
void crypto_ssh_fingerprint(char out[CRYPTO_SSH_FINGERPRINT_LEN], const void *blob, size_t len);

#endif
