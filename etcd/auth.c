/* SPDX-License-Identifier: MIT */
/*
 * Users and roles, each call bringing things to the wanted state: add; if it is there, look and
 * change only what differs. A password that is right already is left alone, since changing it takes
 * every token from its user.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"
#include "etcd/client.h"

enum { BODY_MAX = 64 << 10 };

/* A request of one or two texts. */
static int post_names(struct etcd *c, const char *path, const char *const *fields,
                      struct wire **out, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};
    auto_wire struct wire *reply = NULL;

    for (size_t i = 0; fields[i]; i += 2) {
        buf_putc(&body, i ? ',' : '{');
        wire_put_text(&body, fields[i], fields[i + 1]);
    }
    buf_puts(&body, body.len ? "}" : "{}");
    struct call q = {.path = path, .body = &body, .kind = CALL_SAFE};
    if (client_call(&reply, c, &q, NULL, e) < 0)
        return -1;
    if (out)
        *out = steal(reply);
    return 0;
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- roles ---- */

struct permission {
    char *key, *end; /* as bytes with a NUL behind */
    size_t key_len, end_len;
    const char *type; /* static: READ WRITE READWRITE */
};

static void permission_clear(struct permission *p)
{
    free(p->key);
    free(p->end);
    *p = (struct permission){0};
}

static const char *grant_type(const struct etcd_role_grant *g)
{
    return g->read && g->write ? "READWRITE" : g->write ? "WRITE" : "READ";
}

static bool grant_is(const struct etcd_role_grant *g, const struct permission *p)
{
    size_t len = strlen(g->key), end_len = 0;
    auto_free char *end = NULL;

    if (len != p->key_len || memcmp(g->key, p->key, len) != 0)
        return false;
    if (wire_is_prefix(g->key))
        end = wire_prefix_end(&end_len, g->key, len);
    return end_len == p->end_len && (end_len == 0 || memcmp(end, p->end, end_len) == 0);
}

/* READ is the zero of its enumeration and so left out in replies. */
static int read_permission(struct permission *p, const struct wire *perm, struct err *e)
{
    const char *type = wire_text(perm, "permType");

    p->type = strcmp(type, "READWRITE") == 0 ? "READWRITE"
              : strcmp(type, "WRITE") == 0   ? "WRITE"
                                             : "READ";
    if (wire_bytes(&p->key, &p->key_len, perm, "key", e) < 0 ||
        wire_bytes(&p->end, &p->end_len, perm, "range_end", e) < 0)
        return -1;
    return 0;
}

static int grant_role(struct etcd *c, const char *role, const struct etcd_role_grant *g,
                      struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};

    buf_putc(&body, '{');
    wire_put_text(&body, "name", role);
    buf_printf(&body, ",\"perm\":{\"permType\":\"%s\",", grant_type(g));
    wire_put_range(&body, g->key);
    buf_puts(&body, "}}");
    struct call q = {.path = "/v3/auth/role/grant", .body = &body, .kind = CALL_SAFE};
    return client_do(c, &q, e);
}

static int revoke_role(struct etcd *c, const char *role, const struct permission *p, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};

    buf_putc(&body, '{');
    wire_put_text(&body, "role", role);
    buf_putc(&body, ',');
    wire_put_bytes(&body, "key", p->key, p->key_len);
    buf_putc(&body, ',');
    wire_put_bytes(&body, "range_end", p->end, p->end_len);
    buf_putc(&body, '}');
    struct call q = {.path = "/v3/auth/role/revoke", .body = &body, .kind = CALL_SAFE};
    return client_do(c, &q, e);
}

/* Which grants a role shall have, and which of them it has. */
struct wanted {
    const struct etcd_role_grant *grants;
    bool *have;
    size_t count;
};

/* One permission the role has: marks the grant that it is, or takes it away. */
static int settle(struct etcd *c, const char *role, const struct wire *perm, struct wanted *w,
                  struct err *e)
{
    struct permission p = {0};
    int r = read_permission(&p, perm, e);
    bool known = false;

