/* SPDX-License-Identifier: MIT */
/* What a client says to slipway-nbd-tls before TLS: no crash, no more read than was asked for, one
 * answer for each option, TLS only behind a request for it, and never without end. */
#include <stdlib.h>
#include <string.h>

#include "../../dockerfiles/volumedriver/nbdtls/negotiate.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct nbd_talk *t, const struct nbd_answer *a, enum nbd_verdict v)
{
    if (a->len != 0 && (a->len != NBD_ANSWER_MAX || get(a->data, 8) != REPLYMAGIC ||
                        get(a->data + 8, 4) != t->option))
        abort();
    if (v == NBD_TLS && (t->option != OPT_STARTTLS || get(a->data + 12, 4) != REP_ACK))
        abort();
    if (v != NBD_TLS && a->len != 0 && t->option != OPT_ABORT &&
        get(a->data + 12, 4) != REP_ERR_TLS_REQD)
        abort();
    if (v == NBD_MORE && (t->need == 0 || t->need > NBD_NEED_MAX))
        abort();
}

/* The same bytes, read the way the protocol's text says: how long they are up to the request for
 * TLS, which is the last option. */
static size_t length_to_tls(const uint8_t *data, size_t size)
{
    size_t at = FLAGS_BYTES;

    while (at + OPTION_BYTES <= size) {
        uint32_t option = (uint32_t)get(data + at + 8, 4),
                 length = (uint32_t)get(data + at + 12, 4);

        at += OPTION_BYTES;
        if (option == OPT_STARTTLS)
            return length == 0 ? at : 0;
        if (length > size - at)
            return 0;
        at += length;
    }
    return 0;
}

static void look_at_the_rest(const uint8_t *data, size_t size)
{
    if (tls_record_is_whole(data, size) &&
        size < TLS_RECORD_HEAD + (((size_t)data[3] << 8) | data[4]))
        abort();
    if (size >= NBD_GREETING)
        (void)nbd_is_greeting(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum nbd_verdict v = NBD_MORE;
    struct nbd_answer a;
    struct nbd_talk t;
    size_t at = 0;
    int answers = 0;

    look_at_the_rest(data, size);
    nbd_greet(&t, &a);
    if (a.len != NBD_GREETING || !nbd_is_greeting(a.data))
        abort();
    while (v == NBD_MORE && t.need <= size - at) {
        /* A copy of just that length: what reads beyond it is seen. */
        size_t bytes = t.need;
        unsigned char *piece = malloc(bytes);

        if (!piece)
            abort();
        memcpy(piece, data + at, bytes);
        at += bytes;
        v = nbd_take(&t, piece, &a);
        check_answer(&t, &a, v);
        answers += a.len != 0;
        free(piece);
    }
    if (t.options > NBD_OPTIONS_MAX || answers > t.options ||
        at > FLAGS_BYTES + NBD_OPTIONS_MAX * (size_t)(OPTION_BYTES + NBD_NEED_MAX))
        abort();
    if (v == NBD_TLS && (at != length_to_tls(data, size) || answers != t.options ||
                         memcmp(t.flags, data, FLAGS_BYTES) != 0))
        abort();
    return 0;
}
