/* SPDX-License-Identifier: MIT */
/* Users, tokens and the audit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "controller/api.h"
#include "controller/audit_log.h"
#include "controller/lookout.h"
#include "crypto/crypto.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
enum { TOKENS_MAX = 100, DAYS = 90 };

static void set_time(struct node *n, const char *key, int64_t wall_ms)
{
    char text[32];

    clock_format(text, wall_ms);
    node_set_text(n, key, text);
}

/* ---- users ---- */

static struct node *user_row(const struct access_user *u)
{
    struct node *n = node_new_map();

    node_set_text(n, "name", u->name);
    node_set_text(n, "role", access_role_name(u->role));
    set_time(n, "created", u->created);
    set_time(n, "changed", u->changed);
    return n;
}

static void user_tag(char tag[32], const struct access_user *u)
{
    snprintf(tag, 32, "%lld", (long long)u->revision);
}

int api_user_list(struct controller *c, struct request *q, struct err *e)
{
    struct node *rows = node_new_list();
    struct access now;

    people_copy(&now, &c->people);
    for (size_t i = 0; i < now.user_count; i++)
        node_add(rows, user_row(&now.users[i]));
    access_clear(&now);
    return api_list(q, rows, "", e);
}

/* `made`: it is what a change came to, which If-None-Match did not ask about. */
static int answer_user(struct controller *c, struct request *q, bool made, struct err *e)
{
    const struct access_user *u;
    struct access now;
    char tag[32];
    int r;

    people_copy(&now, &c->people);
    u = access_user(&now, q->args[0]);
    if (!u) {
        r = err_set(e, ERR_NOTFOUND, "there is no user %.40s", q->args[0]);
    } else {
        user_tag(tag, u);
        r = 0;
        if (!reply_tag(q, tag) || made)
            r = api_answer(q, user_row(u));
    }
    access_clear(&now);
    return r;
}

int api_user(struct controller *c, struct request *q, struct err *e)
{
    return answer_user(c, q, false, e);
}

/* 0: go on; 1: it is answered. */
static int check_match(struct request *q, const struct access_user *old)
{
    const char *match = headers_get(&q->headers, "If-Match");
    const char *none = headers_get(&q->headers, "If-None-Match");
    char tag[32] = "";

    if (old)
        user_tag(tag, old);
    if (!match && !none) {
        reply_problem(q, 428, "precondition", NULL,
                      "a change of a user needs If-Match, a new one `If-None-Match: *`");
        return 1;
    }
    if ((match && (!old || !headers_has_tag(match, tag))) || (none && old)) {
        reply_problem(q, 412, "precondition", NULL,
                      old ? "this user is there, or was changed by someone else meanwhile"
                          : "this user is not there any more");
        return 1;
    }
    return 0;
}

static int put_user(struct controller *c, const struct access *now, const struct access_change *u,
                    struct err *e)
{
    struct env *env = store_begin(&c->store, e);
    int r;

    if (!env)
        return -1;
    r = access_put_user(env->etcd, env->name, now, u, e);
    store_end(&c->store, r < 0 ? e : NULL);
    return r < 0 ? -1 : lookout_read_people(c, e);
}

static int put(struct controller *c, struct request *q, const struct access *now, struct err *e)
{
    const struct access_user *old = access_user(now, q->args[0]);
    struct access_change u = {
        .name = q->args[0], .password = api_text(q, "password"), .keep = q->who.token};

    if (check_match(q, old))
        return 1;
    access_role_parse(&u.role, api_text(q, "role"));
    u.revision = old ? old->revision : 0;
    if (!old && !u.password)
        return err_set(e, ERR_USAGE, "a new user needs a password");
    return put_user(c, now, &u, e);
}

int api_user_put(struct controller *c, struct request *q, struct err *e)
{
    struct access now;
    int r;

    if (!access_user_is_valid(q->args[0]))
        return err_set(e, ERR_USAGE,
                       "a user's name is a-z, 0-9, \".\", \"_\" and \"-\", at most 40, "
                       "a letter first, and not \"first\"");
    people_copy(&now, &c->people);
    r = put(c, q, &now, e);
    access_clear(&now);
    if (r != 0)
        return r < 0 ? -1 : 0;
    r = answer_user(c, q, true, e);
    q->reply.status = 200;
    return r;
}

int api_user_delete(struct controller *c, struct request *q, struct err *e)
{
    struct access now;
    struct env *env = store_begin(&c->store, e);
    int r;

    if (!env)
        return -1;
    people_copy(&now, &c->people);
    r = access_remove_user(env->etcd, env->name, &now, q->args[0], e);
    store_end(&c->store, r < 0 ? e : NULL);
    access_clear(&now);
    return r < 0 ? -1 : lookout_read_people(c, e);
}

