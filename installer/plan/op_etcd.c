/* SPDX-License-Identifier: MIT */
/* Operations on etcd: the lock, access, keys. Every write is guarded by the lock's create revision.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/edits.h"
#include "model/keys.h"
#include "plan/audit.h"
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

enum { GRANTS_MAX = 256, HEARD_MAX = 32 };

/* Keys are owned. */
struct grants {
    struct etcd_role_grant items[GRANTS_MAX];
    size_t count;
};

static void grants_clear(struct grants *g)
{
    for (size_t i = 0; i < g->count; i++)
        free((char *)(uintptr_t)g->items[i].key);
    g->count = 0;
}
#define auto_grants __attribute__((cleanup(grants_clear)))

enum right { RIGHT_READ, RIGHT_WRITE };

/* Takes the key. What is written may be read. */
static void grant(struct grants *g, char *key, enum right r)
{
    if (g->count == GRANTS_MAX) {
        free(key);
        return;
    }
    g->items[g->count++] =
        (struct etcd_role_grant){.key = key, .read = true, .write = r == RIGHT_WRITE};
}

/* A key of another component, the lock that says whether somebody else is at work, and the word of
 * that component's instances. */
static void grant_edits(struct grants *g, const struct spec *s, const struct manifest *m)
{
    for (size_t i = 0; i < m->edits.count; i++) {
        const struct spec_component *other;
        auto_free char *component = NULL;
        auto_free char *name = NULL;

        if (i == 0)
            grant(g, keys_lock(s->name), RIGHT_READ);
        edits_split(&component, &name, m->edits.items[i]);
        other = component ? spec_component(s, component) : NULL;
        if (!other)
            continue;
        grant(g, keys_component_config(s->name, component, name), RIGHT_WRITE);
        for (int n = 1; n <= other->manifest->instances_max && n <= HEARD_MAX; n++) {
            auto_free char *instance = mem_printf("%s-%d", component, n);

            grant(g, keys_instance_applied(s->name, instance), RIGHT_READ);
        }
    }
}

int op_role_ensure(struct worker *w, const struct op *op, struct err *e)
{
    const struct spec *s = w->r->plan->desired->spec;
    auto_free char *role = component_role(op->target);
    auto_free char *once = keys_component_once(s->name, op->target);
    auto_grants struct grants g = {0};
    struct etcd *c = NULL;

    if (worker_etcd(&c, w, e) < 0)
        return -1;
    grant(&g, keys_component(s->name, op->target), RIGHT_READ);
    grant(&g, mem_printf("%s.lock", once), RIGHT_WRITE);
    grant(&g, steal(once), RIGHT_WRITE);
    grant_edits(&g, s, op->component->spec->manifest);
    return etcd_role_ensure(c, role, g.items, g.count, e);
}

int op_user_ensure(struct worker *w, const struct op *op, struct err *e)
{
    const char *env = w->r->plan->env;
    const struct manifest *m = op->instance->spec->manifest;
    auto_free char *role = component_role(m->name);
    auto_wipe char *password = secret_password(w->r->o->key, op->target, 1);
    auto_grants struct grants g = {0};
    const char *roles[] = {op->target, role};
    struct etcd *c = NULL;

    if (worker_etcd(&c, w, e) < 0)
        return -1;
    grant(&g, keys_instance(env, op->target), RIGHT_READ);
    grant(&g, keys_instance_applied(env, op->target), RIGHT_WRITE);
    grant(&g, keys_instance_status(env, op->target), RIGHT_WRITE);
    for (size_t i = 0; i < m->edits.count; i++)
        if (!strchr(m->edits.items[i], '/'))
            grant(&g, keys_instance_config(env, op->target, m->edits.items[i]), RIGHT_WRITE);
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

/* One key below components/NAME/config/ or instances/NAME/config/. */
static void add_change(struct node *changes, const struct op *op, const struct node *value)
{
    static const char config[] = "/config/", instances[] = "/instances/";
    const char *name = strstr(value->key, config), *owner = strstr(value->key, instances);
    const char *old = node_get_text(op->was, value->key);
    struct node *n;

    if (!name)
        return;
    n = node_add(changes, node_new_map());
    node_set_text(n, "name", name + strlen(config));
    if (owner) {
        auto_free char *instance = NULL;

        owner += strlen(instances);
        instance = mem_strndup(owner, strcspn(owner, "/"));
        node_set_text(n, "instance", instance);
    }
    if (old)
        node_set_text(n, "old", old);
    if (value->kind != NODE_KIND_NULL)
        node_set_text(n, "new", value->text);
}

/* Which configuration keys change, from what to what, for `config history`. Never secrets. */
static void add_audit(struct node *writes, const char *env, const struct op *op)
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
    key = keys_audit(env, key_end);
    text = audit_text("up", detail);
    node_set_text(writes, key, text);
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
