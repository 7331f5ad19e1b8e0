/* SPDX-License-Identifier: MIT */
/*
 * NBD up to the client's request for TLS ("Fixed newstyle negotiation"): what the server says and
 * what it makes of the client's bytes. No input and no output here, so that a fuzzer can have it.
 */
#ifndef NBDTLS_NEGOTIATE_H
#define NBDTLS_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NBD_GREETING = 18, /* bytes of the server's first words */
    NBD_OPTIONS_MAX = 32,
    NBD_NEED_MAX = 8192, /* an option has no more */
    NBD_ANSWER_MAX = 20,
    TLS_RECORD_HEAD = 5,
};

enum nbd_verdict {
    NBD_MORE, /* `need` more bytes, not one beyond: the next one may be TLS */
    NBD_TLS,  /* the client begins the handshake behind the answer */
    NBD_END,  /* the answer, if any, and nothing more */
};

struct nbd_talk {
    size_t need;            /* of the client's next bytes; never 0 and never over NBD_NEED_MAX */
    unsigned char flags[4]; /* the client's, as it sent them: the daemon gets them */
    bool has_flags, in_option;
    uint32_t option;
    int options;
};
struct nbd_answer {
    unsigned char data[NBD_ANSWER_MAX];
    size_t len; /* 0: nothing to say */
};

/* Begins; *a is the greeting. */
void nbd_greet(struct nbd_talk *t, struct nbd_answer *a);
/* Takes the t->need bytes that were asked for. */
enum nbd_verdict nbd_take(struct nbd_talk *t, const unsigned char *data, struct nbd_answer *a);
/* Whether a daemon greets as one that can be talked to the same way. */
bool nbd_is_greeting(const unsigned char data[NBD_GREETING]);
/* Whether a TLS record is there to its end. */
bool tls_record_is_whole(const unsigned char *data, size_t bytes);

#endif
