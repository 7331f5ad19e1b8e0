/* SPDX-License-Identifier: MIT */
// wrap: EVP_MAC_fetch EVP_sha256 EVP_PKEY_new_raw_private_key EVP_CIPHER_fetch
// wrap: EVP_KDF_fetch EVP_SIGNATURE_fetch
#include "crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <stdbool.h>

#include "base/mem.h"

static void to_hex(char *out, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static const uint8_t key[CRYPTO_KEY_LEN] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                            11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                            22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

/* A libcrypto that was set up without one of them. */
static const char *missing;

static bool is_missing(const char *what)
{
    return missing && strcmp(missing, what) == 0;
}

EVP_MAC *__real_EVP_MAC_fetch(OSSL_LIB_CTX *c, const char *name, const char *with);
EVP_MAC *__wrap_EVP_MAC_fetch(OSSL_LIB_CTX *c, const char *name, const char *with);
EVP_MAC *__wrap_EVP_MAC_fetch(OSSL_LIB_CTX *c, const char *name, const char *with)
{
    return is_missing("HMAC") ? NULL : __real_EVP_MAC_fetch(c, name, with);
}

EVP_CIPHER *__real_EVP_CIPHER_fetch(OSSL_LIB_CTX *c, const char *name, const char *with);
EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *c, const char *name, const char *with);
EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *c, const char *name, const char *with)
{
    return is_missing("AES-GCM") ? NULL : __real_EVP_CIPHER_fetch(c, name, with);
}

const EVP_MD *__real_EVP_sha256(void);
const EVP_MD *__wrap_EVP_sha256(void);
const EVP_MD *__wrap_EVP_sha256(void)
{
    return is_missing("SHA-256") ? NULL : __real_EVP_sha256();
}

EVP_PKEY *__real_EVP_PKEY_new_raw_private_key(int type, ENGINE *engine, const unsigned char *p,
                                              size_t len);
EVP_PKEY *__wrap_EVP_PKEY_new_raw_private_key(int type, ENGINE *engine, const unsigned char *p,
                                              size_t len);
EVP_PKEY *__wrap_EVP_PKEY_new_raw_private_key(int type, ENGINE *engine, const unsigned char *p,
                                              size_t len)
{
    return is_missing("Ed25519") ? NULL : __real_EVP_PKEY_new_raw_private_key(type, engine, p, len);
}

EVP_KDF *__real_EVP_KDF_fetch(OSSL_LIB_CTX *c, const char *name, const char *with);
EVP_KDF *__wrap_EVP_KDF_fetch(OSSL_LIB_CTX *c, const char *name, const char *with);
EVP_KDF *__wrap_EVP_KDF_fetch(OSSL_LIB_CTX *c, const char *name, const char *with)
{
    return is_missing("scrypt") ? NULL : __real_EVP_KDF_fetch(c, name, with);
}

EVP_SIGNATURE *__real_EVP_SIGNATURE_fetch(OSSL_LIB_CTX *c, const char *name, const char *with);
EVP_SIGNATURE *__wrap_EVP_SIGNATURE_fetch(OSSL_LIB_CTX *c, const char *name, const char *with);
EVP_SIGNATURE *__wrap_EVP_SIGNATURE_fetch(OSSL_LIB_CTX *c, const char *name, const char *with)
{
    return is_missing(name) ? NULL : __real_EVP_SIGNATURE_fetch(c, name, with);
}

static void what_libcrypto_lacks_is_said_before_it_is_needed(void **state)
{
    static const char *const all[] = {"SHA-256", "HMAC", "AES-GCM", "scrypt", "Ed25519", "ECDSA"};
    struct err e;

    (void)state;
    assert_int_equal(crypto_check(&e), 0);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        missing = all[i];
        assert_int_equal(crypto_check(&e), -1);
        assert_int_equal(e.code, ERR_SYS);
        assert_non_null(strstr(e.msg, all[i]));
    }
    missing = NULL;
}

