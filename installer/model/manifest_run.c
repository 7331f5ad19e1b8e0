/* SPDX-License-Identifier: MIT */
/* Part of manifest_check: what `run` says. Docker refuses it only when it makes a container. */
#include <string.h>

#include "base/mem.h"
#include "model/manifest_check.h"

/* capabilities(7) */
static const char *const CAPABILITIES[] = {
    "AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
    "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
    "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
    "FOWNER",          "FSETID",       "IPC_LOCK",
    "IPC_OWNER",       "KILL",         "LEASE",
    "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
    "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
    "NET_BROADCAST",   "NET_RAW",      "PERFMON",
    "SETFCAP",         "SETGID",       "SETPCAP",
    "SETUID",          "SYSLOG",       "SYS_ADMIN",
    "SYS_BOOT",        "SYS_CHROOT",   "SYS_MODULE",
    "SYS_NICE",        "SYS_PACCT",    "SYS_PTRACE",
    "SYS_RAWIO",       "SYS_RESOURCE", "SYS_TIME",
    "SYS_TTY_CONFIG",  "WAKE_ALARM",   "ALL", /* not one: Docker's word */
};

static void check_capabilities(const struct node *list, struct problems *p)
{
    static const char prefix[] = "CAP_"; /* which Docker takes too */
    auto_strv struct strv known = {0};
    const struct node *item;

    for (size_t i = 0; i < ARRAY_LEN(CAPABILITIES); i++)
        strv_add(&known, CAPABILITIES[i]);
    node_for_each (item, list) {
        const char *name = item->text;

        if (!name)
            continue; /* the table of keys has said so */
        if (strncmp(name, prefix, strlen(prefix)) == 0)
            name += strlen(prefix);
        if (!strv_has(&known, name)) {
            auto_free char *hint = strv_hint(&known, name);

            problems_add(p, item, "capabilities: there is no capability %s%s", item->text, hint);
        }
    }
}

/* "7" or "*", and what follows; NULL: neither. */
static const char *after_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (digits)
        return text + digits;
    return *text == '*' ? text + 1 : NULL;
}

/* "b 7:* rwm", as Docker takes it. */
static bool is_device_rule(const char *text)
{
    const char *rest = *text && strchr("acb", *text) && text[1] == ' ' ? text + 2 : NULL;

    rest = rest ? after_number(rest) : NULL;
    rest = rest && *rest == ':' ? after_number(rest + 1) : NULL;
    if (!rest || *rest != ' ')
        return false;
    return strlen(rest + 1) >= 1 && strlen(rest + 1) <= 3 &&
           strspn(rest + 1, "rwm") == strlen(rest + 1);
}

static void check_device_rules(const struct node *list, struct problems *p)
{
    const struct node *item;

    node_for_each (item, list) {
        if (item->text && !is_device_rule(item->text))
            problems_add(p, item,
                         "device_rules: \"%s\" is not of the form \"b 7:* rwm\": a, b or c, "
                         "MAJOR:MINOR with * for all, and which of r, w and m",
                         item->text);
    }
}

static bool is_scalar(const struct node *n)
{
    return n->kind != NODE_KIND_LIST && n->kind != NODE_KIND_MAP;
}

/* The rights of the controller: with either one rules the host, so no other component has them,
 * whoever wrote its folder. */
static void check_controller(const struct manifest *m, const struct node *root, struct problems *p)
{
    const struct node *role = node_get(root, "role");
    const struct node *socket = node_find(root, "run.engine_socket");
    const struct node *secrets = node_get(root, "secrets");

    if (m->role == MANIFEST_ROLE_CONTROLLER) {
        if (m->name && strcmp(m->name, MANIFEST_CONTROLLER) != 0)
            problems_add(p, role,
                         "role: only the component " MANIFEST_CONTROLLER " can be the controller");
        return;
    }
    if (socket)
        problems_add(p, socket,
                     "engine_socket: only the controller may have Docker's socket, with which it "
                     "is root on the host");
    for (size_t i = 0; i < m->secret_count; i++)
        if (m->secrets[i].kind == SECRET_KIND_ENVIRONMENT_KEY)
            problems_add(p, node_get(secrets, m->secrets[i].name),
                         "secrets: only the controller may have the environment's key, which opens "
                         "everything");
}

void manifest_check_run(const struct manifest *m, const struct node *root, struct problems *p)
{
    const struct node *run = node_get(root, "run"), *item;

    if (m->run.command && m->run.command->count == 0)
        problems_add(p, node_get(run, "command"), "command: the list is empty");
    node_for_each (item, m->run.command) {
        if (!is_scalar(item) || item->kind == NODE_KIND_NULL)
            problems_add(p, item, "command: expected texts");
    }
    node_for_each (item, m->run.env) {
        size_t len = strlen(item->key);
        bool digit_first = item->key[0] >= '0' && item->key[0] <= '9';

        if (digit_first || strspn(item->key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
                                             "0123456789") != len)
            problems_add_key(p, item, "env: \"%s\" cannot be the name of a variable", item->key);
        if (!is_scalar(item))
            problems_add(p, item, "%s: expected a text", item->key);
    }
    check_capabilities(node_get(run, "capabilities"), p);
    check_device_rules(node_get(run, "device_rules"), p);
    check_controller(m, root, p);
}
