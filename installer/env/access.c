/* SPDX-License-Identifier: MIT */
#include "env/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "crypto/crypto.h"
#include "model/keys.h"

enum { TOKEN_BYTES = 32, NAME_MAX_LEN = 40, FIRST_MS = 24 * 3600 * 1000 };
#define TOKEN_PREFIX "slipway_"

static const char *const ROLES[] = {"anybody", "metrics", "viewer", "operator", "admin"};
static const char *const KINDS[] = {"api", "session", "once"};

const char *access_role_name(enum access_role r)
{
    return ROLES[r];
}

bool access_role_parse(enum access_role *out, const char *name)
{
    for (size_t i = ACCESS_ROLE_METRICS; name && i < ARRAY_LEN(ROLES); i++) {
        if (strcmp(name, ROLES[i]) == 0) {
            *out = (enum access_role)i;
            return true;
        }
    }
    return false;
}

const char *access_kind_name(enum access_kind k)
{
    return KINDS[k];
}

static bool parse_kind(enum access_kind *out, const char *name)
{
    for (size_t i = 0; name && i < ARRAY_LEN(KINDS); i++) {
        if (strcmp(name, KINDS[i]) == 0) {
            *out = (enum access_kind)i;
            return true;
        }
    }
    return false;
}

bool access_user_is_valid(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");

    return len > 0 && len <= NAME_MAX_LEN && !name[len] && *name >= 'a' && *name <= 'z' &&
           strcmp(name, ACCESS_FIRST) != 0;
}

/* ---- reading ---- */

static bool read_user(struct access_user *u, const char *name, const struct etcd_kv *kv)
{
    auto_node struct node *n = NULL;
    struct err e;

    if (json_parse(&n, kv->key, kv->value, kv->value_len, &e) < 0) {
        err_drop(&e, "a user of the controller");
        return false;
    }
    *u = (struct access_user){.created = node_get_int(n, "created", 0),
                              .changed = node_get_int(n, "changed", 0),
                              .revision = kv->mod_revision};
    if (!access_role_parse(&u->role, node_get_text(n, "role")) || !node_get_text(n, "password"))
        return false;
    u->name = mem_strdup(name);
    u->password = mem_strdup(node_get_text(n, "password"));
    return true;
}

static bool read_token(struct access_token *t, const char *id, const struct etcd_kv *kv)
{
    auto_node struct node *n = NULL;
    const char *digest, *user, *label, *parent;
    struct err e;

    if (json_parse(&n, kv->key, kv->value, kv->value_len, &e) < 0) {
        err_drop(&e, "a token of the controller");
        return false;
    }
    *t = (struct access_token){.created = node_get_int(n, "created", 0),
                               .expires = node_get_int(n, "expires", 0)};
    digest = node_get_text(n, "digest");
    user = node_get_text(n, "user");
    label = node_get_text(n, "label");
    parent = node_get_text(n, "parent");
    if (!digest || strlen(digest) != sizeof(t->digest) - 1 || strlen(id) != sizeof(t->id) - 1 ||
        strncmp(digest, id, sizeof(t->id) - 1) != 0 || !user ||
        (parent && strlen(parent) != sizeof(t->parent) - 1) ||
        !access_role_parse(&t->role, node_get_text(n, "role")) ||
        !parse_kind(&t->kind, node_get_text(n, "kind")))
        return false;
    memcpy(t->digest, digest, sizeof(t->digest));
    memcpy(t->id, id, sizeof(t->id));
    if (parent)
        memcpy(t->parent, parent, sizeof(t->parent));
    t->user = mem_strdup(user);
    t->label = mem_strdup(label ? label : "");
    return true;
}

int access_load(struct access *out, struct etcd *c, const char *env, struct err *e)
{
    auto_free char *users = keys_controller_user(env, ""), *tokens = keys_controller_token(env, "");
    const char *const names[] = {users, tokens};
    struct etcd_kvs kvs = {0};

    *out = (struct access){0};
    if (etcd_range_many(&kvs, c, names, ARRAY_LEN(names), e) < 0)
        return -1;
    out->users = mem_array(kvs.count + 1, sizeof(*out->users));
    out->tokens = mem_array(kvs.count + 1, sizeof(*out->tokens));
    for (size_t i = 0; i < kvs.count; i++) {
        struct keys_path k;

        if (!keys_parse(&k, kvs.items[i].key))
            continue;
        if (k.kind == KEYS_KIND_CONTROLLER_USER)
            out->user_count += read_user(&out->users[out->user_count], k.name, &kvs.items[i]);
        else if (k.kind == KEYS_KIND_CONTROLLER_TOKEN)
            out->token_count += read_token(&out->tokens[out->token_count], k.name, &kvs.items[i]);
    }
    etcd_kvs_clear(&kvs);
    return 0;
}

