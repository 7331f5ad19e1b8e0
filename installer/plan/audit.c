/* SPDX-License-Identifier: MIT */
#include "plan/audit.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"

char *audit_who(void)
{
    char host[256] = "", text[4096];
    struct passwd entry, *found = NULL;

    gethostname(host, sizeof(host) - 1);
    if (getpwuid_r(getuid(), &entry, text, sizeof(text), &found) != 0 || !found)
        return mem_printf("%u@%s", (unsigned)getuid(), host);
    return mem_printf("%s@%s", found->pw_name, host);
}

char *audit_text(const char *what, const struct node *detail)
{
    auto_node struct node *n = node_new_map();
    auto_free char *who = audit_who();

    node_set_text(n, "who", who);
    node_set_text(n, "what", what);
    if (detail)
        node_set(n, "detail", node_copy(detail));
    return json_text(n);
}

void audit_add(struct etcd_txn *t, const char *env, const char *what, const struct node *detail)
{
    auto_free char *key = NULL;
    auto_free char *text = audit_text(what, detail);
    char now[32];

    clock_format(now, clock_wall_ms());
    key = keys_audit(env, now);
    etcd_txn_put(t, key, text, 0);
}
