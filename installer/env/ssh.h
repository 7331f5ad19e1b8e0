/* SPDX-License-Identifier: MIT */
/* Logging in to an instance over SSH: who it is, and what the OpenSSH client needs, with nothing of
 * the user's own set-up. */
#ifndef ENV_SSH_H
#define ENV_SSH_H

#include "env/env.h"
#include "host/host.h"

/* Where an instance is reached and with which keys: the environment's own, and the instance's host
 * key, both of which derive from the environment key. */
struct ssh_login {
    const char *name, *address; /* borrowed from env->containers */
    char *private_key;          /* OpenSSH's format */
    char *host_key;             /* "ssh-ed25519 AAAA..." */
};
#define SSH_USER "root"

bool ssh_is_on(const struct env *env, const char *instance);   /* its container has sshd */
bool ssh_answers(const struct env *env, const char *instance); /* and runs */
/* `instance` is an exact name. ERR_CONFIG: it runs no sshd. Clear it in every case. */
int ssh_login_open(struct ssh_login *l, const struct env *env, const char *instance, struct err *e);
/* The same with the key of that generation, in use or not. */
int ssh_login_generation(struct ssh_login *l, const struct env *env, const char *instance,
                         unsigned generation, struct err *e);
/* The same with the key that deploys agents: the one in use, and that of a generation. */
int ssh_login_deploy(struct ssh_login *l, const struct env *env, const char *instance,
                     struct err *e);
int ssh_login_deploy_generation(struct ssh_login *l, const struct env *env, const char *instance,
                                unsigned generation, struct err *e);
/* For host.h, borrowed from the login. */
struct host_target ssh_login_target(const struct ssh_login *l);
void ssh_login_clear(struct ssh_login *l);

/* Options of the OpenSSH client: nothing of the user's own set-up, and only the host key that the
 * file has under the instance's name, since addresses change. */
void ssh_add_options(struct strv *argv, const char *known_hosts, const char *name);

struct ssh {
    char *dir;        /* holds the environment's key and the instance's host key, mode 0700 */
    struct strv argv; /* "ssh", its options, "--", the address: a command may follow */
};

/* Makes the folder in `tmp`. Without `input` ssh reads nothing (-n). Needs the containers.
 * ERR_CONFIG: the instance runs no sshd. Clear it in every case, which removes the keys. */
int ssh_prepare(struct ssh *s, const struct env *env, const char *word, const char *tmp, bool input,
                struct err *e);
/* Removes the keys and frees it. */
void ssh_clear(struct ssh *s);
/* Logs in by ourselves, after ssh failed: -1 when one of the two keys is not what it has to be,
 * ERR_AUTH with both fingerprints, which ssh does not tell. 0 for anything else. */
int ssh_check_keys(struct env *env, const char *word, struct err *e);

#endif
