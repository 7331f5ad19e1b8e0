/* SPDX-License-Identifier: MIT */
/*
 * Who may use the controller of an environment: users with a role, and tokens. They are kept in
 * etcd; of a password only its scrypt and of a token only its digest, so who reads etcd can log in
 * as nobody. Sessions of browsers are tokens too. The command line makes the first token, the
 * controller everything else.
 */
#ifndef ENV_ACCESS_H
#define ENV_ACCESS_H

#include "env/env.h"

/* Each may what those before it may. METRICS reads figures and nothing else. */
enum access_role {
    ACCESS_ROLE_ANYBODY,
    ACCESS_ROLE_METRICS,
    ACCESS_ROLE_VIEWER,
    ACCESS_ROLE_OPERATOR,
    ACCESS_ROLE_ADMIN,
};
/* "viewer", ... Static. */
const char *access_role_name(enum access_role r);
/* False: there is none of that name, or nobody can have it (anybody). `name` may be NULL. */
bool access_role_parse(enum access_role *out, const char *name);

enum access_kind {
    ACCESS_KIND_API,     /* of a program */
    ACCESS_KIND_SESSION, /* of a browser */
    ACCESS_KIND_ONCE,    /* begins one session, and is gone */
};
/* "api", ... Static. */
const char *access_kind_name(enum access_kind k);

struct access_user {
    char *name, *password; /* as crypto_password_hash keeps it */
    enum access_role role;
    int64_t created, changed; /* wall time, ms */
    int64_t revision;         /* of the key */
};

struct access_token {
    char id[17], digest[65]; /* of the token; the id is the beginning of the digest */
    char parent[17];         /* id of the token that it was made from, and ends with; "" none */
    enum access_kind kind;
    char *user, *label;
    enum access_role role;    /* what it may at most; its user's role counts too */
    int64_t created, expires; /* wall time, ms */
};

/* Both sorted by name and id. */
struct access {
    struct access_user *users;
    size_t user_count;
    struct access_token *tokens;
    size_t token_count;
};

/* What etcd holds of the environment. Entries that cannot be read are left out. */
int access_load(struct access *out, struct etcd *c, const char *env, struct err *e);
void access_clear(struct access *a);
/* Borrowed, or NULL. */
const struct access_user *access_user(const struct access *a, const char *name);
/* Of a token's text, or by its id; expired ones count as well. */
const struct access_token *access_token(const struct access *a, const char *text);
const struct access_token *access_token_by_id(const struct access *a, const char *id);

/* 1 to 40 of a-z 0-9 . _ -, beginning with a letter; not "first", whose the first token is. */
bool access_user_is_valid(const char *name);
#define ACCESS_FIRST "first"

/* Stores a user; `password` NULL: as it is, else the user's tokens and sessions go with the old
 * one, but for the one whose id is `keep` (NULL: none). ERR_CONFLICT when its key is not at
 * `revision` any more (0: when there is one), or no admin would be left. */
struct access_change {
    const char *name, *password, *keep;
    enum access_role role;
    int64_t revision;
};
int access_put_user(struct etcd *c, const char *env, const struct access *now,
                    const struct access_change *u, struct err *e);
/* With its tokens and sessions. ERR_NOTFOUND; ERR_CONFLICT: as above. */
int access_remove_user(struct etcd *c, const char *env, const struct access *now, const char *name,
                       struct err *e);

/* Makes a token: *text is the only place where it is, owned; wipe it. */
struct access_grant {
    enum access_kind kind;
    enum access_role role;
    const char *user, *label;
    const char *parent; /* id of the token that it ends with; NULL: none */
    int64_t expires;    /* wall time, ms */
};
int access_make_token(char **text, struct access_token *made, struct etcd *c, const char *env,
                      const struct access_grant *g, struct err *e);
/* ERR_NOTFOUND when it is gone: of two who use a token that counts once, one gets that. */
int access_remove_token(struct etcd *c, const char *env, const char *id, struct err *e);
/* Of those that were loaded the expired ones go: they are good for nothing, and would stay for
 * ever. What fails is logged. */
void access_remove_expired(struct etcd *c, const char *env, const struct access *now);
void access_token_clear(struct access_token *t);

/* A token that begins one session as admin, within a day: what `up` prints, and `open` each time.
 * Needs NAME and ETCD. */
int access_first_token(char **text, const struct env *env, struct err *e);

#endif
