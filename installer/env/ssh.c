/* SPDX-License-Identifier: MIT */
#include "env/ssh.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env/instances.h"
#include "plan/object.h"

enum { CHECK_MS = 10 * 1000 };

/* ---- who it is ---- */

bool ssh_is_on(const struct env *env, const char *instance)
{
    return object_label(object_find_instance(env->containers, instance), LABEL_SSH) != NULL;
}

bool ssh_answers(const struct env *env, const char *instance)
{
    return ssh_is_on(env, instance) && strcmp(instances_state(env, instance), "running") == 0;
}

/* All but our own key. */
static int find(struct ssh_login *l, const struct env *env, const char *instance, struct err *e)
{
    const struct node *c = object_find_instance(env->containers, instance);
    auto_wipe char *host_private = NULL;

    *l = (struct ssh_login){.name = object_label(c, LABEL_INSTANCE), .address = object_address(c)};
    if (!ssh_is_on(env, instance))
        return err_set(e, ERR_CONFIG,
                       "%s runs no sshd; use `slipway exec %s`, or say `ssh: true` for %s in the "
                       "environment file",
                       instance, instance, object_label(c, LABEL_COMPONENT));
    if (!l->address)
        return err_set(e, ERR_NOTFOUND, "%s has no address", instance);
    return secret_ssh_host(&host_private, &l->host_key, &env->key, instance, e);
}

int ssh_login_generation(struct ssh_login *l, const struct env *env, const char *instance,
                         unsigned generation, struct err *e)
{
    auto_free char *line = NULL;

    if (find(l, env, instance, e) < 0)
        return -1;
    return secret_ssh_client_of(&l->private_key, &line, &env->key, generation, e);
}

int ssh_login_open(struct ssh_login *l, const struct env *env, const char *instance, struct err *e)
{
    return ssh_login_generation(l, env, instance, env->key.ssh.generation, e);
}

int ssh_login_deploy_generation(struct ssh_login *l, const struct env *env, const char *instance,
                                unsigned generation, struct err *e)
{
    auto_free char *line = NULL;

    if (find(l, env, instance, e) < 0)
        return -1;
    return secret_ssh_deploy(&l->private_key, &line, &env->key, generation, e);
}

int ssh_login_deploy(struct ssh_login *l, const struct env *env, const char *instance,
                     struct err *e)
{
    return ssh_login_deploy_generation(l, env, instance, env->key.ssh.generation, e);
}

struct host_target ssh_login_target(const struct ssh_login *l)
{
    return (struct host_target){.name = l->name,
                                .address = l->address,
                                .user = SSH_USER,
                                .host_key = l->host_key,
                                .private_key = l->private_key};
}

void ssh_login_clear(struct ssh_login *l)
{
    mem_wipe_str(l->private_key);
    free(l->host_key);
    *l = (struct ssh_login){0};
}

/* ---- the OpenSSH client ---- */

static int write_private(const char *dir, const char *name, const char *text, struct err *e)
{
    auto_free char *path = fs_join(dir, name);
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};

    return fs_write(path, text, strlen(text), &o, e);
}

/* The host key under the instance's name: addresses change. */
static int write_keys(const char *dir, const struct ssh_login *l, struct err *e)
{
    auto_free char *known = mem_printf("%s %s\n", l->name, l->host_key);

    if (write_private(dir, "id", l->private_key, e) < 0)
        return -1;
    return write_private(dir, "known_hosts", known, e);
}

void ssh_add_options(struct strv *argv, const char *known_hosts, const char *name)
{
    static const char *const fixed[] = {"BatchMode=yes",
                                        "StrictHostKeyChecking=yes",
                                        "GlobalKnownHostsFile=/dev/null",
                                        "UpdateHostKeys=no",
                                        "CheckHostIP=no",
                                        "IdentitiesOnly=yes",
                                        "IdentityAgent=none",
                                        "PasswordAuthentication=no",
                                        "KbdInteractiveAuthentication=no",
                                        "ForwardAgent=no",
                                        "ForwardX11=no",
                                        "PermitLocalCommand=no",
                                        "ConnectTimeout=10",
                                        "ServerAliveInterval=5",
                                        "ServerAliveCountMax=3",
                                        "ExitOnForwardFailure=yes"};

    strv_add(argv, "-F");
    strv_add(argv, "none");
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        strv_add(argv, "-o");
        strv_add(argv, fixed[i]);
    }
    strv_add(argv, "-o");
    strv_addf(argv, "UserKnownHostsFile=\"%s\"", known_hosts); /* a blank ends a path */
    strv_add(argv, "-o");
    strv_addf(argv, "HostKeyAlias=%s", name);
}

static void add_arguments(struct strv *argv, const char *dir, const struct ssh_login *l, bool input)
{
    auto_free char *known = fs_join(dir, "known_hosts");

    strv_add(argv, "ssh");
    if (!input)
        strv_add(argv, "-n");
    ssh_add_options(argv, known, l->name);
    strv_add(argv, "-i");
    strv_addf(argv, "%s/id", dir);
    strv_add(argv, "-l");
    strv_add(argv, SSH_USER);
    strv_add(argv, "--");
    strv_add(argv, l->address);
}

static int fill(struct ssh *s, const struct ssh_login *l, bool input, struct err *e)
{
    if (!mkdtemp(s->dir)) { /* 0700 */
        int r = err_sys(e, "making %s", s->dir);

        free(s->dir);
        s->dir = NULL;
        return r;
    }
    if (write_keys(s->dir, l, e) < 0)
        return -1;
    add_arguments(&s->argv, s->dir, l, input);
    return 0;
}

int ssh_prepare(struct ssh *s, const struct env *env, const char *word, const char *tmp, bool input,
                struct err *e)
{
    const char *id, *name;
    struct ssh_login l;
    int r;

    *s = (struct ssh){0};
    if (instances_container(&name, &id, env, word, e) < 0)
        return -1;
    r = ssh_login_open(&l, env, name, e);
    if (r == 0) {
        s->dir = mem_printf("%s/slipway-ssh.XXXXXX", tmp);
        r = fill(s, &l, input, e);
    }
    ssh_login_clear(&l);
    return r;
}

void ssh_clear(struct ssh *s)
{
    struct err e;

    if (s->dir && fs_remove_tree(s->dir, &e) < 0)
        err_drop(&e, "removing the keys");
    free(s->dir);
    strv_clear(&s->argv);
    *s = (struct ssh){0};
}

int ssh_check_keys(struct env *env, const char *word, struct err *e)
{
    struct host_job job = {.command = "true", .until = until_within(env->until, CHECK_MS)};
    const char *id, *name;
    struct host_target t;
    struct ssh_login l;
    int r = 0;

    if (instances_container(&name, &id, env, word, e) < 0)
        return 0;
    if (ssh_login_open(&l, env, name, e) == 0) {
        t = ssh_login_target(&l);
        hosts_start(env_hosts(env), &t, &job);
        hosts_finish(env_hosts(env));
        if (job.error.code == ERR_AUTH) {
            *e = job.error;
            r = -1;
        }
    }
    ssh_login_clear(&l);
    return r;
}
