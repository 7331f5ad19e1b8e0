/* SPDX-License-Identifier: MIT */
/* The etcd side of desired.h: which keys a component and its instances have, and what they say. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "crypto/crypto.h"
#include "model/keys.h"
#include "model/secret.h"
#include "plan/connect.h"
#include "plan/object.h"
#include "plan/desired.h"

/* This secret of the etcd component is the password of the user slipway itself works with. */
static const char ROOT_PASSWORD[] = "root_password";

static void put_taken(struct node *out, char *key, const char *value)
{
    node_set_text(out, key, value);
    free(key);
}

static void add_config(struct node *out, const struct desired *d, const struct desired_component *c)
{
    const struct node *value;
    const char *name = c->spec->manifest->name;

    node_for_each (value, c->spec->config) {
        auto_free char *text = manifest_value_text(value);

        put_taken(out, keys_component_config(d->spec->name, name, value->key), text);
    }
}

/* JSON map instance -> address of a component; empty when it is not in the environment. */
static char *instance_map(const struct desired *d, const char *component)
{
    auto_node struct node *map = node_new_map();

    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->items[i].spec->manifest->name, component) == 0)
            node_set_text(map, d->items[i].spec->name, d->items[i].address);
    return json_text(map);
}

static char *shared_text(const struct desired *d, const struct shared_value *v)
{
    const struct spec_component *c;
    char uuid[37];

    switch (v->kind) {
    case SHARED_KIND_UUID:
        secret_shared_uuid(uuid, d->key, v->name);
        return mem_strdup(uuid);
    case SHARED_KIND_INSTANCES:
        return instance_map(d, v->component);
    case SHARED_KIND_COUNT:
        c = spec_component(d->spec, v->component);
        return mem_printf("%d", c ? c->count : 0);
    }
    return mem_strdup("");
}

static void add_shared(struct node *out, const struct desired *d, const struct desired_component *c)
{
    const struct manifest *m = c->spec->manifest;

    for (size_t i = 0; i < m->shared_count; i++) {
        auto_free char *text = shared_text(d, &m->shared[i]);

        put_taken(out, keys_component_shared(d->spec->name, m->name, m->shared[i].name), text);
    }
}

static int secret_text(char **out, const struct desired *d, const struct desired_instance *it,
                       const struct secret_decl *decl, struct err *e)
{
    auto_free char *ip = mem_printf("IP:%s", it->address);
    auto_free char *dns = mem_printf("DNS:%s", it->spec->name);
    const char *names[] = {ip, dns, "IP:127.0.0.1", "DNS:localhost"};
    struct secret_sans sans = {names, ARRAY_LEN(names)};

    if (strcmp(it->spec->manifest->name, ETCD_COMPONENT) == 0 &&
        strcmp(decl->name, ROOT_PASSWORD) == 0) {
        *out = secret_password(d->key, "root", 1);
        return 0;
    }
    return secret_value(out, d->key, decl, it->spec->name, &sans, e);
}

struct sealed {
    const struct env_key *key;
    const char *env, *instance, *name;
};

static void put_sealed(struct node *out, const struct sealed *s, const char *value)
{
    auto_wipe char *password = secret_password(s->key, s->instance, 1);
    auto_free char *bound = mem_printf("%s/%s", s->instance, s->name);
    auto_free char *sealed = crypto_seal(password, bound, value, strlen(value));

    put_taken(out, keys_instance_secret(s->env, s->instance, s->name), sealed);
}

static void add_sealed(struct node *out, const struct desired *d, const struct desired_instance *it,
                       const char *name, const char *value)
{
    const struct sealed s = {d->key, d->spec->name, it->spec->name, name};

    put_sealed(out, &s, value);
}

void desired_ssh_state(struct ssh_state *s, const struct observed *w, const char *env)
{
    auto_free char *key = keys_spec(env);
    const char *text = observed_value(w, key);
    auto_node struct node *root = NULL;
    struct err e;

    if (!text)
        return;
    if (json_parse(&root, key, text, strlen(text), &e) < 0)
        err_drop(&e, "the document in etcd");
    else
        ssh_state_read(s, root);
}

int desired_authorized(struct node *out, const struct env_key *k, const char *env,
                       const char *instance, struct err *e)
{
    const struct sealed s = {k, env, instance, SECRET_SSH_AUTHORIZED};
    auto_free char *lines = NULL;

    if (secret_ssh_authorized(&lines, k, e) < 0)
        return -1;
    put_sealed(out, &s, lines);
    return 0;
}

int desired_deployers(struct node *out, const struct env_key *k, const char *env,
                      const char *instance, struct err *e)
{
    const struct sealed s = {k, env, instance, SECRET_SSH_DEPLOY};
    auto_free char *lines = NULL;

    if (secret_ssh_deployers(&lines, k, e) < 0)
        return -1;
    put_sealed(out, &s, lines);
    return 0;
}

