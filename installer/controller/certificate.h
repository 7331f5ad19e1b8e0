/* SPDX-License-Identifier: MIT */
/* The server's key and certificate for its TLS library; files are looked at again now and then. */
#ifndef CONTROLLER_CERTIFICATE_H
#define CONTROLLER_CERTIFICATE_H

#include <gnutls/abstract.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/err.h"

enum { CERTIFICATE_CHAIN_MAX = 8 };

/* A pair that was in use stays until the end: a handshake may be under way with it. */
struct certificate_pair {
    gnutls_pcert_st chain[CERTIFICATE_CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
    struct certificate_pair *older;
};

struct certificate {
    const char *cert_file, *key_file; /* NULL: it is not from files */
    struct timespec cert_time, key_time;
    pthread_mutex_t mutex;
    struct certificate_pair *now;
};

/* PEM texts, or files where they are NULL. certificate_clear in every case. */
int certificate_init(struct certificate *c, const char *const pem[2], const char *const files[2],
                     struct err *e);
void certificate_clear(struct certificate *c);
/* Takes files in that changed; those that cannot be used are told once and the old pair stays. */
void certificate_look(struct certificate *c);
/* The pair in use, borrowed until certificate_clear. */
struct certificate_pair *certificate_pair(struct certificate *c);

#endif
