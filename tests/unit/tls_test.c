/* SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"

static const uint8_t key[CRYPTO_KEY_LEN] = {7};
static const char *const sans[] = {"IP:10.0.0.2", "DNS:localhost", "IP:fd00::1", "DNS:etcd-1"};

static X509 *read_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

static int verify(const struct crypto_tls *t, int purpose)
{
    X509 *ca = read_cert(t->ca_pem), *leaf = read_cert(t->cert_pem);
    X509_STORE *store = X509_STORE_new();

    X509_STORE_add_cert(store, ca);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_init(ctx, store, leaf, NULL);
    X509_STORE_CTX_set_purpose(ctx, purpose);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
    X509_verify_cert(ctx);
    int r = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    X509_free(leaf);
    X509_free(ca);
    return r;
}

static void the_leaf_is_good_for_servers_and_clients(void **state)
{
    (void)state;
    struct crypto_tls t;
    struct err e;
    assert_int_equal(crypto_tls_make(&t, key, sans, ARRAY_LEN(sans), &e), 0);
    assert_int_equal(verify(&t, X509_PURPOSE_SSL_SERVER), X509_V_OK);
    assert_int_equal(verify(&t, X509_PURPOSE_SSL_CLIENT), X509_V_OK);

    X509 *ca = read_cert(t.ca_pem), *leaf = read_cert(t.cert_pem);
    EVP_PKEY *ca_key = X509_get_pubkey(ca);
    assert_int_equal(X509_verify(leaf, ca_key), 1);
    assert_int_equal(X509_verify(ca, ca_key), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "10.0.0.2", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "fd00::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "10.0.0.3", 0), 0);
    assert_int_equal(X509_check_host(leaf, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "example.org", 0, 0, NULL), 0);
    EVP_PKEY_free(ca_key);
    X509_free(leaf);
    X509_free(ca);
    crypto_tls_clear(&t);
}

static void the_key_belongs_to_the_certificate(void **state)
{
    (void)state;
    struct crypto_tls t;
    struct err e;
    assert_int_equal(crypto_tls_make(&t, key, sans, 1, &e), 0);
    BIO *bio = BIO_new_mem_buf(t.key_pem, -1);
    EVP_PKEY *private = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    X509 *leaf = read_cert(t.cert_pem);
    assert_int_equal(X509_check_private_key(leaf, private), 1);
    EVP_PKEY_free(private);
    X509_free(leaf);
    crypto_tls_clear(&t);
}

static void the_same_input_gives_the_same_text_and_other_names_the_same_pin(void **state)
{
    (void)state;
    struct crypto_tls a, b, other;
    struct err e;
    char pin[64];
    assert_int_equal(crypto_tls_make(&a, key, sans, 2, &e), 0);
    assert_int_equal(crypto_tls_make(&b, key, sans, 2, &e), 0);
    assert_int_equal(crypto_tls_make(&other, key, sans + 1, 2, &e), 0);
    crypto_tls_pin(pin, key);
    assert_string_equal(a.key_pem, b.key_pem);
    assert_string_equal(a.cert_pem, b.cert_pem);
    assert_string_equal(a.ca_pem, b.ca_pem);
    assert_string_not_equal(a.cert_pem, other.cert_pem);
    assert_string_equal(a.ca_pem, other.ca_pem);
    assert_string_equal(a.pin, pin);
    assert_string_equal(other.pin, pin);
    assert_int_equal(strncmp(pin, "sha256//", 8), 0);
    assert_int_equal(strlen(pin), 8 + 44);
    crypto_tls_clear(&a);
    crypto_tls_clear(&b);
    crypto_tls_clear(&other);
}

static void another_environment_has_another_pin(void **state)
{
    (void)state;
    static const uint8_t other[CRYPTO_KEY_LEN] = {8};
    char a[64], b[64];
    crypto_tls_pin(a, key);
    crypto_tls_pin(b, other);
    assert_string_not_equal(a, b);
}

static void names_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        "10.0.0.2",          "IP:",  "IP:300.1.1.1",
                                      "DNS:a,b", "DNS:a\nIP:1.2.3.4", "IP:x", "email:a@b",
                                      "DNS:a b", "URI:http://x"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct crypto_tls t;
        struct err e;

        assert_int_equal(crypto_tls_make(&t, key, bad + i, 1, &e), -1);
        assert_int_equal(e.code, ERR_CONFIG);
        assert_null(t.key_pem);
    }
    struct crypto_tls t;
    struct err e;
    assert_int_equal(crypto_tls_make(&t, key, NULL, 0, &e), -1);
}

static void a_browsers_key_is_derived_and_its_certificate_signs_itself(void **state)
{
    static const uint8_t other[CRYPTO_KEY_LEN] = {8};
    struct crypto_tls a, again, b;
    struct err e;

    (void)state;
    assert_int_equal(crypto_tls_web(&a, key, sans, 4, &e), 0);
    assert_int_equal(crypto_tls_web(&again, key, sans, 1, &e), 0);
    assert_int_equal(crypto_tls_web(&b, other, sans, 4, &e), 0);
    assert_string_equal(a.pin, again.pin);
    assert_string_equal(a.key_pem, again.key_pem);
    assert_string_not_equal(a.pin, b.pin);
    X509 *cert = read_cert(a.cert_pem);
    EVP_PKEY *public = X509_get0_pubkey(cert);
    assert_int_equal(EVP_PKEY_id(public), EVP_PKEY_EC);
    assert_int_equal(X509_verify(cert, public), 1);
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(cert, "10.0.0.2", 0), 1);
    X509_free(cert);
    crypto_tls_clear(&a);
    crypto_tls_clear(&again);
    crypto_tls_clear(&b);
    assert_int_equal(crypto_tls_web(&a, key, (const char *const[]){"DNS:a,b"}, 1, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leaf_is_good_for_servers_and_clients),
        cmocka_unit_test(the_key_belongs_to_the_certificate),
        cmocka_unit_test(the_same_input_gives_the_same_text_and_other_names_the_same_pin),
        cmocka_unit_test(another_environment_has_another_pin),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(a_browsers_key_is_derived_and_its_certificate_signs_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
