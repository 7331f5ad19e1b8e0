/* SPDX-License-Identifier: MIT */
#include "agent/sshd.h"

#include "base/fs.h"
#include "base/mem.h"
#include "model/secret.h"

#define SSHD "/usr/sbin/sshd"

/* One account, one kind of proof, one kind of use: commands and their files. Nothing is forwarded.
 * An image may say otherwise in the folder that is included first: sshd takes the first value it
 * reads. A client that is gone is noticed after a minute. How many log in at once is for init to
 * bound (MaxStartups counts nothing here). The ciphers are those that libssh2 is safe with. */
static const char config_text[] = "Include /etc/ssh/slipway.d/*.conf\n"
                                  "HostKey %s/ssh/host_key\n"
                                  "AuthorizedKeysFile %s/ssh/authorized_keys\n"
                                  "PidFile none\n"
                                  "PermitRootLogin prohibit-password\n"
                                  "AllowUsers root\n"
                                  "AuthenticationMethods publickey\n"
                                  "PasswordAuthentication no\n"
                                  "KbdInteractiveAuthentication no\n"
                                  "HostbasedAuthentication no\n"
                                  "UsePAM no\n"
                                  "DisableForwarding yes\n"
                                  "PermitTunnel no\n"
                                  "PermitUserRC no\n"
                                  "PermitUserEnvironment no\n"
                                  "UseDNS no\n"
                                  "PrintMotd no\n"
                                  "StrictModes yes\n"
                                  "MaxAuthTries 3\n"
                                  "LoginGraceTime 20\n"
                                  "ClientAliveInterval 20\n"
                                  "ClientAliveCountMax 3\n"
                                  "Ciphers aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
                                  "aes128-ctr,aes256-ctr\n"
                                  "Subsystem sftp internal-sftp\n";

bool sshd_is_wanted(const struct tree *t)
{
    return tree_get(t, TREE_PART_SECRET, SECRET_SSH_HOST_KEY) != NULL;
}

char *sshd_config(const char *run_dir)
{
    return mem_printf(config_text, run_dir, run_dir);
}

/* OpenSSH since 9.8 locks out an address after some logins that failed, and all operators come from
 * the same one. That is done by the sshd that listens (PerSourcePenalties), and there is none. */
void sshd_argv(struct strv *out, const char *run_dir)
{
    auto_free char *config = mem_printf("%s/ssh/sshd_config", run_dir);

    strv_add(out, SSHD);
    strv_add(out, "-i");
    strv_add(out, "-e");
    strv_add(out, "-f");
    strv_add(out, config);
}

int sshd_prepare(struct err *e)
{
    return fs_mkdirs("/run/sshd", 0755, e);
}
