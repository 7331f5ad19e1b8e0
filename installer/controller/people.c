/* SPDX-License-Identifier: MIT */
#include "controller/people.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* Somebody who has forgotten a password tries some at once; then one each 5 s. Behind one address
 * may be several people. */
enum { TRIES = 8, TRY_MS = 5000, TRIES_FROM = 32, TRY_FROM_MS = 2000 };
/* Tokens made from tokens made from tokens. */
enum { ORIGINS_MAX = 8 };

void people_init(struct people *p)
{
    *p = (struct people){0};
    pthread_mutex_init(&p->mutex, NULL);
    pthread_mutex_init(&p->login, NULL);
    limiter_init(&p->wrong, TRIES, TRY_MS);
    limiter_init(&p->from, TRIES_FROM, TRY_FROM_MS);
}

void people_clear(struct people *p)
{
    access_clear(&p->access);
    pthread_mutex_destroy(&p->mutex);
    pthread_mutex_destroy(&p->login);
}

static bool is_same(const struct access *a, const struct access *b)
{
    if (a->user_count != b->user_count || a->token_count != b->token_count)
        return false;
    for (size_t i = 0; i < a->user_count; i++)
        if (strcmp(a->users[i].name, b->users[i].name) != 0 ||
            a->users[i].revision != b->users[i].revision)
            return false;
    for (size_t i = 0; i < a->token_count; i++)
        if (strcmp(a->tokens[i].id, b->tokens[i].id) != 0)
            return false;
    return true;
}

bool people_take(struct people *p, struct access *now)
{
    bool changed;

    pthread_mutex_lock(&p->mutex);
    changed = !p->loaded || !is_same(&p->access, now);
    access_clear(&p->access);
    p->access = *now;
    p->loaded = true;
    pthread_mutex_unlock(&p->mutex);
    *now = (struct access){0};
    return changed;
}

/* Whether what a token was made from is there still, all the way up. */
static bool has_origin(const struct people *p, const struct access_token *t)
{
    for (int i = 0; i < ORIGINS_MAX; i++) {
        if (!t->parent[0])
            return true;
        t = access_token_by_id(&p->access, t->parent);
        if (!t || t->expires <= clock_wall_ms())
            return false;
    }
    return false;
}

/* What is made with this token ends with it, or with the token that its session was begun with. */
static void set_origin(struct principal *out, const struct people *p, const struct access_token *t)
{
    const struct access_token *from = t;

    if (t->kind == ACCESS_KIND_SESSION)
        from = t->parent[0] ? access_token_by_id(&p->access, t->parent) : NULL;
    if (!from || from->kind != ACCESS_KIND_API)
        return;
    memcpy(out->origin, from->id, sizeof(out->origin));
    out->latest = from->expires;
}

/* What a token is good for now: less than it says when its user may less, nothing without one. */
static enum access_role role_of(const struct people *p, const struct access_token *t)
{
    const struct access_user *u = access_user(&p->access, t->user);

    if (t->expires <= clock_wall_ms() || !has_origin(p, t))
        return ACCESS_ROLE_ANYBODY;
    if (strcmp(t->user, ACCESS_FIRST) == 0)
        return t->role;
    if (!u)
        return ACCESS_ROLE_ANYBODY;
    return u->role < t->role ? u->role : t->role;
}

bool people_who(struct principal *out, struct people *p, const char *token)
{
    const struct access_token *t;

    *out = (struct principal){0};
    pthread_mutex_lock(&p->mutex);
    t = access_token(&p->access, token);
    if (t && (out->role = role_of(p, t)) != ACCESS_ROLE_ANYBODY) {
        snprintf(out->user, sizeof(out->user), "%s", t->user);
        memcpy(out->token, t->id, sizeof(out->token));
        out->kind = t->kind;
        out->expires = t->expires;
        set_origin(out, p, t);
    }
    pthread_mutex_unlock(&p->mutex);
    return out->role != ACCESS_ROLE_ANYBODY;
}

enum access_role people_role(struct people *p, const char *id)
{
    const struct access_token *t;
    enum access_role role;

    pthread_mutex_lock(&p->mutex);
    t = access_token_by_id(&p->access, id);
    role = t ? role_of(p, t) : ACCESS_ROLE_ANYBODY;
    pthread_mutex_unlock(&p->mutex);
    return role;
}

bool people_is_loaded(struct people *p)
{
    bool loaded;

    pthread_mutex_lock(&p->mutex);
    loaded = p->loaded;
    pthread_mutex_unlock(&p->mutex);
    return loaded;
}

void people_copy(struct access *out, struct people *p)
{
    pthread_mutex_lock(&p->mutex);
    *out =
        (struct access){.user_count = p->access.user_count, .token_count = p->access.token_count};
    out->users = mem_array(out->user_count + 1, sizeof(*out->users));
    out->tokens = mem_array(out->token_count + 1, sizeof(*out->tokens));
    for (size_t i = 0; i < out->user_count; i++) {
        out->users[i] = p->access.users[i];
        out->users[i].name = mem_strdup(p->access.users[i].name);
        out->users[i].password = mem_strdup(p->access.users[i].password);
    }
    for (size_t i = 0; i < out->token_count; i++) {
        out->tokens[i] = p->access.tokens[i];
        out->tokens[i].user = mem_strdup(p->access.tokens[i].user);
        out->tokens[i].label = mem_strdup(p->access.tokens[i].label);
    }
    pthread_mutex_unlock(&p->mutex);
}

int64_t people_wait(struct people *p, const char *address, const char *user)
{
    char key[LIMITER_KEY_MAX];
    int64_t wait, from;

    snprintf(key, sizeof(key), "%s %s", address, user);
    pthread_mutex_lock(&p->mutex);
    wait = limiter_wait(&p->wrong, key);
    from = limiter_wait(&p->from, address);
    pthread_mutex_unlock(&p->mutex);
    return wait > from ? wait : from;
}

void people_count(struct people *p, const char *address, const char *user, bool right)
{
    char key[LIMITER_KEY_MAX];

    snprintf(key, sizeof(key), "%s %s", address, user);
    pthread_mutex_lock(&p->mutex);
    /* One that is right says nothing of the other users that its address tried. */
    if (right) {
        limiter_forget(&p->wrong, key);
    } else {
        limiter_count(&p->wrong, key);
        limiter_count(&p->from, address);
    }
    pthread_mutex_unlock(&p->mutex);
}
