/* SPDX-License-Identifier: MIT */
#include "negotiate.h"

#include <string.h>

enum { OPT_EXPORT_NAME = 1, OPT_ABORT = 2, OPT_STARTTLS = 5 };
enum { FLAGS_KNOWN = 3, FLAG_FIXED = 1 }; /* fixed newstyle, no zeroes */
enum { FLAGS_BYTES = 4, OPTION_BYTES = 16 };
#define NBDMAGIC UINT64_C(0x4e42444d41474943)
#define IHAVEOPT UINT64_C(0x49484156454f5054)
#define REPLYMAGIC UINT64_C(0x0003e889045565a9)
#define REP_ACK UINT32_C(1)
#define REP_ERR_TLS_REQD UINT32_C(0x80000005)

static uint64_t get(const unsigned char *data, int bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | *data++;
    return value;
}

static void put(struct nbd_answer *a, uint64_t value, int bytes)
{
    while (bytes-- > 0)
        a->data[a->len++] = (unsigned char)(value >> (8 * bytes));
}

static void answer(struct nbd_answer *a, uint32_t option, uint32_t type)
{
    put(a, REPLYMAGIC, 8);
    put(a, option, 4);
    put(a, type, 4);
    put(a, 0, 4);
}

void nbd_greet(struct nbd_talk *t, struct nbd_answer *a)
{
    memset(t, 0, sizeof *t);
    t->need = FLAGS_BYTES;
    a->len = 0;
    put(a, NBDMAGIC, 8);
    put(a, IHAVEOPT, 8);
    put(a, FLAGS_KNOWN, 2);
}

static enum nbd_verdict take_flags(struct nbd_talk *t, const unsigned char *data)
{
    uint32_t flags = (uint32_t)get(data, FLAGS_BYTES);
    memcpy(t->flags, data, FLAGS_BYTES);
    t->has_flags = true;
    t->need = OPTION_BYTES;
    return flags & ~(uint32_t)FLAGS_KNOWN || !(flags & FLAG_FIXED) ? NBD_END : NBD_MORE;
}

/* Of an option whose data has come. */
static enum nbd_verdict refuse(struct nbd_talk *t, struct nbd_answer *a)
{
    bool ends = t->option == OPT_ABORT;
    answer(a, t->option, ends ? REP_ACK : REP_ERR_TLS_REQD);
    t->in_option = false;
    t->need = OPTION_BYTES;
    return ends || t->options == NBD_OPTIONS_MAX ? NBD_END : NBD_MORE;
}

static enum nbd_verdict take_option(struct nbd_talk *t, const unsigned char *data,
                                    struct nbd_answer *a)
{
    uint32_t length = (uint32_t)get(data + 12, 4);
    t->option = (uint32_t)get(data + 8, 4);
    t->options++;
    if (get(data, 8) != IHAVEOPT || t->option == OPT_EXPORT_NAME || /* no way to refuse that one */
        length > (t->option == OPT_STARTTLS ? 0 : NBD_NEED_MAX))
        return NBD_END;
    if (t->option == OPT_STARTTLS) {
        answer(a, t->option, REP_ACK);
        return NBD_TLS;
    }
    if (length == 0)
        return refuse(t, a);
    t->in_option = true;
    t->need = length;
    return NBD_MORE;
}

enum nbd_verdict nbd_take(struct nbd_talk *t, const unsigned char *data, struct nbd_answer *a)
{
    a->len = 0;
    if (!t->has_flags)
        return take_flags(t, data);
    return t->in_option ? refuse(t, a) : take_option(t, data, a);
}

bool nbd_is_greeting(const unsigned char data[NBD_GREETING])
{
    return get(data, 8) == NBDMAGIC && get(data + 8, 8) == IHAVEOPT &&
           (get(data + 16, 2) & FLAGS_KNOWN) == FLAGS_KNOWN;
}

bool tls_record_is_whole(const unsigned char *data, size_t bytes)
{
    return bytes >= TLS_RECORD_HEAD && bytes - TLS_RECORD_HEAD >= get(data + 3, 2);
}
