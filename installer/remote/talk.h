/* SPDX-License-Identifier: MIT */
/*
 * HTTPS with deadlines to one server; the only user of libcurl here. The server is who it says it
 * is by the pin of its key, or by a certificate that a trusted authority signed for its name: one
 * of the two is checked always. Redirects are not followed, and no proxy is asked: the token goes
 * to that server alone.
 */
#ifndef REMOTE_TALK_H
#define REMOTE_TALK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/until.h"

struct talk_target {
    const char *url; /* "https://host:port" */
    const char *pin; /* "sha256//BASE64" of its public key, or NULL */
    const char *ca;  /* file of authorities, PEM; NULL: the system's, or with a pin none */
};

struct talk_request {
    const char *method, *path; /* with its query, encoded */
    const char *body;          /* JSON, or NULL */
    const char *token;
    const char *tag; /* for If-Match, or NULL */
    struct until until;
    /* For an answer without an end: gets pieces of a good one's body as they come, and returns
     * whether more is wanted. NULL: the body goes to the answer. */
    bool (*piece)(void *arg, const char *data, size_t len);
    void *arg;
};

enum { TALK_WORD_MAX = 100, TALK_BODY_MAX = 32 << 20 };

struct talk_answer {
    long status;                  /* 0: none */
    char type[TALK_WORD_MAX + 1]; /* of its content, without parameters */
    char tag[TALK_WORD_MAX + 1];  /* ETag as it was sent, "" without */
    struct buf body;              /* at most TALK_BODY_MAX; talk_answer_clear */
    bool sent;                    /* the request may have reached the server, whatever came back */
};
/* Frees what is in it. */
void talk_answer_clear(struct talk_answer *a);

struct talk;
/* *out owned, talk_close; it connects with the first request. */
int talk_open(struct talk **out, const struct talk_target *target, struct err *e);
void talk_close(struct talk *t);
/* 0: an answer came, whatever it says. ERR_NET, ERR_TIMEOUT, ERR_INTERRUPTED, ERR_AUTH for a server
 * that is not trusted, ERR_REMOTE for what is not HTTP or too long. *a is to be cleared in every
 * case. A first cancel ends what only reads; what changes something, the second one. */
int talk_ask(struct talk_answer *a, struct talk *t, const struct talk_request *q, struct err *e);

#endif
