/* SPDX-License-Identifier: MIT */
#include "controller/certificate.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

enum { PEM_MAX = 1 << 20 };

static void pair_free(struct certificate_pair *p)
{
    for (unsigned i = 0; i < p->count; i++)
        gnutls_pcert_deinit(&p->chain[i]);
    if (p->key)
        gnutls_privkey_deinit(p->key);
    free(p);
}

/* Whether the key is that of the certificate: a renewal writes one file after the other. */
static bool fits(const struct certificate_pair *p)
{
    gnutls_pubkey_t public;
    unsigned char of_cert[64], of_key[64];
    size_t cert_len = sizeof(of_cert), key_len = sizeof(of_key);
    bool same;

    if (gnutls_pubkey_init(&public) < 0)
        return false;
    same = gnutls_pubkey_import_privkey(public, p->key, 0, 0) == 0 &&
           gnutls_pubkey_get_key_id(public, 0, of_key, &key_len) == 0 &&
           gnutls_pubkey_get_key_id(p->chain[0].pubkey, 0, of_cert, &cert_len) == 0 &&
           key_len == cert_len && memcmp(of_key, of_cert, key_len) == 0;
    gnutls_pubkey_deinit(public);
    return same;
}

static int load(struct certificate *c, const char *cert, const char *key, struct err *e)
{
    struct certificate_pair *p = mem_alloc(sizeof(*p));
    const gnutls_datum_t cert_text = {(unsigned char *)mem_strdup(cert), (unsigned)strlen(cert)};
    const gnutls_datum_t key_text = {(unsigned char *)mem_strdup(key), (unsigned)strlen(key)};
    int r;

    p->count = CERTIFICATE_CHAIN_MAX;
    r = gnutls_pcert_list_import_x509_raw(p->chain, &p->count, &cert_text, GNUTLS_X509_FMT_PEM, 0);
    if (r < 0)
        p->count = 0;
    if (r >= 0)
        r = gnutls_privkey_init(&p->key);
    if (r >= 0)
        r = gnutls_privkey_import_x509_raw(p->key, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0);
    free(cert_text.data);
    mem_wipe_free(key_text.data, key_text.size);
    if (r < 0 || p->count == 0 || !fits(p)) {
        pair_free(p);
        return r < 0 ? err_set(e, ERR_CONFIG, "certificate or key cannot be used: %s",
                               gnutls_strerror(r))
                     : err_set(e, ERR_CONFIG, "the key is not that of the certificate");
    }
    pthread_mutex_lock(&c->mutex);
    p->older = c->now;
    c->now = p;
    pthread_mutex_unlock(&c->mutex);
    return 0;
}

static int load_files(struct certificate *c, struct err *e)
{
    auto_free char *cert = NULL;
    auto_wipe char *key = NULL;
    struct stat s;

    if (stat(c->cert_file, &s) == 0)
        c->cert_time = s.st_mtim;
    if (stat(c->key_file, &s) == 0)
        c->key_time = s.st_mtim;
    if (fs_read(&cert, NULL, c->cert_file, PEM_MAX, e) < 0 ||
        fs_read(&key, NULL, c->key_file, PEM_MAX, e) < 0)
        return -1;
    return load(c, cert, key, e);
}

int certificate_init(struct certificate *c, const char *const pem[2], const char *const files[2],
                     struct err *e)
{
    *c = (struct certificate){.cert_file = pem[0] ? NULL : files[0],
                              .key_file = pem[0] ? NULL : files[1]};
    pthread_mutex_init(&c->mutex, NULL);
    return pem[0] ? load(c, pem[0], pem[1], e) : load_files(c, e);
}

void certificate_clear(struct certificate *c)
{
    while (c->now) {
        struct certificate_pair *p = c->now;

        c->now = p->older;
        pair_free(p);
    }
    pthread_mutex_destroy(&c->mutex);
}

static bool is_new(const char *path, const struct timespec *seen)
{
    struct stat s;

    return stat(path, &s) == 0 &&
           (s.st_mtim.tv_sec != seen->tv_sec || s.st_mtim.tv_nsec != seen->tv_nsec);
}

void certificate_look(struct certificate *c)
{
    struct err e;

    if (!c->cert_file ||
        (!is_new(c->cert_file, &c->cert_time) && !is_new(c->key_file, &c->key_time)))
        return;
    if (load_files(c, &e) < 0)
        log_warn("the certificate stays as it was: %s", e.msg);
    else
        log_info("another certificate is in use");
}

struct certificate_pair *certificate_pair(struct certificate *c)
{
    struct certificate_pair *p;

    pthread_mutex_lock(&c->mutex);
    p = c->now;
    pthread_mutex_unlock(&c->mutex);
    return p;
}
