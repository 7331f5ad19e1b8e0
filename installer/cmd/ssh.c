/* SPDX-License-Identifier: MIT */
/* The OpenSSH client with the environment's key and host keys, and nothing of the user's own setup.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/foreground.h"
#include "cmd/instances.h"
#include "plan/connect.h"

static const struct opt_example examples[] = {
    {"slipway ssh controller-1", "a shell"},
    {"slipway ssh controller-1 uptime", "one command"},
    {0},
};

static int write_private(const char *dir, const char *name, const char *text, struct err *e)
{
    auto_free char *path = fs_join(dir, name);
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};

    return fs_write(path, text, strlen(text), &o, e);
}

/* Client key and the host key of the instance, under a name of its own: addresses change. */
static int write_keys(const char *dir, const struct cmd_context *x, const char *instance,
                      struct err *e)
{
    auto_wipe char *key = NULL;
    auto_free char *line = NULL;
    auto_wipe char *host_key = NULL;
    auto_free char *host_line = NULL;
    auto_free char *known = NULL;

    if (secret_ssh_client(&key, &line, &x->key, e) < 0 ||
        secret_ssh_host(&host_key, &host_line, &x->key, instance, e) < 0)
        return -1;
    known = mem_printf("%s %s\n", instance, host_line);
    if (write_private(dir, "id", key, e) < 0)
        return -1;
    return write_private(dir, "known_hosts", known, e);
}

static void build_argv(struct strv *argv, const char *dir, const char *instance,
                       const char *address)
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

    strv_add(argv, "ssh");
    strv_add(argv, "-F");
    strv_add(argv, "none");
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        strv_add(argv, "-o");
        strv_add(argv, fixed[i]);
    }
    strv_add(argv, "-o");
    strv_addf(argv, "UserKnownHostsFile=%s/known_hosts", dir);
    strv_add(argv, "-o");
    strv_addf(argv, "HostKeyAlias=%s", instance);
    strv_add(argv, "-i");
    strv_addf(argv, "%s/id", dir);
    strv_add(argv, "-l");
    strv_add(argv, "root");
    strv_add(argv, "--");
    strv_add(argv, address);
}

static int connect_to(struct cmd_context *x, const char *dir, const struct strv *operands,
                      struct err *e)
{
    const char *instance = operands->items[0];
    const struct node *c = connect_find(x->containers, instance);
    const char *address = connect_label(c, LABEL_ADDRESS);
    size_t first = operands->count > 1 && strcmp(operands->items[1], "--") == 0 ? 2 : 1;
    auto_strv struct strv argv = {0};
    int status;

    if (!address)
        return err_set(e, ERR_NOTFOUND, "%s has no address", instance);
    if (write_keys(dir, x, instance, e) < 0)
        return -1;
    build_argv(&argv, dir, instance, address);
    for (size_t i = first; i < operands->count; i++)
        strv_add(&argv, operands->items[i]);
    return foreground_run(&status, &argv, e) < 0 ? -1 : status;
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    auto_free char *dir =
        mem_printf("%s/slipway-ssh.XXXXXX", runtime && *runtime ? runtime : "/tmp");
    const char *instance = operands->items[0], *id;
    const struct node *c = NULL;
    struct err dropped;
    int r;

    (void)options;
    if (instances_container(&id, x, instance, e) < 0)
        return -1;
    c = connect_find(x->containers, instance);
    if (!connect_label(c, LABEL_SSH))
        return err_set(e, ERR_CONFIG,
                       "%s runs no sshd; use `slipway exec %s`, or say `ssh: true` for %s in the "
                       "environment file",
                       instance, instance, connect_label(c, LABEL_COMPONENT));
    if (!mkdtemp(dir)) /* 0700 */
        return err_sys(e, "making %s", dir);
    r = connect_to(x, dir, operands, e);
    if (fs_remove_tree(dir, &dropped) < 0)
        err_drop(&dropped, "removing the keys");
    return r;
}

const struct cmd cmd_ssh = {
    .help = {.name = "ssh",
             .summary = "log in to an instance that runs sshd",
             .args = "INSTANCE [--] [COMMAND ...]",
             .details = "With the environment's own key and the instance's own host key; nothing "
                        "of ~/.ssh is read or changed. The exit status is that of ssh.",
             .examples = examples,
             .group = "Instances"},
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .min_operands = 1,
    .max_operands = -1,
    .stop_at_operand = true,
    .run = run,
};
