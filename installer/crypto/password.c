/* SPDX-License-Identifier: MIT */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "crypto/must.h"

/* As the OWASP cheat sheet on password storage has it, in the row that needs the least memory for
 * its strength: several people may log in at the same time. */
enum { COST_N = 1 << 14, COST_R = 8, COST_P = 5, SALT_LEN = 16, KEY_LEN = 32 };
enum { MEMORY_MAX = 32 << 20 };
#define KIND "scrypt:"

static void stretch(uint8_t key[KEY_LEN], const char *password, const void *salt)
{
    crypto_must(EVP_PBE_scrypt(password, strlen(password), salt, SALT_LEN, COST_N, COST_R, COST_P,
                               MEMORY_MAX, key, KEY_LEN) == 1,
                "scrypt");
}

int crypto_password_hash(char **out, const char *password, struct err *e)
{
    uint8_t salt[SALT_LEN], key[KEY_LEN];

    if (crypto_random(salt, sizeof(salt), e) < 0)
        return -1;
    stretch(key, password, salt);
    auto_free char *salt_text = base64_encode(salt, sizeof(salt));
    auto_free char *key_text = base64_encode(key, sizeof(key));

    *out = mem_printf(KIND "%s:%s", salt_text, key_text);
    explicit_bzero(key, sizeof(key));
    return 0;
}

bool crypto_password_is(const char *hash, const char *password)
{
    const char *salt_text = strncmp(hash, KIND, strlen(KIND)) == 0 ? hash + strlen(KIND) : NULL;
    const char *colon = salt_text ? strchr(salt_text, ':') : NULL;
    auto_free char *salt = NULL, *wanted = NULL;
    uint8_t key[KEY_LEN];
    size_t salt_len = 0, wanted_len = 0;
    struct err e;
    bool same;

    if (!colon || base64_decode(&salt, &salt_len, salt_text, (size_t)(colon - salt_text), &e) < 0 ||
        base64_decode(&wanted, &wanted_len, colon + 1, strlen(colon + 1), &e) < 0 ||
        salt_len != SALT_LEN || wanted_len != KEY_LEN)
        return false;
    stretch(key, password, salt);
    same = CRYPTO_memcmp(key, wanted, KEY_LEN) == 0;
    explicit_bzero(key, sizeof(key));
    return same;
}