static int add_ssh(struct node *out, const struct desired *d, const struct desired_instance *it,
                   struct err *e)
{
    auto_wipe char *host_key = NULL;
    auto_free char *host_line = NULL;

    if (secret_ssh_host(&host_key, &host_line, d->key, it->spec->name, e) < 0)
        return -1;
    add_sealed(out, d, it, SECRET_SSH_HOST_KEY, host_key);
    if (desired_deployers(out, d->key, d->spec->name, it->spec->name, e) < 0)
        return -1;
    return desired_authorized(out, d->key, d->spec->name, it->spec->name, e);
}

static int add_secrets(struct node *out, const struct desired *d, const struct desired_instance *it,
                       struct err *e)
{
    const struct manifest *m = it->spec->manifest;

    for (size_t i = 0; i < m->secret_count; i++) {
        auto_wipe char *value = NULL;

        if (secret_text(&value, d, it, &m->secrets[i], e) < 0)
            return err_wrap(e, "secret %s of %s", m->secrets[i].name, it->spec->name);
        add_sealed(out, d, it, m->secrets[i].name, value);
    }
    return it->spec->ssh ? add_ssh(out, d, it, e) : 0;
}

static int add_meta(struct node *out, const struct desired *d, const struct desired_instance *it,
                    struct err *e)
{
    auto_node struct node *meta = node_new_map();
    auto_wipe char *link = NULL;
    auto_free char *text = NULL;
    char hash[CRYPTO_HEX_LEN];

    if (desired_link(&link, d, it->spec->name, e) < 0)
        return -1;
    crypto_sha256_hex(hash, link, strlen(link));
    hash[16] = '\0';
    node_set_text(meta, "env", d->spec->name);
    node_set_text(meta, "component", it->spec->manifest->name);
    node_set_int(meta, "ordinal", it->spec->ordinal);
    node_set_text(meta, "address", it->address);
    node_set_int(meta, "generation", 1);
    node_set_text(meta, "link", hash);
    /* So that a change of what it may write is seen, and its role brought to that. */
    if (it->spec->manifest->edits.count) {
        auto_free char *edits = strv_join(&it->spec->manifest->edits, " ");

        node_set_text(meta, "edits", edits);
    }
    text = json_text(meta);
    put_taken(out, keys_instance_meta(d->spec->name, it->spec->name), text);
    return 0;
}

static int add_instance(struct node *out, const struct desired *d,
                        const struct desired_instance *it, struct err *e)
{
    const struct node *value;

    node_for_each (value, it->spec->overrides) {
        auto_free char *text = manifest_value_text(value);

        put_taken(out, keys_instance_config(d->spec->name, it->spec->name, value->key), text);
    }
    if (add_secrets(out, d, it, e) < 0)
        return -1;
    return add_meta(out, d, it, e);
}

int desired_keys(struct node **out, const struct desired *d, const struct desired_component *c,
                 struct err *e)
{
    auto_node struct node *keys = node_new_map();

    add_config(keys, d, c);
    add_shared(keys, d, c);
    for (size_t i = 0; i < c->count; i++)
        if (add_instance(keys, d, &d->items[c->first + i], e) < 0)
            return -1;
    *out = steal(keys);
    return 0;
}

/* The etcd containers as they should be, in the shape connect_link reads. */
static struct node *desired_containers(const struct desired *d)
{
    struct node *list = node_new_list();

    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->items[i].spec->manifest->name, ETCD_COMPONENT) == 0)
            node_add(list, node_copy(d->items[i].body));
    return list;
}

int desired_link(char **out, const struct desired *d, const char *user, struct err *e)
{
    auto_node struct node *containers = desired_containers(d);

    return connect_link(out, containers, d->spec->name, d->key, user, e);
}

int desired_snapshot(char **out, const struct desired *d, const struct desired_instance *it,
                     struct err *e)
{
    auto_node struct node *root = node_new_map();
    auto_free char *prefix = keys_link_prefix(d->spec->name, it->spec->name);
    struct desired_component one = {
        .spec = it->component, .first = (size_t)(it - d->items), .count = 1};
    struct node *keys = NULL;

    if (desired_keys(&keys, d, &one, e) < 0)
        return -1;
    node_set_int(root, "revision", 0);
    node_set_text(root, "prefix", prefix);
    node_set(root, "keys", keys);
    *out = json_text(root);
    return 0;
}

char *desired_spec(const struct desired *d, const char *catalog_version)
{
    auto_node struct node *root = node_new_map();

    node_set_text(root, "uuid", d->key->uuid);
    node_set_text(root, "catalog", catalog_version);
    node_set(root, "document", node_copy(d->spec->document));
    ssh_state_write(root, &d->key->ssh);
    return json_text(root);
}
