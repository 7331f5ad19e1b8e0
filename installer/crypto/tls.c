/* SPDX-License-Identifier: MIT */
/* Certificates made the same each time: keys and serial numbers derive, dates are fixed and Ed25519
 * signatures have no randomness (RFC 8032), so the same input gives the same PEM text. */
#include "crypto/crypto.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "crypto/must.h"

enum { SANS_MAX = 256, SAN_LEN_MAX = 300 };

static EVP_PKEY *derive_key(const uint8_t env_key[CRYPTO_KEY_LEN], const char *info)
{
    uint8_t seed[32];

    crypto_derive(seed, sizeof(seed), env_key, info);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
    explicit_bzero(seed, sizeof(seed));
    crypto_must(key != NULL, "Ed25519");
    return key;
}

static void make_pin(char pin[64], EVP_PKEY *key)
{
    unsigned char *der = NULL, digest[32];
    int len = i2d_PUBKEY(key, &der);

    crypto_must(len > 0, "public key");
    crypto_must(EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1, "SHA-256");
    OPENSSL_free(der);
    auto_free char *text = base64_encode(digest, sizeof(digest));
    snprintf(pin, 64, "sha256//%s", text);
}

/* A SAN goes through libcrypto's configuration syntax, where ',' and '\n' begin something else. */
static bool san_is_valid(const char *san)
{
    const char *name = strncmp(san, "IP:", 3) == 0    ? san + 3
                       : strncmp(san, "DNS:", 4) == 0 ? san + 4
                                                      : "";

    if (!*name || strlen(name) > SAN_LEN_MAX)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr(".:-_*", *name))
            return false;
    return true;
}

static int join_sans(struct buf *out, const char *const *sans, size_t count, struct err *e)
{
    if (count == 0 || count > SANS_MAX)
        return err_set(e, ERR_CONFIG, "certificate: %zu names, 1 to %d are allowed", count,
                       SANS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!san_is_valid(sans[i]))
            return err_set(e, ERR_CONFIG,
                           "certificate: name \"%s\" is neither IP: nor DNS:", sans[i]);
        buf_printf(out, "%s%s", i ? "," : "", sans[i]);
    }
    return 0;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
    bool ok = ext && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

struct cert_plan {
    const char *name;   /* common name */
    const char *serial; /* label the serial number derives from */
    const char *sans;   /* NULL: a CA */
    EVP_PKEY *key, *issuer_key;
    X509 *issuer; /* NULL: itself */
};

static void set_serial(X509 *cert, const uint8_t env_key[CRYPTO_KEY_LEN], const char *label)
{
    unsigned char bytes[16];

    crypto_derive(bytes, sizeof(bytes), env_key, label);
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and never shorter */
    BIGNUM *n = BN_bin2bn(bytes, sizeof(bytes), NULL);
    crypto_must(n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)), "serial number");
    BN_free(n);
}

