/* SPDX-License-Identifier: MIT */
/*
 * The environment key and what derives from it. The key is 32 random bytes in one 0600 file at the
 * operator, `key` (64 hex digits) in the environment's folder, whose last part is the environment's
 * name. Everything else here is a pure function of it.
 */
#ifndef MODEL_SECRET_H
#define MODEL_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/manifest.h"
#include "model/ssh_state.h"

struct env_key {
    uint8_t bytes[32];
    char uuid[37];        /* derived: identifies the environment in labels */
    struct ssh_state ssh; /* as the copy beside the key has it; whoever asked etcd puts it right */
};

/* ERR_NOTFOUND when there is none; ERR_AUTH when others may read the file. */
int secret_load_key(struct env_key *out, const char *folder, struct err *e);
/* Loads, or makes a new one (O_EXCL, so that two runs agree). *created may be NULL. */
int secret_make_key(struct env_key *out, const char *folder, bool *created, struct err *e);
int secret_remove_key(const char *folder, struct err *e);

/* Password of an etcd user: "root" or an instance's name. Owned; wipe it. */
char *secret_password(const struct env_key *k, const char *user, unsigned generation);
/* Names of a certificate: "IP:10.0.0.2", "DNS:localhost". */
struct secret_sans {
    const char *const *items;
    size_t count;
};

/*
 * Value of a secret a manifest declares, for one instance. Owned; wipe it. `sans` only for tls,
 * whose value is three PEM texts in a row: key, certificate, CA. A tls secret of scope
 * `environment` holds the one server key that secret_pin pins (etcd's members); one of an instance
 * has a key and CA of its own.
 */
int secret_value(char **out, const struct env_key *k, const struct secret_decl *d,
                 const char *instance, const struct secret_sans *sans, struct err *e);
/* Its value is PEM text, not one word. */
bool secret_is_pem(enum secret_kind kind);
/* Value of shared uuid `name`, into out[37]. */
void secret_shared_uuid(char out[37], const struct env_key *k, const char *name);
/* Names of the two secrets of an instance that runs sshd: its host key, and the lines of its
 * authorized_keys. */
#define SECRET_SSH_HOST_KEY "ssh_host_key"
#define SECRET_SSH_AUTHORIZED "ssh_authorized_key"
/* SSH: the operator's client key that is in use, the one of a generation, the lines of all that are
 * accepted (no newline at the end), and the host key of an instance. Owned. */
int secret_ssh_client(char **private_pem, char **public_line, const struct env_key *k,
                      struct err *e);
int secret_ssh_client_of(char **private_pem, char **public_line, const struct env_key *k,
                         unsigned generation, struct err *e);
int secret_ssh_authorized(char **lines, const struct env_key *k, struct err *e);
int secret_ssh_host(char **private_pem, char **public_line, const struct env_key *k,
                    const char *instance, struct err *e);
/* The key that deploys agents, and does nothing else: that of a generation, and all that are
 * accepted. An agent puts the forced command in front of the first one; the next one has its own
 * in front, so that agents which know of one key alone bound it, too. */
int secret_ssh_deploy(char **private_pem, char **public_line, const struct env_key *k,
                      unsigned generation, struct err *e);
int secret_ssh_deployers(char **lines, const struct env_key *k, struct err *e);
#define SECRET_SSH_DEPLOY "ssh_deploy_key"
/* The etcd servers' public-key pin, "sha256//BASE64", into out[64]. */
int secret_pin(char out[64], const struct env_key *k, struct err *e);

#endif