    for (size_t i = 0; r == 0 && i < w->count; i++) {
        if (!grant_is(&w->grants[i], &p))
            continue;
        known = true;
        w->have[i] = strcmp(grant_type(&w->grants[i]), p.type) == 0;
    }
    if (r == 0 && !known)
        r = revoke_role(c, role, &p, e);
    permission_clear(&p);
    return r;
}

static int ensure_grants(struct etcd *c, const char *role, const struct wire *reply,
                         struct wanted *w, struct err *e)
{
    const struct wire *perm;

    for (perm = wire_first(wire_get(reply, "perm")); perm; perm = wire_next(perm))
        if (settle(c, role, perm, w, e) < 0)
            return -1;
    for (size_t i = 0; i < w->count; i++)
        if (!w->have[i] && grant_role(c, role, &w->grants[i], e) < 0)
            return -1;
    return 0;
}

int etcd_role_get(struct strv *read, struct strv *write, struct etcd *c, const char *role,
                  struct err *e)
{
    auto_wire struct wire *reply = NULL;
    const struct wire *perm;

    if (post_names(c, "/v3/auth/role/get", NAMES("role", role), &reply, e) < 0)
        return err_wrap(e, "role %s", role);
    for (perm = wire_first(wire_get(reply, "perm")); perm; perm = wire_next(perm)) {
        struct permission p = {0};
        int r = read_permission(&p, perm, e);

        if (r == 0 && strcmp(p.type, "WRITE") != 0)
            strv_add(read, p.key);
        if (r == 0 && strcmp(p.type, "READ") != 0)
            strv_add(write, p.key);
        permission_clear(&p);
        if (r < 0)
            return err_wrap(e, "role %s", role);
    }
    return 0;
}

int etcd_role_ensure(struct etcd *c, const char *role, const struct etcd_role_grant *grants,
                     size_t count, struct err *e)
{
    auto_wire struct wire *reply = NULL;
    auto_free bool *have = mem_array(count + 1, sizeof(*have));
    struct wanted w = {grants, have, count};

    /* Adding comes first: what is new, the usual case, is not asked for in vain. */
    if (post_names(c, "/v3/auth/role/add", NAMES("name", role), NULL, e) < 0 &&
        (e->code != ERR_CONFLICT ||
         post_names(c, "/v3/auth/role/get", NAMES("role", role), &reply, e) < 0))
        return err_wrap(e, "role %s", role);
    /* etcd shows the role root with a grant that nobody can give or take. */
    if (strcmp(role, "root") == 0)
        return 0;
    return ensure_grants(c, role, reply, &w, e) < 0 ? err_wrap(e, "role %s", role) : 0;
}

/* ---- users ---- */

/* Asks as the user itself; without authentication on, nobody can tell. */
static int password_is_right(bool *right, struct etcd *c, const char *user, const char *password,
                             struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};
    auto_wire struct wire *reply = NULL;
    enum wire_fault fault;

    *right = false;
    buf_putc(&body, '{');
    wire_put_text(&body, "name", user);
    buf_putc(&body, ',');
    wire_put_text(&body, "password", password);
    buf_putc(&body, '}');
    struct call q = {
        .path = "/v3/auth/authenticate", .body = &body, .kind = CALL_READ, .tokenless = true};
    if (client_call(&reply, c, &q, &fault, e) == 0)
        *right = true;
    else if (fault != WIRE_FAULT_AUTH_OFF && e->code != ERR_AUTH)
        return -1;
    return 0;
}

static int settle_password(struct etcd *c, const char *user, const char *password, struct err *e)
{
    bool right;

    if (!password)
        return 0;
    if (password_is_right(&right, c, user, password, e) < 0)
        return -1;
    return right ? 0
                 : post_names(c, "/v3/auth/user/changepw",
                              NAMES("name", user, "password", password), NULL, e);
}

