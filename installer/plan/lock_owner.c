/* SPDX-License-Identifier: MIT */
#include "plan/lock_owner.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"

char *lock_owner_text(const char *command, const char *user)
{
    auto_node struct node *n = node_new_map();
    struct node *process = node_new_map();
    char host[256] = "", since[32];
    struct procid self;

    gethostname(host, sizeof(host) - 1);
    clock_format(since, clock_wall_ms());
    procid_self(&self);
    node_set_text(n, "user", user);
    node_set_text(n, "host", host);
    node_set_int(n, "pid", self.pid);
    node_set_text(n, "command", command);
    node_set_text(n, "since", since);
    node_set_text(process, "boot", self.boot);
    node_set_text(process, "namespaces", self.namespaces);
    node_set_int(process, "start", (int64_t)self.start);
    node_set(n, "process", process);
    return json_text(n);
}

static struct node *parse(const char *owner)
{
    struct node *n = NULL;
    struct err ignored;

    return json_parse(&n, "lock", owner, strlen(owner), &ignored) < 0 ? NULL : n;
}

static void copy_text(char *out, size_t size, const struct node *n, const char *key)
{
    const char *text = n ? node_get_text(n, key) : NULL;

    if (text && strlen(text) < size)
        memcpy(out, text, strlen(text) + 1);
}

enum procid_fate lock_owner_fate(const char *owner)
{
    auto_node struct node *n = parse(owner);
    const struct node *process = n ? node_get(n, "process") : NULL;
    struct procid p = {0};

    if (!process)
        return PROCID_UNKNOWN;
    p.pid = node_get_int(n, "pid", 0);
    p.start = (uint64_t)node_get_int(process, "start", 0);
    copy_text(p.boot, sizeof(p.boot), process, "boot");
    copy_text(p.namespaces, sizeof(p.namespaces), process, "namespaces");
    return procid_look(&p);
}

static const char *text_or_mark(const struct node *n, const char *key)
{
    const char *text = node_get_text(n, key);

    return text ? text : "?";
}

char *lock_owner_name(const char *owner)
{
    auto_node struct node *n = parse(owner);

    if (!n)
        return NULL;
    return mem_printf("`%s` of %s@%s, process %" PRId64 ", since %s", text_or_mark(n, "command"),
                      text_or_mark(n, "user"), text_or_mark(n, "host"), node_get_int(n, "pid", 0),
                      text_or_mark(n, "since"));
}

bool lock_owner_is_valid(const char *owner)
{
    auto_node struct node *n = parse(owner);

    return n && node_get_text(n, "command") && node_get_int(n, "pid", 0) > 0 &&
           node_get_text(node_get(n, "process"), "boot");
}

bool lock_owner_is_command(const char *owner, const char *command)
{
    auto_node struct node *n = parse(owner);
    const char *text = n ? node_get_text(n, "command") : NULL;

    return text && strcmp(text, command) == 0;
}

int lock_owner_error(struct err *e, const char *env, const char *owner)
{
    auto_free char *name = owner ? lock_owner_name(owner) : NULL;

    if (!name)
        return err_set(e, ERR_LOCKED,
                       "another run holds the lock of environment %s; `slipway -e %s lock status` "
                       "says which",
                       env, env);
    return err_set(e, ERR_LOCKED,
                   "environment %s is locked by %s; wait with --lock-wait, or see `slipway -e %s "
                   "lock status`",
                   env, name, env);
}