void access_token_clear(struct access_token *t)
{
    free(t->user);
    free(t->label);
    *t = (struct access_token){0};
}

void access_clear(struct access *a)
{
    for (size_t i = 0; i < a->user_count; i++) {
        free(a->users[i].name);
        free(a->users[i].password);
    }
    for (size_t i = 0; i < a->token_count; i++)
        access_token_clear(&a->tokens[i]);
    free(a->users);
    free(a->tokens);
    *a = (struct access){0};
}

const struct access_user *access_user(const struct access *a, const char *name)
{
    for (size_t i = 0; i < a->user_count; i++)
        if (strcmp(a->users[i].name, name) == 0)
            return &a->users[i];
    return NULL;
}

const struct access_token *access_token(const struct access *a, const char *text)
{
    char digest[CRYPTO_HEX_LEN];

    crypto_sha256_hex(digest, text, strlen(text));
    for (size_t i = 0; i < a->token_count; i++)
        if (strcmp(a->tokens[i].digest, digest) == 0)
            return &a->tokens[i];
    return NULL;
}

const struct access_token *access_token_by_id(const struct access *a, const char *id)
{
    for (size_t i = 0; i < a->token_count; i++)
        if (strcmp(a->tokens[i].id, id) == 0)
            return &a->tokens[i];
    return NULL;
}

/* ---- users ---- */

/* The user's tokens and sessions as they are now, but for the one that is kept. */
static int remove_tokens(struct etcd *c, const char *env, const char *user, const char *keep,
                         struct err *e)
{
    struct access now = {0};
    int r = access_load(&now, c, env, e);

    for (size_t i = 0; r == 0 && i < now.token_count; i++) {
        const struct access_token *t = &now.tokens[i];

        if (strcmp(t->user, user) != 0 || (keep && strcmp(t->id, keep) == 0))
            continue;
        r = access_remove_token(c, env, t->id, e);
        if (r < 0 && e->code == ERR_NOTFOUND) {
            err_drop(e, "a token that has just gone");
            r = 0;
        }
    }
    access_clear(&now);
    return r;
}

/* An admin's rights go only beside another admin, who is compared in the same transaction: of two
 * admins who take each other's rights at once, one is refused. */
static int need_other_admin(struct etcd_txn *t, const char *env, const struct access *now,
                            const struct access_user *u, struct err *e)
{
    const struct access_user *other = NULL;

    if (!u || u->role != ACCESS_ROLE_ADMIN)
        return 0;
    for (size_t i = 0; i < now->user_count && !other; i++)
        if (now->users[i].role == ACCESS_ROLE_ADMIN && &now->users[i] != u)
            other = &now->users[i];
    if (!other)
        return err_set(e, ERR_CONFLICT, "%s is the last admin", u->name);
    auto_free char *key = keys_controller_user(env, other->name);

    etcd_txn_if(t, key, ETCD_CMP_MOD_EQ, other->revision);
    return 0;
}

/* Runs what changes a user, whose key was compared. */
static int change(struct etcd *c, const struct etcd_txn *t, struct err *e)
{
    if (etcd_txn_run(c, t, NULL, e) == 0)
        return 0;
    if (e->code == ERR_CONFLICT)
        err_set(e, ERR_CONFLICT, "this user was changed by someone else meanwhile");
    return -1;
}

int access_put_user(struct etcd *c, const char *env, const struct access *now,
                    const struct access_change *u, struct err *e)
{
    const struct access_user *old = access_user(now, u->name);
    auto_free char *key = keys_controller_user(env, u->name), *hash = NULL, *text = NULL;
    auto_node struct node *n = node_new_map();
    struct etcd_txn *t;
    int64_t wall = clock_wall_ms();
    int r = 0;

    if (u->password && crypto_password_hash(&hash, u->password, e) < 0)
        return -1;
    if (!hash && !old)
        return err_set(e, ERR_USAGE, "a new user needs a password");
    node_set_text(n, "role", access_role_name(u->role));
    node_set_text(n, "password", hash ? hash : old->password);
    node_set_int(n, "created", old ? old->created : wall);
    node_set_int(n, "changed", wall);
    text = json_text(n);
    t = etcd_txn_new();
    etcd_txn_if(t, key, ETCD_CMP_MOD_EQ, u->revision);
    etcd_txn_put(t, key, text, 0);
    if (u->role != ACCESS_ROLE_ADMIN)
        r = need_other_admin(t, env, now, old, e);
    if (r == 0)
        r = change(c, t, e);
    etcd_txn_free(t);
    return r == 0 && u->password ? remove_tokens(c, env, u->name, u->keep, e) : r;
}

