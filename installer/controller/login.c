/* SPDX-License-Identifier: MIT */
#include "controller/login.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "controller/api.h"
#include "controller/lookout.h"
#include "crypto/crypto.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

bool login_who(struct controller *c, struct request *q)
{
    const char *bearer = headers_bearer(&q->headers);
    auto_wipe char *cookie = bearer ? NULL : headers_cookie(&q->headers, LOGIN_COOKIE);
    const char *token = bearer ? bearer : cookie;

    /* A token that begins a session is good for nothing else. */
    if (token && people_who(&q->who, &c->people, token) && q->who.kind != ACCESS_KIND_ONCE)
        return true;
    q->who = (struct principal){0};
    return false;
}

struct node *login_session(const struct principal *who)
{
    struct node *n = node_new_map();
    char expires[32];

    clock_format(expires, who->expires);
    node_set_text(n, "user", who->user);
    node_set_text(n, "role", access_role_name(who->role));
    node_set_text(n, "via", access_kind_name(who->kind));
    node_set_text(n, "token", who->token);
    node_set_text(n, "expires", expires);
    return n;
}

/* ---- beginning ---- */

static void set_cookie(struct request *q, const char *value, int64_t max_age_s)
{
    auto_wipe char *text =
        mem_printf(LOGIN_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%lld",
                   value, (long long)max_age_s);

    reply_header(q, "Set-Cookie", text);
}

/* The oldest session goes when a user has too many. */
static int make_room(struct etcd *etcd, const char *env, const struct access *now, const char *user)
{
    const struct access_token *oldest = NULL;
    int count = 0;
    struct err e;

    for (size_t i = 0; i < now->token_count; i++) {
        const struct access_token *t = &now->tokens[i];

        if (t->kind != ACCESS_KIND_SESSION || strcmp(t->user, user) != 0)
            continue;
        count++;
        if (!oldest || t->created < oldest->created)
            oldest = t;
    }
    if (count < LOGIN_SESSIONS_MAX || !oldest)
        return 0;
    if (access_remove_token(etcd, env, oldest->id, &e) < 0)
        err_drop(&e, "an old session");
    return 0;
}

/* `once`: the id of the token that is used up; NULL: none. */
static int begin(struct controller *c, struct request *q, const struct access_grant *g,
                 const char *once, struct err *e)
{
    struct env *env = store_begin(&c->store, e);
    auto_wipe char *token = NULL;
    struct access_token made = {0};
    struct access now = {0};
    int r;

    if (!env)
        return -1;
    people_copy(&now, &c->people);
    r = once ? access_remove_token(env->etcd, env->name, once, e) : 0;
    if (r < 0 && e->code == ERR_NOTFOUND)
        err_set(e, ERR_AUTH, "this token was used already");
    if (r == 0)
        r = make_room(env->etcd, env->name, &now, g->user);
    if (r == 0)
        r = access_make_token(&token, &made, env->etcd, env->name, g, e);
    store_end(&c->store, r < 0 ? e : NULL);
    access_clear(&now);
    access_token_clear(&made);
    if (r < 0 || lookout_read_people(c, e) < 0)
        return -1;
    people_who(&q->who, &c->people, token);
    set_cookie(q, token, (g->expires - clock_wall_ms()) / 1000);
    return api_answer(q, login_session(&q->who));
}

static int refuse(struct controller *c, struct request *q, const char *user)
{
    people_count(&c->people, q->address, user, false);
    reply_problem(q, 401, "auth", NULL, "user or password is wrong");
    return 0;
}

/* False: another password is being tried. It takes as long for a user who is not there. */
static bool try_password(bool *right, struct people *p, const struct access_user *u,
                         const char *password)
{
    if (pthread_mutex_trylock(&p->login) != 0)
        return false;
    *right = crypto_password_is(u ? u->password
                                  : "scrypt:AAAAAAAAAAAAAAAAAAAAAA==:"
                                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                password) &&
             u;
    pthread_mutex_unlock(&p->login);
    return true;
}

static int by_password(struct controller *c, struct request *q, const char *user,
                       const char *password, struct err *e)
{
    struct access_grant g = {.kind = ACCESS_KIND_SESSION,
                             .role = ACCESS_ROLE_ADMIN,
                             .user = user,
                             .label = "browser",
                             .expires = clock_wall_ms() + LOGIN_DAYS * DAY_MS};
    int64_t wait = people_wait(&c->people, q->address, user);
    const struct access_user *u;
    struct access now;
    bool right = false, tried;

    if (wait) {
        reply_later(q, 429, wait, "too many wrong tries; wait a moment");
        return 0;
    }
    people_copy(&now, &c->people);
    u = access_user(&now, user);
    if (u)
        g.role = u->role;
    tried = try_password(&right, &c->people, u, password);
    access_clear(&now);
    if (!tried) {
        /* Whoever waits here keeps a worker from everybody else. */
        reply_later(q, 503, 1000, "another login is being looked at; try again");
        return 0;
    }
    if (!right)
        return refuse(c, q, user);
    people_count(&c->people, q->address, user, true);
    return begin(c, q, &g, NULL, e);
}

/* A token cannot be guessed: one that is right need not wait for others that were wrong. */
static int by_token(struct controller *c, struct request *q, const char *token, struct err *e)
{
    struct principal who;
    struct access_grant g = {.kind = ACCESS_KIND_SESSION, .label = "browser"};

    if (!people_who(&who, &c->people, token) || who.kind == ACCESS_KIND_SESSION) {
        int64_t wait = people_wait(&c->people, q->address, "");

        if (!wait)
            return refuse(c, q, "");
        reply_later(q, 429, wait, "too many wrong tries; wait a moment");
        return 0;
    }
    g.role = who.role;
    g.user = who.user;
    g.expires = clock_wall_ms() + LOGIN_DAYS * DAY_MS;
    if (who.origin[0]) {
        g.parent = who.origin;
        g.expires = who.latest < g.expires ? who.latest : g.expires;
    }
    return begin(c, q, &g, who.kind == ACCESS_KIND_ONCE ? who.token : NULL, e);
}

int api_login(struct controller *c, struct request *q, struct err *e)
{
    const char *user = api_text(q, "user"), *password = api_text(q, "password");
    const char *token = api_text(q, "token");

    if (token && !user && !password)
        return by_token(c, q, token, e);
    if (!token && user && password)
        return by_password(c, q, user, password, e);
    return err_set(e, ERR_USAGE, "a login has user and password, or a token");
}

/* ---- the others ---- */

int api_logout(struct controller *c, struct request *q, struct err *e)
{
    struct env *env;
    int r;

    if (q->who.kind != ACCESS_KIND_SESSION)
        return err_set(e, ERR_USAGE, "only a session can be ended so; a token is deleted");
    env = store_begin(&c->store, e);
    if (!env)
        return -1;
    r = access_remove_token(env->etcd, env->name, q->who.token, e);
    store_end(&c->store, r < 0 ? e : NULL);
    set_cookie(q, "", 0);
    if (r < 0 && e->code != ERR_NOTFOUND)
        return -1;
    return lookout_read_people(c, e);
}

int api_session(struct controller *c, struct request *q, struct err *e)
{
    (void)c;
    (void)e;
    return api_answer(q, login_session(&q->who));
}
