/* SPDX-License-Identifier: MIT */
#include "controller/shared_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/crypto.h"

struct shared_text *shared_text_new(char *text)
{
    struct shared_text *t = mem_alloc(sizeof(*t));
    char digest[CRYPTO_HEX_LEN];

    atomic_init(&t->users, 1);
    t->text = text;
    t->len = strlen(text);
    crypto_sha256_hex(digest, t->text, t->len);
    memcpy(t->tag, digest, sizeof(t->tag) - 1);
    return t;
}

struct shared_text *shared_text_use(struct shared_text *t)
{
    atomic_fetch_add(&t->users, 1);
    return t;
}

void shared_text_release(struct shared_text *t)
{
    if (!t || atomic_fetch_sub(&t->users, 1) != 1)
        return;
    free(t->text);
    free(t);
}