int api_session_password(struct controller *c, struct request *q, struct err *e)
{
    struct access_change change = {
        .name = q->who.user, .password = api_text(q, "new"), .keep = q->who.token};
    int64_t wait = people_wait(&c->people, q->address, q->who.user);
    const struct access_user *u;
    struct access now;
    bool right;
    int r = 0;

    if (wait) {
        reply_later(q, 429, wait, "too many wrong tries; wait a moment");
        return 0;
    }
    people_copy(&now, &c->people);
    u = access_user(&now, q->who.user);
    right = u && crypto_password_is(u->password, api_text(q, "old"));
    people_count(&c->people, q->address, q->who.user, right);
    if (right) {
        change.role = u->role;
        change.revision = u->revision;
        r = put_user(c, &now, &change, e);
    } else {
        reply_problem(q, 403, "auth", NULL, "the old password is wrong");
    }
    access_clear(&now);
    return r;
}

/* ---- tokens ---- */

static struct node *token_row(const struct access_token *t)
{
    struct node *n = node_new_map();

    node_set_text(n, "id", t->id);
    node_set_text(n, "kind", access_kind_name(t->kind));
    node_set_text(n, "user", t->user);
    node_set_text(n, "role", access_role_name(t->role));
    node_set_text(n, "label", t->label);
    set_time(n, "created", t->created);
    set_time(n, "expires", t->expires);
    return n;
}

static bool is_theirs(const struct request *q, const struct access_token *t)
{
    return q->who.role == ACCESS_ROLE_ADMIN || strcmp(t->user, q->who.user) == 0;
}

int api_token_list(struct controller *c, struct request *q, struct err *e)
{
    struct node *rows = node_new_list();
    struct access now;

    people_copy(&now, &c->people);
    for (size_t i = 0; i < now.token_count; i++)
        if (is_theirs(q, &now.tokens[i]))
            node_add(rows, token_row(&now.tokens[i]));
    access_clear(&now);
    return api_list(q, rows, "", e);
}

static size_t count_tokens(struct controller *c, const char *user)
{
    struct access now;
    size_t count = 0;

    people_copy(&now, &c->people);
    for (size_t i = 0; i < now.token_count; i++)
        count += now.tokens[i].kind == ACCESS_KIND_API && strcmp(now.tokens[i].user, user) == 0;
    access_clear(&now);
    return count;
}

static int make_token(struct controller *c, struct request *q, const struct access_grant *g,
                      struct err *e)
{
    struct env *env = store_begin(&c->store, e);
    auto_wipe char *text = NULL;
    struct access_token made;
    struct node *n;
    int r;

    if (!env)
        return -1;
    r = access_make_token(&text, &made, env->etcd, env->name, g, e);
    store_end(&c->store, r < 0 ? e : NULL);
    if (r < 0)
        return -1;
    n = node_new_map();
    node_set_text(n, "id", made.id);
    node_set_text(n, "token", text);
    set_time(n, "expires", made.expires);
    access_token_clear(&made);
    api_answer(q, n);
    return lookout_read_people(c, e);
}

int api_token_create(struct controller *c, struct request *q, struct err *e)
{
    struct access_grant g = {.kind = ACCESS_KIND_API,
                             .role = q->who.role,
                             .user = q->who.user,
                             .label = api_text(q, "label"),
                             .expires =
                                 clock_wall_ms() + node_get_int(q->body, "days", DAYS) * DAY_MS};

    if (api_text(q, "role"))
        access_role_parse(&g.role, api_text(q, "role"));
    if (g.role > q->who.role) {
        reply_problem(q, 403, "auth", NULL, "a token may not do more than who makes it");
        return 0;
    }
    /* One that is made from a token does not outlive it. */
    if (q->who.origin[0]) {
        g.parent = q->who.origin;
        g.expires = q->who.latest < g.expires ? q->who.latest : g.expires;
    }
    if (count_tokens(c, q->who.user) >= TOKENS_MAX)
        return err_set(e, ERR_CONFLICT, "%s has %d tokens already; delete one", q->who.user,
                       TOKENS_MAX);
    return make_token(c, q, &g, e);
}

/* It and what was made from it, which is good for nothing without. */
static int remove_token(const struct env *env, const struct access *now, const char *id,
                        struct err *e)
{
    struct err gone;

    for (size_t i = 0; i < now->token_count; i++)
        if (strcmp(now->tokens[i].parent, id) == 0 &&
            access_remove_token(env->etcd, env->name, now->tokens[i].id, &gone) < 0)
            err_drop(&gone, "a token made from another");
    return access_remove_token(env->etcd, env->name, id, e);
}

int api_token_delete(struct controller *c, struct request *q, struct err *e)
{
    const struct access_token *t;
    struct access now;
    struct env *env = NULL;
    int r = -1;

    people_copy(&now, &c->people);
    t = access_token_by_id(&now, q->args[0]);
    if (!t || !is_theirs(q, t))
        err_set(e, ERR_NOTFOUND, "there is no token %.40s", q->args[0]);
    else
        env = store_begin(&c->store, e);
    if (env) {
        r = remove_token(env, &now, q->args[0], e);
        store_end(&c->store, r < 0 ? e : NULL);
    }
    access_clear(&now);
    return r < 0 ? -1 : lookout_read_people(c, e);
}

/* ---- audit ---- */

int api_audit(struct controller *c, struct request *q, struct err *e)
{
    struct node *rows = NULL;

    return audit_log_rows(&rows, c, e) < 0 ? -1 : api_list(q, rows, q->route->query, e);
}