int access_remove_user(struct etcd *c, const char *env, const struct access *now, const char *name,
                       struct err *e)
{
    const struct access_user *u = access_user(now, name);
    auto_free char *key = keys_controller_user(env, name);
    struct etcd_txn *t;
    int r;

    if (!u)
        return err_set(e, ERR_NOTFOUND, "there is no user %s", name);
    t = etcd_txn_new();
    etcd_txn_if(t, key, ETCD_CMP_MOD_EQ, u->revision);
    etcd_txn_delete(t, key);
    r = need_other_admin(t, env, now, u, e);
    if (r == 0)
        r = change(c, t, e);
    etcd_txn_free(t);
    return r == 0 ? remove_tokens(c, env, name, NULL, e) : r;
}

/* ---- tokens ---- */

static char *token_value(const struct access_token *t)
{
    auto_node struct node *n = node_new_map();

    node_set_text(n, "digest", t->digest);
    node_set_text(n, "kind", KINDS[t->kind]);
    node_set_text(n, "user", t->user);
    node_set_text(n, "role", ROLES[t->role]);
    node_set_text(n, "label", t->label);
    if (t->parent[0])
        node_set_text(n, "parent", t->parent);
    node_set_int(n, "created", t->created);
    node_set_int(n, "expires", t->expires);
    return json_text(n);
}

int access_make_token(char **text, struct access_token *made, struct etcd *c, const char *env,
                      const struct access_grant *g, struct err *e)
{
    uint8_t bytes[TOKEN_BYTES];

    *made = (struct access_token){
        .kind = g->kind, .role = g->role, .created = clock_wall_ms(), .expires = g->expires};
    if (g->parent)
        snprintf(made->parent, sizeof(made->parent), "%s", g->parent);
    if (crypto_random(bytes, sizeof(bytes), e) < 0)
        return -1;
    auto_wipe char *random = base64url_encode(bytes, sizeof(bytes));
    auto_wipe char *token = mem_printf(TOKEN_PREFIX "%s", random);

    explicit_bzero(bytes, sizeof(bytes));
    crypto_sha256_hex(made->digest, token, strlen(token));
    memcpy(made->id, made->digest, sizeof(made->id) - 1);
    made->user = mem_strdup(g->user);
    made->label = mem_strdup(g->label ? g->label : "");
    auto_free char *key = keys_controller_token(env, made->id), *value = token_value(made);

    if (etcd_put(c, key, value, 0, e) < 0) {
        access_token_clear(made);
        return -1;
    }
    *text = steal(token);
    return 0;
}

int access_remove_token(struct etcd *c, const char *env, const char *id, struct err *e)
{
    auto_free char *key = keys_controller_token(env, id);
    int64_t deleted = 0;

    if (etcd_delete(c, key, &deleted, e) < 0)
        return -1;
    return deleted ? 0 : err_set(e, ERR_NOTFOUND, "there is no token %s", id);
}

void access_remove_expired(struct etcd *c, const char *env, const struct access *now)
{
    int64_t wall = clock_wall_ms();
    struct err e;

    for (size_t i = 0; i < now->token_count; i++)
        if (now->tokens[i].expires <= wall &&
            access_remove_token(c, env, now->tokens[i].id, &e) < 0)
            err_drop(&e, "an expired token");
}

int access_first_token(char **text, const struct env *env, struct err *e)
{
    const struct access_grant g = {.kind = ACCESS_KIND_ONCE,
                                   .role = ACCESS_ROLE_ADMIN,
                                   .user = ACCESS_FIRST,
                                   .label = "the first session",
                                   .expires = clock_wall_ms() + FIRST_MS};
    struct access_token made;

    if (access_make_token(text, &made, env->etcd, env->name, &g, e) < 0)
        return -1;
    access_token_clear(&made);
    return 0;
}
