/* SPDX-License-Identifier: MIT */
/* For agent.sh: what slipway would store. agent_driver tls DIR: key, crt, ca of an etcd on
 * loopback, prints the pin. agent_driver seal PASSWORD NAME: seals stdin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "crypto/crypto.h"

static int save(const char *dir, const char *name, const char *text, struct err *e)
{
    auto_free char *path = fs_join(dir, name);

    return fs_write(path, text, strlen(text),
                    &(struct fs_write_opts){.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1}, e);
}

static int make_tls(const char *dir, struct err *e)
{
    static const uint8_t key[CRYPTO_KEY_LEN] = {1, 2, 3};
    static const char *const names[] = {"IP:127.0.0.1", "DNS:localhost"};
    struct crypto_tls t;

    if (crypto_tls_make(&t, key, names, 2, e) < 0 || save(dir, "key", t.key_pem, e) < 0 ||
        save(dir, "crt", t.cert_pem, e) < 0 || save(dir, "ca", t.ca_pem, e) < 0)
        return -1;
    printf("%s\n", t.pin);
    crypto_tls_clear(&t);
    return 0;
}

static int seal(const char *password, const char *name)
{
    char text[65536];
    size_t len = fread(text, 1, sizeof(text), stdin);
    auto_free char *sealed = crypto_seal(password, name, text, len);

    printf("%s", sealed);
    return 0;
}

int main(int argc, char **argv)
{
    struct err e;
    int r = -1;

    if (argc == 3 && strcmp(argv[1], "tls") == 0)
        r = make_tls(argv[2], &e);
    else if (argc == 4 && strcmp(argv[1], "seal") == 0)
        return seal(argv[2], argv[3]);
    else
        err_set(&e, ERR_USAGE, "tls DIR, seal PASSWORD NAME");
    if (r < 0)
        fprintf(stderr, "agent_driver: %s\n", e.msg);
    return r < 0;
}