static int settle_roles(struct etcd *c, const char *user, const struct wire *reply,
                        const struct strv *wanted, struct err *e)
{
    auto_strv struct strv has = {0};
    const struct wire *item;

    for (item = wire_first(wire_get(reply, "roles")); item; item = wire_next(item))
        strv_add(&has, wire_as_text(item));
    for (size_t i = 0; i < wanted->count; i++)
        if (!strv_has(&has, wanted->items[i]) &&
            post_names(c, "/v3/auth/user/grant", NAMES("user", user, "role", wanted->items[i]),
                       NULL, e) < 0)
            return -1;
    for (size_t i = 0; i < has.count; i++)
        if (!strv_has(wanted, has.items[i]) &&
            post_names(c, "/v3/auth/user/revoke", NAMES("name", user, "role", has.items[i]), NULL,
                       e) < 0)
            return -1;
    return 0;
}

static int ensure_user(struct etcd *c, const char *user, const char *password,
                       const struct strv *roles, struct err *e)
{
    auto_wire struct wire *reply = NULL;

    if (password &&
        post_names(c, "/v3/auth/user/add", NAMES("name", user, "password", password), NULL, e) == 0)
        return settle_roles(c, user, NULL, roles, e);
    if (password && e->code != ERR_CONFLICT)
        return -1;
    if (post_names(c, "/v3/auth/user/get", NAMES("name", user), &reply, e) < 0)
        return !password && e->code == ERR_NOTFOUND
                   ? err_set(e, ERR_USAGE, "a new user needs a password")
                   : -1;
    if (settle_password(c, user, password, e) < 0)
        return -1;
    return settle_roles(c, user, reply, roles, e);
}

int etcd_user_ensure(struct etcd *c, const char *user, const char *password,
                     const char *const *roles, size_t role_count, struct err *e)
{
    auto_strv struct strv wanted = {0};

    for (size_t i = 0; i < role_count; i++)
        strv_add(&wanted, roles[i]);
    return ensure_user(c, user, password, &wanted, e) < 0 ? err_wrap(e, "user %s", user) : 0;
}

static int remove_name(struct etcd *c, const char *path, const char *field, const char *name,
                       struct err *e)
{
    struct err why;

    if (post_names(c, path, NAMES(field, name), NULL, &why) == 0 || why.code == ERR_NOTFOUND)
        return 0;
    *e = why;
    return err_wrap(e, "removing %s %s", strcmp(field, "role") == 0 ? "role" : "user", name);
}

int etcd_user_remove(struct etcd *c, const char *user, struct err *e)
{
    return remove_name(c, "/v3/auth/user/delete", "name", user, e);
}

int etcd_role_remove(struct etcd *c, const char *role, struct err *e)
{
    return remove_name(c, "/v3/auth/role/delete", "role", role, e);
}

static int list(struct strv *out, struct etcd *c, const char *path, const char *what, struct err *e)
{
    auto_wire struct wire *reply = NULL;
    const struct wire *item;

    *out = (struct strv){0};
    if (post_names(c, path, (const char *const[]){NULL}, &reply, e) < 0)
        return err_wrap(e, "listing the %s", what);
    for (item = wire_first(wire_get(reply, what)); item; item = wire_next(item))
        strv_add(out, wire_as_text(item));
    return 0;
}

int etcd_user_list(struct strv *out, struct etcd *c, struct err *e)
{
    return list(out, c, "/v3/auth/user/list", "users", e);
}

int etcd_role_list(struct strv *out, struct etcd *c, struct err *e)
{
    return list(out, c, "/v3/auth/role/list", "roles", e);
}

/* ---- authentication itself ---- */

int etcd_auth_is_on(struct etcd *c, bool *on, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};
    auto_wire struct wire *reply = NULL;
    enum wire_fault fault;
    struct err why;

    *on = false;
    buf_putc(&body, '{');
    wire_put_bytes(&body, "key", "/", 1);
    buf_puts(&body, ",\"count_only\":true}");
    struct call q = {.path = "/v3/kv/range", .body = &body, .kind = CALL_READ, .tokenless = true};
    if (client_call(&reply, c, &q, &fault, &why) == 0)
        return 0;
    *on = fault == WIRE_FAULT_TOKEN;
    if (*on)
        return 0;
    *e = why;
    return err_wrap(e, "asking whether authentication is on");
}
