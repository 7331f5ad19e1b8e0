/* SPDX-License-Identifier: MIT */
/* lock status, lock break. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/audit.h"

struct break_options {
    const char *reason;
};

static const struct opt_spec break_specs[] = {
    {"reason", 0, OPT_STRING, "TEXT", "why; kept in the audit trail (required)",
     offsetof(struct break_options, reason)},
    {0},
};

static const struct opt_example break_examples[] = {
    {"slipway lock break --reason 'the machine of the holder is gone'",
     "let others change the environment"},
    {0},
};

/* *holder NULL: free. */
static int read_lock(struct node **holder, struct etcd_kv *kv, struct cmd_context *x, struct err *e)
{
    auto_free char *key = keys_lock(x->env);

    *holder = NULL;
    if (etcd_get(kv, x->etcd, key, e) < 0)
        return e->code == ERR_NOTFOUND ? 0 : -1;
    return json_parse(holder, key, kv->value, kv->value_len, e);
}

static void print_holder(const struct node *holder)
{
    const struct node *field;

    node_for_each (field, holder) {
        if (field->text)
            printf("  %-8s %s\n", field->key, field->text);
    }
}

static int run_status(struct cmd_context *x, void *options, const struct strv *operands,
                      struct err *e)
{
    auto_node struct node *holder = NULL;
    struct etcd_kv kv = {0};

    (void)options;
    (void)operands;
    if (read_lock(&holder, &kv, x, e) < 0)
        return -1;
    if (x->json) {
        auto_node struct node *n = node_new_map();

        node_set_bool(n, "held", holder != NULL);
        if (holder)
            node_set(n, "holder", node_copy(holder));
        out_json(n);
    } else if (holder) {
        printf("%s: locked\n", x->env);
        print_holder(holder);
    } else {
        printf("%s: not locked\n", x->env);
    }
    etcd_kv_clear(&kv);
    return 0;
}

static int run_break(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct break_options *o = opts;
    auto_node struct node *holder = NULL, *detail = node_new_map();
    auto_free char *key = keys_lock(x->env);
    struct etcd_kv kv = {0};
    struct etcd_txn *t;
    int r;

    (void)operands;
    if (!o->reason || !*o->reason)
        return err_set(e, ERR_USAGE, "lock break needs --reason: it is kept for the others");
    if (read_lock(&holder, &kv, x, e) < 0)
        return -1;
    if (!holder) {
        printf("%s: not locked, nothing to do\n", x->env);
        return 0;
    }
    node_set_text(detail, "reason", o->reason);
    node_set(detail, "holder", node_copy(holder));
    t = etcd_txn_new();
    etcd_txn_if(t, key, ETCD_CMP_CREATE_EQ, kv.create_revision);
    etcd_txn_delete(t, key);
    audit_add(t, x->env, "lock break", detail);
    r = etcd_txn_run(x->etcd, t, NULL, e);
    etcd_txn_free(t);
    /* The holder's keep-alive ends with its lease; without the key its writes are refused anyway.
     */
    if (r == 0 && kv.lease && etcd_lease_revoke(x->etcd, kv.lease, e) < 0)
        err_drop(e, "revoking the lease of the lock");
    etcd_kv_clear(&kv);
    if (r < 0)
        return err_wrap(e, "breaking the lock");
    if (!x->quiet) {
        printf("%s: the lock is broken; it was held by\n", x->env);
        print_holder(holder);
    }
    return 0;
}

const struct cmd cmd_lock_status = {
    .help = {.name = "lock status",
             .summary = "who changes the environment now",
             .group = "Configuration"},
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_ETCD,
    .run = run_status,
};

const struct cmd cmd_lock_break = {
    .help = {.name = "lock break",
             .summary = "take the lock away from a run that is gone",
             .details = "A run that dies loses its lock by itself within a minute. Should the "
                        "holder still be at work, its next write is refused.",
             .options = break_specs,
             .examples = break_examples,
             .group = "Configuration"},
    .options_size = sizeof(struct break_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_ETCD,
    .run = run_break,
};
