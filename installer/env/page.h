/* SPDX-License-Identifier: MIT */
/* The page of the environment's controller: where it is, how it is known, and the way in. */
#ifndef ENV_PAGE_H
#define ENV_PAGE_H

#include "env/env.h"

struct page {
    char *instance; /* the controller's */
    char *url;      /* "https://127.0.0.1:20443/" */
    char pin[64];   /* of its own certificate's key, "sha256//BASE64" */
};

/*
 * Asks Docker where the controller is published. Needs NAME, KEY and ENGINE. ERR_NOTFOUND: the
 * environment has none; ERR_NET: it does not run, or is published nowhere. page_clear in every
 * case.
 */
int page_find(struct page *out, struct env *env, struct err *e);
void page_clear(struct page *p);

/* A new token that begins one session as admin, within a day. Opens etcd with the containers that
 * there are now. Owned; wipe it. */
int page_token(char **out, struct env *env, struct err *e);
/* The same when nobody has been given any access yet, else *out stays NULL. */
int page_first_token(char **out, struct env *env, struct err *e);

#endif