/* NULL when a SAN is refused; everything else cannot fail but for memory. */
static X509 *make_cert(const struct cert_plan *p, const uint8_t env_key[CRYPTO_KEY_LEN])
{
    X509 *cert = X509_new();

    crypto_must(cert && X509_set_version(cert, X509_VERSION_3) == 1, "certificate");
    set_serial(cert, env_key, p->serial);
    X509_NAME *subject = X509_get_subject_name(cert);
    crypto_must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                           (const unsigned char *)p->name, -1, -1, 0) == 1,
                "certificate name");
    X509 *issuer = p->issuer ? p->issuer : cert;
    crypto_must(X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1 &&
                    ASN1_TIME_set_string_X509(X509_getm_notBefore(cert), "20200101000000Z") == 1 &&
                    ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), "21191231235959Z") == 1 &&
                    X509_set_pubkey(cert, p->key) == 1,
                "certificate");
    bool ca = !p->sans;
    bool ok = add_extension(cert, issuer, NID_basic_constraints,
                            ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
              add_extension(cert, issuer, NID_key_usage,
                            ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
              add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
              add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always") &&
              (ca || (add_extension(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
                      add_extension(cert, issuer, NID_subject_alt_name, p->sans)));
    if (!ok) {
        X509_free(cert);
        return NULL;
    }
    /* Ed25519 has its digest built in. */
    const EVP_MD *digest = EVP_PKEY_id(p->issuer_key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    crypto_must(X509_sign(cert, p->issuer_key, digest) > 0, "certificate signature");
    return cert;
}

/* Takes the text out of a memory BIO. */
static char *bio_text(BIO *bio, bool written)
{
    char *p = NULL;
    long len = written ? BIO_get_mem_data(bio, &p) : -1;

    crypto_must(len >= 0, "PEM");
    char *text = mem_strndup(p, (size_t)len);
    explicit_bzero(p, (size_t)len);
    BIO_free(bio);
    return text;
}

static char *cert_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    return bio_text(bio, bio && PEM_write_bio_X509(bio, cert) == 1);
}

static char *key_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    return bio_text(bio, bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
}

int crypto_tls_make(struct crypto_tls *out, const uint8_t env_key[CRYPTO_KEY_LEN],
                    const char *const *sans, size_t san_count, struct err *e)
{
    *out = (struct crypto_tls){0};
    auto_buf struct buf names;
    buf_init(&names, SANS_MAX * (SAN_LEN_MAX + 8));
    if (join_sans(&names, sans, san_count, e) < 0)
        return -1;
    auto_free char *serial = mem_printf("tls/serial/%s", buf_str(&names));
    EVP_PKEY *ca_key = derive_key(env_key, "tls/ca");
    EVP_PKEY *key = derive_key(env_key, "tls/server");
    X509 *ca = make_cert(
        &(struct cert_plan){
            .name = "slipway CA", .serial = "tls/serial-ca", .key = ca_key, .issuer_key = ca_key},
        env_key);
    crypto_must(ca != NULL, "CA certificate");
    X509 *leaf = make_cert(&(struct cert_plan){.name = "slipway server",
                                               .serial = serial,
                                               .sans = buf_str(&names),
                                               .key = key,
                                               .issuer_key = ca_key,
                                               .issuer = ca},
                           env_key);
    if (leaf) {
        out->key_pem = key_pem(key);
        out->cert_pem = cert_pem(leaf);
        out->ca_pem = cert_pem(ca);
        make_pin(out->pin, key);
    }
    X509_free(leaf);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    if (!out->key_pem)
        return err_set(e, ERR_CONFIG, "certificate: not an address in %s", buf_str(&names));
    return 0;
}

/* P-256 of a derived number: 40 bytes modulo the order, so that no number is likelier than another
 * (FIPS 186-5, A.2.1). */
static EVP_PKEY *derive_p256(const uint8_t env_key[CRYPTO_KEY_LEN], const char *info)
{
    uint8_t seed[40], point[65];
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *public = group ? EC_POINT_new(group) : NULL;
    BN_CTX *ctx = BN_CTX_secure_new();
    BIGNUM *d = BN_secure_new(), *range = group ? BN_dup(EC_GROUP_get0_order(group)) : NULL;
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    crypto_derive(seed, sizeof(seed), env_key, info);
    crypto_must(public && ctx && d && range && bld && maker, "P-256");
    crypto_must(BN_bin2bn(seed, sizeof(seed), d) && BN_sub_word(range, 1) &&
                    BN_mod(d, d, range, ctx) && BN_add_word(d, 1) &&
                    EC_POINT_mul(group, public, d, NULL, NULL, ctx) &&
                    EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED, point,
                                       sizeof(point), ctx) == sizeof(point) &&
                    OSSL_PARAM_BLD_push_utf8_string(bld, "group", "prime256v1", 0) &&
                    OSSL_PARAM_BLD_push_BN(bld, "priv", d) &&
                    OSSL_PARAM_BLD_push_octet_string(bld, "pub", point, sizeof(point)) &&
                    (params = OSSL_PARAM_BLD_to_param(bld)) && EVP_PKEY_fromdata_init(maker) == 1 &&
                    EVP_PKEY_fromdata(maker, &key, EVP_PKEY_KEYPAIR, params) == 1,
                "P-256");
    explicit_bzero(seed, sizeof(seed));
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(maker);
    OSSL_PARAM_BLD_free(bld);
    BN_free(range);
    BN_clear_free(d);
    BN_CTX_free(ctx);
    EC_POINT_free(public);
    EC_GROUP_free(group);
    return key;
}

int crypto_tls_web(struct crypto_tls *out, const uint8_t env_key[CRYPTO_KEY_LEN],
                   const char *const *sans, size_t san_count, struct err *e)
{
    *out = (struct crypto_tls){0};
    auto_buf struct buf names;
    buf_init(&names, SANS_MAX * (SAN_LEN_MAX + 8));
    if (join_sans(&names, sans, san_count, e) < 0)
        return -1;
    auto_free char *serial = mem_printf("tls/serial-web/%s", buf_str(&names));
    EVP_PKEY *key = derive_p256(env_key, "tls/web");
    X509 *cert = make_cert(&(struct cert_plan){.name = "slipway controller",
                                               .serial = serial,
                                               .sans = buf_str(&names),
                                               .key = key,
                                               .issuer_key = key},
                           env_key);
    if (cert) {
        out->key_pem = key_pem(key);
        out->cert_pem = cert_pem(cert);
        make_pin(out->pin, key);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    if (!out->key_pem)
        return err_set(e, ERR_CONFIG, "certificate: not an address in %s", buf_str(&names));
    return 0;
}

void crypto_tls_pin(char pin[64], const uint8_t env_key[CRYPTO_KEY_LEN])
{
    EVP_PKEY *key = derive_key(env_key, "tls/server");

    make_pin(pin, key);
    EVP_PKEY_free(key);
}

void crypto_tls_clear(struct crypto_tls *t)
{
    mem_wipe_str(t->key_pem);
    mem_cleanup_free(&t->cert_pem);
    mem_cleanup_free(&t->ca_pem);
    *t = (struct crypto_tls){0};
}
