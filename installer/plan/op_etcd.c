/* SPDX-License-Identifier: MIT */
/* Operations on etcd: the lock, access, keys. Every write is guarded by
 * the lock's create revision. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/audit.h"
#include "plan/grants.h"
#include "plan/run.h"

enum { PUSH_CONNECTIONS = 2 };

int op_lock_take(struct worker *w, const struct op *op, struct err *e)
{
    (void)op;
    return lock_take(w->r->o->lock, w->r->root, e);
}

int op_role_ensure(struct worker *w, const struct op *op, struct err *e)
{
    auto_free char *role = grants_component_role(op->target);
    auto_grants struct grants g = {0};
    struct etcd *c = NULL;

    if (worker_etcd(&c, w, e) < 0)
        return -1;
    grants_of_component(&g, w->r->plan->desired->spec, op->component->spec->manifest);
    return etcd_role_ensure(c, role, g.items, g.count, e);
}

int op_user_ensure(struct worker *w, const struct op *op, struct err *e)
{
    const struct manifest *m = op->instance->spec->manifest;
    auto_free char *role = grants_component_role(m->name);
    auto_wipe char *password = secret_password(w->r->o->key, op->target, 1);
    auto_grants struct grants g = {0};
    const char *roles[] = {op->target, role};
    struct etcd *c = NULL;

    if (worker_etcd(&c, w, e) < 0)
        return -1;
    grants_of_instance(&g, w->r->plan->env, op->target, m);
    if (etcd_role_ensure(c, op->target, g.items, g.count, e) < 0)
        return -1;
    return etcd_user_ensure(c, op->target, password, roles, ARRAY_LEN(roles), e);
}

static int push_map(struct worker *w, const struct node *writes, struct err *e)
{
    auto_free struct etcd_write *list = mem_array(writes->count + 1, sizeof(*list));
    const struct env_lock *l = w->r->o->lock;
    const struct node *value;
    size_t count = 0;
    struct etcd *c = NULL;

    if (worker_etcd(&c, w, e) < 0)
        return -1;
    node_for_each (value, writes) {
        list[count++] = (struct etcd_write){
            .key = value->key, .value = value->kind == NODE_KIND_NULL ? NULL : value->text};
    }
    struct etcd_push_opts o = {lock_key(l), lock_revision(l), PUSH_CONNECTIONS};
    return etcd_push(c, list, count, &o, NULL, e);
}

/* One configuration key; nothing of any other. */
static void add_change(struct node *changes, const struct op *op, const struct node *value)
{
    const char *old = node_get_text(op->was, value->key);
    struct keys_path k;
    struct node *n;

    if (!keys_parse(&k, value->key) || !keys_is_config(&k))
        return;
    n = node_add(changes, node_new_map());
    node_set_text(n, "name", k.name);
    if (*k.instance)
        node_set_text(n, "instance", k.instance);
    if (old)
        node_set_text(n, "old", old);
    if (value->kind != NODE_KIND_NULL)
        node_set_text(n, "new", value->text);
}

/* Which configuration keys change, from what to what, for `config history`. Never secrets. */
static void add_audit(struct node *writes, const struct run *r, const struct op *op)
{
    auto_node struct node *detail = node_new_map();
    struct node *changes = node_set(detail, "changes", node_new_list());
    auto_free char *key = NULL, *key_end = NULL, *text = NULL;
    const struct node *value;
    char at[32];

    node_set_text(detail, "target", op->target);
    node_for_each (value, op->writes) {
        add_change(changes, op, value);
    }
    if (changes->count == 0 || !op->was || op->was->count == 0)
        return;
    clock_format(at, clock_wall_ms());
    key_end = mem_printf("%s-%s", at, op->target);
    key = keys_audit(r->plan->env, key_end);
    text = audit_text(r->o->user, "up", detail);
    node_set_text(writes, key, text);
}

int op_keys_push(struct worker *w, const struct op *op, struct err *e)
{
    auto_node struct node *writes = node_copy(op->writes);

    add_audit(writes, w->r, op);
    return push_map(w, writes, e);
}

int op_spec_push(struct worker *w, const struct op *op, struct err *e)
{
    return push_map(w, op->writes, e);
}

int op_keys_remove(struct worker *w, const struct op *op, struct err *e)
{
    auto_free char *tree = keys_instance(w->r->plan->env, op->target);
    auto_free char *held = keys_controller_held(w->r->plan->env, op->target);
    auto_free char *stopped = keys_controller_stopped(w->r->plan->env, op->target);
    auto_node struct node *writes = node_new_map();
    struct etcd *c = NULL;

    node_set(writes, tree, node_new(NODE_KIND_NULL));
    node_set(writes, held, node_new(NODE_KIND_NULL));
    node_set(writes, stopped, node_new(NODE_KIND_NULL));
    if (worker_etcd(&c, w, e) < 0)
        return -1;
    if (etcd_user_remove(c, op->target, e) < 0 || etcd_role_remove(c, op->target, e) < 0)
        return -1;
    return push_map(w, writes, e);
}

/* That an instance acknowledged, and with `object` that hook `once` of that component ran, is the
 * record that there was data. */
int op_record_remove(struct worker *w, const struct op *op, struct err *e)
{
    auto_free char *applied = keys_instance_applied(w->r->plan->env, op->target);
    auto_node struct node *writes = node_new_map();

    node_set(writes, applied, node_new(NODE_KIND_NULL));
    if (op->object) {
        auto_free char *once = keys_component_once(w->r->plan->env, op->object);

        node_set(writes, once, node_new(NODE_KIND_NULL));
    }
    return push_map(w, writes, e);
}
