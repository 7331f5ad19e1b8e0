/* SPDX-License-Identifier: MIT */
#include "cmd/audit.h"

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

void audit_add(struct etcd_txn *t, const char *env, const char *what, const struct node *detail)
{
    auto_node struct node *n = node_new_map();
    auto_free char *key = NULL;
    auto_free char *who = audit_who();
    auto_free char *text = NULL;
    char now[32];

    clock_format(now, clock_wall_ms());
    key = keys_audit(env, now);
    node_set_text(n, "who", who);
    node_set_text(n, "what", what);
    if (detail)
        node_set(n, "detail", node_copy(detail));
    text = json_text(n);
    etcd_txn_put(t, key, text, 0);
}