static void sha256_of_known_texts(void **state)
{
    (void)state;
    char out[CRYPTO_HEX_LEN];
    crypto_sha256_hex(out, "", 0);
    assert_string_equal(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    crypto_sha256_hex(out, "abc", 3);
    assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_hash_in_pieces_is_the_hash_of_the_whole(void **state)
{
    (void)state;
    char whole[CRYPTO_HEX_LEN], pieces[CRYPTO_HEX_LEN];
    crypto_sha256_hex(whole, "hello world", 11);
    struct crypto_hash *h = crypto_hash_new();
    crypto_hash_add(h, "hello", 5);
    crypto_hash_add(h, NULL, 0);
    crypto_hash_add(h, " world", 6);
    crypto_hash_hex(h, pieces);
    assert_string_equal(whole, pieces);
    crypto_hash_free(crypto_hash_new());
    crypto_hash_free(NULL);
}

/* openssl kdf -keylen N -kdfopt digest:SHA256 -kdfopt hexkey:0001..1f -kdfopt salt:slipway-v1
 *   -kdfopt info:INFO HKDF */
static void derivation_agrees_with_openssl_kdf(void **state)
{
    (void)state;
    uint8_t out[100];
    char text[201];
    crypto_derive(out, 42, key, "test");
    to_hex(text, out, 42);
    assert_string_equal(text, "8427b1db6071d26378e5a948e419d5227cf04b77fce56751f7adb6b236a79bcbe5f2"
                              "47a8aeb427a747b1");
    crypto_derive(out, 100, key, "");
    to_hex(text, out, 100);
    assert_string_equal(text, "df04f7795ccf454d33328416157753448ccb82e277076bb104b21e6a429c21324598"
                              "f512ccd7203f057ab886df6a17b293e17702bcd26c47ddcf3a51880ffe4781656b33"
                              "d4d66f50645c2a0f3b09ab627ce30fa810d30698a018e4965771cbaed45cec39");
}

static void labels_give_unrelated_bytes(void **state)
{
    (void)state;
    uint8_t a[32], b[32], again[32];
    crypto_derive(a, sizeof(a), key, "a");
    crypto_derive(b, sizeof(b), key, "b");
    crypto_derive(again, sizeof(again), key, "a");
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_equal(a, again, sizeof(a));
}

static void a_uuid_has_version_8_and_the_rfc_variant(void **state)
{
    (void)state;
    uint8_t bytes[16];
    char out[37];
    memset(bytes, 0xff, sizeof(bytes));
    crypto_uuid(out, bytes);
    assert_string_equal(out, "ffffffff-ffff-8fff-bfff-ffffffffffff");
    memset(bytes, 0, sizeof(bytes));
    crypto_uuid(out, bytes);
    assert_string_equal(out, "00000000-0000-8000-8000-000000000000");
}

static void random_bytes_differ(void **state)
{
    (void)state;
    struct err e;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_int_equal(crypto_random(a, sizeof(a), &e), 0);
    assert_int_equal(crypto_random(b, sizeof(b), &e), 0);
    assert_memory_not_equal(a, b, sizeof(a));
}

static void a_password_is_kept_as_what_only_it_becomes(void **state)
{
    static const char *const bad[] = {"", "scrypt:", "scrypt:AA==:AA==", "secret word",
                                      "scrypt:AAAAAAAAAAAAAAAAAAAAAA==:"};
    auto_free char *hash = NULL, *again = NULL;
    struct err e;

    (void)state;
    assert_int_equal(crypto_password_hash(&hash, "secret word", &e), 0);
    assert_int_equal(crypto_password_hash(&again, "secret word", &e), 0);
    assert_string_not_equal(hash, again);
    assert_null(strstr(hash, "secret"));
    assert_true(crypto_password_is(hash, "secret word"));
    assert_true(crypto_password_is(again, "secret word"));
    assert_false(crypto_password_is(hash, "secret wore"));
    assert_false(crypto_password_is(hash, ""));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(crypto_password_is(bad[i], "secret word"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_known_texts),
        cmocka_unit_test(a_hash_in_pieces_is_the_hash_of_the_whole),
        cmocka_unit_test(derivation_agrees_with_openssl_kdf),
        cmocka_unit_test(labels_give_unrelated_bytes),
        cmocka_unit_test(a_uuid_has_version_8_and_the_rfc_variant),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(what_libcrypto_lacks_is_said_before_it_is_needed),
        cmocka_unit_test(a_password_is_kept_as_what_only_it_becomes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
