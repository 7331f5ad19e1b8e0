/* SPDX-License-Identifier: MIT */
#include "agent/sshd.h"

#include "base/fs.h"
#include "base/mem.h"

static const char config_text[] = "Port 22\n"
                                  "HostKey %s/ssh/host_key\n"
                                  "AuthorizedKeysFile %s/ssh/authorized_keys\n"
                                  "PidFile none\n"
                                  "PermitRootLogin prohibit-password\n"
                                  "AllowUsers root\n"
                                  "AuthenticationMethods publickey\n"
                                  "PasswordAuthentication no\n"
                                  "KbdInteractiveAuthentication no\n"
                                  "UsePAM no\n"
                                  "X11Forwarding no\n"
                                  "AllowAgentForwarding no\n"
                                  "PermitUserEnvironment no\n"
                                  "UseDNS no\n"
                                  "PrintMotd no\n"
                                  "StrictModes yes\n"
                                  "MaxAuthTries 3\n"
                                  "LoginGraceTime 20\n"
                                  "Subsystem sftp internal-sftp\n";

static int add(struct files *f, const char *run, const char *name, char *data, struct err *e)
{
    struct files_item item = {
        .path = mem_printf("%s/ssh/%s", run, name), .data = data, .mode = 0600};
    return files_add(f, item, e);
}

bool sshd_is_wanted(const struct tree *t)
{
    return tree_get(t, TREE_PART_SECRET, "ssh_host_key") != NULL;
}

int sshd_add_files(struct files *f, const struct files_source *s, struct err *e)
{
    auto_wipe char *host_key = NULL;
    auto_wipe char *authorized = NULL;
    const char *run = s->config->run;
    if (files_secret(&host_key, s, "ssh_host_key", e) < 0 ||
        files_secret(&authorized, s, "ssh_authorized_key", e) < 0)
        return -1;
    if (add(f, run, "host_key", steal(host_key), e) < 0 ||
        add(f, run, "authorized_keys", mem_printf("%s\n", authorized), e) < 0)
        return -1;
    return add(f, run, "sshd_config", mem_printf(config_text, run, run), e);
}

void sshd_argv(struct strv *out, const char *run_dir)
{
    strv_add(out, "/usr/sbin/sshd");
    strv_add(out, "-D");
    strv_add(out, "-e");
    strv_add(out, "-f");
    strv_addf(out, "%s/ssh/sshd_config", run_dir);
}

int sshd_prepare(struct err *e)
{
    return fs_mkdirs("/run/sshd", 0755, e);
}
