/* SPDX-License-Identifier: MIT */
#include "model/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/release.h"
#include "crypto/crypto.h"

enum { KEY_TEXT_LEN = 64, CEPH_SECRET_LEN = 16 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode_key(struct env_key *out, const char *text, const char *path, struct err *e)
{
    size_t len = strlen(text);

    if (len && text[len - 1] == '\n')
        len--;
    bool ok = len == KEY_TEXT_LEN;
    for (size_t i = 0; ok && i < sizeof(out->bytes); i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        ok = high >= 0 && low >= 0;
        out->bytes[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    if (!ok) {
        explicit_bzero(out, sizeof(*out));
        return err_set(e, ERR_CONFIG,
                       "environment key %s is not one line of 64 hex digits; restore it from a "
                       "backup",
                       path);
    }
    uint8_t id[16];
    crypto_derive(id, sizeof(id), out->bytes, "environment/uuid");
    crypto_uuid(out->uuid, id);
    return 0;
}

int secret_load_key(struct env_key *out, const char *folder, struct err *e)
{
    auto_free char *path = fs_join(folder, "key");

    *out = (struct env_key){0};
    if (crypto_check(e) < 0)
        return -1;
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return err_set(e, ERR_NOTFOUND, "environment %s has no key: %s is missing",
                       fs_basename(folder), path);
    if (fd < 0)
        return err_sys(e, "environment key %s", path);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_sys(e, "environment key %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_CONFIG, "environment key %s is not a file", path);
    if (st.st_mode & 077)
        return err_set(e, ERR_AUTH,
                       "environment key %s may be read by others (mode %04o); say chmod 600, and "
                       "make new passwords if somebody did",
                       path, (unsigned)st.st_mode & 07777);
    char text[KEY_TEXT_LEN + 16] = "";
    ssize_t n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return err_sys(e, "environment key %s", path);
    text[n] = '\0';
    int r = decode_key(out, text, path, e);
    if (r == 0) {
        text[KEY_TEXT_LEN] = '\0';
        log_redact(text);
        ssh_state_load(&out->ssh, folder);
    }
    explicit_bzero(text, sizeof(text));
    return r;
}

/* Written whole under a name of its own, then linked: whoever finds `path` finds all 64 digits, and
 * of two runs one link fails. */
static int publish(const char *path, const char *text, bool *created, struct err *e)
{
    auto_free char *temporary = mem_printf("%s.new.%ld", path, (long)gettid());

    unlink(temporary);
    auto_close int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(e, "making %s", temporary);
    size_t len = strlen(text);
    int r = 0;
    if (fchmod(fd, 0600) < 0 || write(fd, text, len) != (ssize_t)len || fsync(fd) < 0)
        r = err_sys(e, "writing %s", temporary);
    else if (link(temporary, path) == 0 && fs_sync_dir_of(path) == 0)
        *created = true;
    else if (errno != EEXIST)
        r = err_sys(e, "making %s", path);
    unlink(temporary);
    return r;
}

static int make_key(const char *folder, bool *created, struct err *e)
{
    auto_free char *path = fs_join(folder, "key");

    if (fs_mkdirs(folder, 0700, e) < 0)
        return err_wrap(e, "directory of the environment key");
    uint8_t bytes[32];
    if (crypto_random(bytes, sizeof(bytes), e) < 0)
        return -1;
    char text[KEY_TEXT_LEN + 2];
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    text[KEY_TEXT_LEN] = '\n';
    text[KEY_TEXT_LEN + 1] = '\0';
    int r = publish(path, text, created, e);
    explicit_bzero(text, sizeof(text));
    explicit_bzero(bytes, sizeof(bytes));
    return r;
}

int secret_make_key(struct env_key *out, const char *folder, bool *created, struct err *e)
{
    bool made = false;

    if (created)
        *created = false;
    struct err first;
    if (secret_load_key(out, folder, &first) == 0)
        return 0;
    if (first.code != ERR_NOTFOUND) {
        *e = first;
        return -1;
    }
    if (make_key(folder, &made, e) < 0 || secret_load_key(out, folder, e) < 0)
        return -1;
    if (created)
        *created = made;
    return 0;
}

int secret_remove_key(const char *folder, struct err *e)
{
    auto_free char *path = fs_join(folder, "key");

    if (unlink(path) < 0 && errno != ENOENT)
        return err_sys(e, "removing the environment key %s", path);
    return 0;
}

/* 32 derived bytes as base64url. */
static char *password_text(const struct env_key *k, const char *info)
{
    uint8_t bytes[32];

    crypto_derive(bytes, sizeof(bytes), k->bytes, info);
    char *text = base64url_encode(bytes, sizeof(bytes));
    explicit_bzero(bytes, sizeof(bytes));
    return text;
}

static char *hex_text(const struct env_key *k, const char *info)
{
    uint8_t bytes[32];

    crypto_derive(bytes, sizeof(bytes), k->bytes, info);
    char *text = mem_alloc(2 * sizeof(bytes) + 1);
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    explicit_bzero(bytes, sizeof(bytes));
    return text;
}

/* CryptoKey::encode of Ceph: type AES (1), creation time, length, key; numbers little-endian. The
 * time is fixed at one second, for the same text each time. */
static char *ceph_key_text(const struct env_key *k, const char *info)
{
    uint8_t bytes[12 + CEPH_SECRET_LEN] = {1, 0, 1, 0, 0, 0, 0, 0, 0, 0, CEPH_SECRET_LEN, 0};

    crypto_derive(bytes + 12, CEPH_SECRET_LEN, k->bytes, info);
    char *text = base64_encode(bytes, sizeof(bytes));
    explicit_bzero(bytes, sizeof(bytes));
    return text;
}

static int ssh_key(char **private_pem, char **public_line, const struct env_key *k,
                   const char *info, const char *comment, struct err *e)
{
    uint8_t seed[32];

    crypto_derive(seed, sizeof(seed), k->bytes, info);
    int r = crypto_ssh_key(private_pem, public_line, seed, comment, e);
    explicit_bzero(seed, sizeof(seed));
    return r;
}

static int tls_text(char **out, const struct env_key *k, const char *info,
                    const struct secret_sans *sans, struct err *e)
{
    uint8_t key[32];

    memcpy(key, k->bytes, sizeof(key));
    if (info)
        crypto_derive(key, sizeof(key), k->bytes, info);
    struct crypto_tls tls;
    int r = crypto_tls_make(&tls, key, sans ? sans->items : NULL, sans ? sans->count : 0, e);
    explicit_bzero(key, sizeof(key));
    if (r == 0)
        *out = mem_printf("%s%s%s", tls.key_pem, tls.cert_pem, tls.ca_pem);
    crypto_tls_clear(&tls);
    return r;
}

char *secret_password(const struct env_key *k, const char *user, unsigned generation)
{
    auto_free char *info = mem_printf("etcd/user/%s/%u", user, generation);
    char *text = password_text(k, info);

    if (strcmp(user, "root") == 0) /* the one that opens everything */
        log_redact(text);
    return text;
}

/* ---- secrets that manifests declare ---- */

struct derivation {
    const struct env_key *k;
    const struct secret_decl *decl;
    const char *info; /* what makes it different from every other secret */
    const struct secret_sans *sans;
};

static int make_password(char **out, const struct derivation *d, struct err *e)
{
    (void)e;
    *out = password_text(d->k, d->info);
    return 0;
}

static int make_hex(char **out, const struct derivation *d, struct err *e)
{
    (void)e;
    *out = hex_text(d->k, d->info);
    return 0;
}

static int make_ceph_key(char **out, const struct derivation *d, struct err *e)
{
    (void)e;
    *out = ceph_key_text(d->k, d->info);
    return 0;
}

static int make_ssh_key(char **out, const struct derivation *d, struct err *e)
{
    auto_free char *public_line = NULL;

    return ssh_key(out, &public_line, d->k, d->info, d->decl->name, e);
}

static int make_tls(char **out, const struct derivation *d, struct err *e)
{
    bool pinned = d->decl->scope == SECRET_SCOPE_ENVIRONMENT;

    return tls_text(out, d->k, pinned ? NULL : d->info, d->sans, e);
}

static int make_environment_key(char **out, const struct derivation *d, struct err *e)
{
    char *text = mem_alloc(KEY_TEXT_LEN + 1);

    (void)e;
    for (size_t i = 0; i < sizeof(d->k->bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", d->k->bytes[i]);
    *out = text;
    return 0;
}

static const struct {
    int (*make)(char **out, const struct derivation *d, struct err *e);
    bool is_pem;
} KINDS[] = {
#define SECRET(kind, name, make, is_pem) [SECRET_KIND_##kind] = {make, is_pem},
#include "model/secrets.def"
#undef SECRET
};

bool secret_is_pem(enum secret_kind kind)
{
    return KINDS[kind].is_pem;
}

int secret_value(char **out, const struct env_key *k, const struct secret_decl *d,
                 const char *instance, const struct secret_sans *sans, struct err *e)
{
    auto_free char *info = d->scope == SECRET_SCOPE_ENVIRONMENT
                               ? mem_printf("secret/environment/%s", d->name)
                               : mem_printf("secret/instance/%s/%s", instance, d->name);
    struct derivation derivation = {.k = k, .decl = d, .info = info, .sans = sans};

    *out = NULL;
    if (KINDS[d->kind].make(out, &derivation, e) < 0)
        return err_wrap(e, "secret %s of %s", d->name, instance);
    return 0;
}

void secret_shared_uuid(char out[37], const struct env_key *k, const char *name)
{
    uint8_t bytes[16];
    auto_free char *info = mem_printf("shared/uuid/%s", name);

    crypto_derive(bytes, sizeof(bytes), k->bytes, info);
    crypto_uuid(out, bytes);
}

int secret_ssh_client_of(char **private_pem, char **public_line, const struct env_key *k,
                         unsigned generation, struct err *e)
{
    auto_free char *info =
        generation > 1 ? mem_printf("ssh/client/%u", generation) : mem_strdup("ssh/client");

    return ssh_key(private_pem, public_line, k, info, "slipway", e);
}

int secret_ssh_client(char **private_pem, char **public_line, const struct env_key *k,
                      struct err *e)
{
    return secret_ssh_client_of(private_pem, public_line, k, k->ssh.generation, e);
}

int secret_ssh_authorized(char **lines, const struct env_key *k, struct err *e)
{
    auto_wipe char *private_pem = NULL;
    auto_wipe char *next_pem = NULL;
    auto_free char *line = NULL, *next = NULL;

    *lines = NULL;
    if (secret_ssh_client(&private_pem, &line, k, e) < 0)
        return -1;
    if (k->ssh.next && secret_ssh_client_of(&next_pem, &next, k, k->ssh.next, e) < 0)
        return -1;
    *lines = next ? mem_printf("%s\n%s", line, next) : steal(line);
    return 0;
}

int secret_ssh_deploy(char **private_pem, char **public_line, const struct env_key *k,
                      unsigned generation, struct err *e)
{
    auto_free char *info =
        generation > 1 ? mem_printf("ssh/deploy/%u", generation) : mem_strdup("ssh/deploy");

    return ssh_key(private_pem, public_line, k, info, "slipway-deploy", e);
}

int secret_ssh_deployers(char **lines, const struct env_key *k, struct err *e)
{
    auto_wipe char *private_pem = NULL;
    auto_wipe char *next_pem = NULL;
    auto_free char *line = NULL, *next = NULL;

    *lines = NULL;
    if (secret_ssh_deploy(&private_pem, &line, k, k->ssh.generation, e) < 0)
        return -1;
    if (k->ssh.next && secret_ssh_deploy(&next_pem, &next, k, k->ssh.next, e) < 0)
        return -1;
    *lines = next ? mem_printf("%s\nrestrict,command=\"" RELEASE_HOME "/" RELEASE_AGENT
                               " release forced\" %s",
                               line, next)
                  : steal(line);
    return 0;
}

int secret_ssh_host(char **private_pem, char **public_line, const struct env_key *k,
                    const char *instance, struct err *e)
{
    auto_free char *info = mem_printf("ssh/host/%s", instance);

    return ssh_key(private_pem, public_line, k, info, instance, e);
}

int secret_pin(char out[64], const struct env_key *k, struct err *e)
{
    (void)e;
    crypto_tls_pin(out, k->bytes);
    return 0;
}
