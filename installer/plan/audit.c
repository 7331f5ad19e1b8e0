/* SPDX-License-Identifier: MIT */
#include "plan/audit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"

char *audit_who(const char *user)
{
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    return mem_printf("%s@%s", user, host);
}

char *audit_text(const char *user, const char *what, const struct node *detail)
{
    auto_node struct node *n = node_new_map();
    auto_free char *who = audit_who(user);

    node_set_text(n, "who", who);
    node_set_text(n, "what", what);
    if (detail)
        node_set(n, "detail", node_copy(detail));
    return json_text(n);
}

void audit_add(struct etcd_txn *t, const char *env, const char *user, const char *what,
               const struct node *detail)
{
    auto_free char *key = NULL;
    auto_free char *text = audit_text(user, what, detail);
    char now[32];

    clock_format(now, clock_wall_ms());
    key = keys_audit(env, now);
    etcd_txn_put(t, key, text, 0);
}

bool audit_is_about(const struct node *entry, const char *target)
{
    const char *about = node_get_text(node_get(entry, "detail"), "target");
    size_t len = strlen(target);

    return about && strncmp(about, target, len) == 0 && (!about[len] || about[len] == '/');
}
