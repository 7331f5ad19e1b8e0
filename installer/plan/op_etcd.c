/* SPDX-License-Identifier: MIT */
/* Operations on etcd: the lock, access, keys. Every write is guarded by the lock's create revision.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/run.h"

enum { PUSH_CONNECTIONS = 2 };

int op_lock_take(struct worker *w, const struct op *op, struct err *e)
{
    (void)op;
    return lock_take(w->r->o->lock, w->r->root, e);
}

/* Names of roles: one per component, one per instance; a component never has an instance's name
 * because instance names end in a number behind a dash and are checked against it here by the
 * prefix. */
static char *component_role(const char *component)
{
    return mem_printf("component:%s", component);
}

int op_role_ensure(struct worker *w, const struct op *op, struct err *e)
{
    const char *env = w->r->plan->env;
    auto_free char *role = component_role(op->target);
    auto_free char *tree = keys_component(env, op->target);
    auto_free char *once = keys_component_once(env, op->target);
    auto_free char *once_lock = mem_printf("%s.lock", once);
    struct etcd_role_grant grants[] = {{.key = tree, .read = true},
                                       {.key = once, .read = true, .write = true},
                                       {.key = once_lock, .read = true, .write = true}};
    struct etcd *c = NULL;

    if (worker_etcd(&c, w, e) < 0)
        return -1;
    return etcd_role_ensure(c, role, grants, ARRAY_LEN(grants), e);
}

int op_user_ensure(struct worker *w, const struct op *op, struct err *e)
{
    const char *env = w->r->plan->env;
    auto_free char *role = component_role(op->instance->spec->manifest->name);
    auto_free char *tree = keys_instance(env, op->target);
    auto_free char *applied = keys_instance_applied(env, op->target);
    auto_free char *status = keys_instance_status(env, op->target);
    auto_wipe char *password = secret_password(w->r->o->key, op->target, 1);
    struct etcd_role_grant grants[] = {{.key = tree, .read = true},
                                       {.key = applied, .read = true, .write = true},
                                       {.key = status, .read = true, .write = true}};
    const char *roles[] = {op->target, role};
    struct etcd *c = NULL;

    if (worker_etcd(&c, w, e) < 0)
        return -1;
    if (etcd_role_ensure(c, op->target, grants, ARRAY_LEN(grants), e) < 0)
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

/* Which configuration keys change, from what to what, for `config history`. Never secrets. */
static void add_audit(struct node *writes, const char *env, const struct op *op)
{
    auto_node struct node *entry = node_new_map();
    struct node *changes = node_set(entry, "changes", node_new_list());
    const struct node *value;
    char at[32], host[256] = "";
    const char *user = getenv("USER");

    gethostname(host, sizeof(host) - 1);
    node_for_each (value, op->writes) {
        struct node *change;

        if (!strstr(value->key, "/config/"))
            continue;
        change = node_add(changes, node_new_map());
        node_set_text(change, "key", value->key);
        if (node_get(op->was, value->key))
            node_set_text(change, "from", node_get_text(op->was, value->key));
        if (value->kind != NODE_KIND_NULL)
            node_set_text(change, "to", value->text);
    }
    if (changes->count == 0 || !op->was || op->was->count == 0)
        return;
    clock_format(at, clock_wall_ms());
    {
        auto_free char *who = mem_printf("%s@%s", user && *user ? user : "root", host);
        auto_free char *key_end = mem_printf("%s-%s", at, op->target);
        auto_free char *key = keys_audit(env, key_end);
        auto_free char *text = NULL;

        node_set_text(entry, "who", who);
        node_set_text(entry, "what", "up");
        text = json_text(entry);
        node_set_text(writes, key, text);
    }
}

int op_keys_push(struct worker *w, const struct op *op, struct err *e)
{
    auto_node struct node *writes = node_copy(op->writes);

    add_audit(writes, w->r->plan->env, op);
    return push_map(w, writes, e);
}

int op_spec_push(struct worker *w, const struct op *op, struct err *e)
{
    return push_map(w, op->writes, e);
}

int op_keys_remove(struct worker *w, const struct op *op, struct err *e)
{
    auto_free char *tree = keys_instance(w->r->plan->env, op->target);
    auto_node struct node *writes = node_new_map();
    struct etcd *c = NULL;

    node_set(writes, tree, node_new(NODE_KIND_NULL));
    if (worker_etcd(&c, w, e) < 0)
        return -1;
    if (etcd_user_remove(c, op->target, e) < 0 || etcd_role_remove(c, op->target, e) < 0)
        return -1;
    return push_map(w, writes, e);
}
