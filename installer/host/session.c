/* SPDX-License-Identifier: MIT */
#include "host/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/crypto.h"
#include "host/reason.h"

enum {
    SSH_PORT = 22,
    CHANNELS = 8,   /* sshd's own default allows ten */
    RETRY_MS = 250, /* back-off, doubled up to the next one */
    RETRY_MAX_MS = 30 * 1000,
    REFUSED_MS = 60 * 1000, /* some refused logins lock out everybody behind our address */
    PING_MS = 10 * 1000,    /* to answer */
};

/* ---- the target ---- */

struct session *session_new(const struct host_target *t, const struct hosts_opts *o, struct err *e)
{
    struct session *s;
    char *blob = NULL, *type = NULL;
    size_t len = 0;

    if (t->host_key && crypto_ssh_blob(&blob, &len, &type, t->host_key, e) < 0) {
        err_wrap(e, "%s: host key", t->name);
        return NULL;
    }
    s = mem_alloc(sizeof(*s));
    *s = (struct session){.name = mem_strdup(t->name),
                          .address = mem_strdup(t->address),
                          .port = t->port ? t->port : SSH_PORT,
                          .user = mem_strdup(t->user ? t->user : "root"),
                          .pin = mem_strdup(t->host_key),
                          .key = mem_strdup(t->private_key),
                          .pin_blob = blob,
                          .pin_type = type,
                          .pin_len = len,
                          .o = o,
                          .t.fd = -1,
                          .backoff = {.first_ms = RETRY_MS, .max_ms = RETRY_MAX_MS}};
    return s;
}

/* What belongs to a key exchange libssh2 frees only at the end of that, not with the session. */
static void hang_up(struct session *s)
{
    s->t.cut = true;
    if (s->exchanging)
        libssh2_session_handshake(s->t.ssh, s->t.fd);
    s->exchanging = false;
    transport_close(&s->t);
}

void session_free(struct session *s)
{
    hang_up(s);
    free(s->name);
    free(s->address);
    free(s->user);
    free(s->pin);
    free(s->pin_blob);
    free(s->pin_type);
    mem_wipe_str(s->key);
    free(s);
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool session_is_of(const struct session *s, const struct host_target *t)
{
    return same(s->name, t->name) && same(s->address, t->address) &&
           s->port == (t->port ? t->port : SSH_PORT) && same(s->user, t->user ? t->user : "root") &&
           same(s->pin, t->host_key) && same(s->key, t->private_key);
}

/* ---- logging in ---- */

bool session_is_entering(const struct session *s)
{
    return s->state != SESSION_DOWN && s->state != SESSION_READY;
}

static int prefer(struct session *s, struct err *e)
{
    const struct {
        int method;
        const char *list;
    } methods[] = {{LIBSSH2_METHOD_KEX, REASON_KEX},
                   /* Else both versions of libssh2 prefer a type that is not the pinned one. */
                   {LIBSSH2_METHOD_HOSTKEY, s->pin_type},
                   {LIBSSH2_METHOD_CRYPT_CS, REASON_CIPHERS},
                   {LIBSSH2_METHOD_CRYPT_SC, REASON_CIPHERS},
                   {LIBSSH2_METHOD_MAC_CS, REASON_MACS},
                   {LIBSSH2_METHOD_MAC_SC, REASON_MACS}};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (methods[i].list &&
            libssh2_session_method_pref(s->t.ssh, methods[i].method, methods[i].list) < 0)
            return err_set(e, ERR_CONFIG, "libssh2 %s knows none of %s", libssh2_version(0),
                           methods[i].list);
    return 0;
}

int session_connect(struct session *s, struct err *e)
{
    s->began_ms = clock_now_ms();
    s->state = SESSION_CONNECTING;
    s->limit = CHANNELS;
    s->pinging = false;
    if (!s->first_ms)
        s->first_ms = s->began_ms;
    if (transport_open(&s->t, s->address, s->port, e) < 0)
        return -1;
    return prefer(s, e);
}

static int verify(const struct session *s, struct err *e)
{
    int type;
    size_t len = 0;
    const char *blob = libssh2_session_hostkey(s->t.ssh, &len, &type);

    if (blob && s->pin_blob && len == s->pin_len && memcmp(blob, s->pin_blob, len) == 0)
        return 0;
    return reason_host_key(s, blob, blob ? len : 0, e);
}

/* 1: done, 0: it waits, -1. */
static int handshake(struct session *s, struct err *e)
{
    int code = libssh2_session_handshake(s->t.ssh, s->t.fd);

    s->exchanging = code == LIBSSH2_ERROR_EAGAIN;
    if (code == LIBSSH2_ERROR_EAGAIN)
        return 0;
    if (code < 0)
        return reason_set(s, code, e);
    if (verify(s, e) < 0)
        return -1;
    s->state = SESSION_AUTH;
    return 1;
}

static int authenticate(struct session *s, struct err *e)
{
    int code = libssh2_userauth_publickey_frommemory(s->t.ssh, s->user, strlen(s->user), NULL, 0,
                                                     s->key, strlen(s->key), NULL);

    if (code == LIBSSH2_ERROR_EAGAIN)
        return 0;
    /* Refused, or lost meanwhile, which libssh2 gives one of two codes. */
    if (code < 0)
        return reason_set(s, code, e);
    s->state = SESSION_READY;
    s->first_ms = 0;
    s->last = (struct err){0};
    return 1;
}

int session_enter(struct session *s, struct err *e)
{
    int r = 1;

    if (s->state == SESSION_CONNECTING) {
        if (transport_connected(&s->t, e) < 0)
            return -1;
        s->state = SESSION_HANDSHAKE;
    }
    if (s->state == SESSION_HANDSHAKE)
        r = handshake(s, e);
    if (r == 1 && s->state == SESSION_AUTH)
        r = authenticate(s, e);
    return r < 0 ? -1 : 0;
}

/* ---- alive ---- */

/* sshd refuses a channel of a type that it does not know, at once and without a trace; libssh2's
 * own keep-alive leaks its answers. */
static int ping(struct session *s, struct err *e)
{
    static const char type[] = "ping@slipway";
    LIBSSH2_CHANNEL *c =
        libssh2_channel_open_ex(s->t.ssh, type, sizeof(type) - 1, LIBSSH2_CHANNEL_WINDOW_DEFAULT,
                                LIBSSH2_CHANNEL_PACKET_DEFAULT, NULL, 0);
    int code = c ? 0 : libssh2_session_last_errno(s->t.ssh);

    if (code == LIBSSH2_ERROR_EAGAIN)
        return 0;
    s->pinging = false;
    if (code != LIBSSH2_ERROR_CHANNEL_FAILURE || s->t.cut)
        return code < 0 ? reason_set(s, code, e)
                        : err_set(e, ERR_REMOTE, "sshd opened a channel that nobody knows");
    return 0;
}

int session_ping(struct session *s, bool heard, struct err *e)
{
    int64_t now = clock_now_ms();

    if (!s->pinging && !s->opener && (heard || now - s->t.heard_ms >= s->o->quiet_ms)) {
        s->pinging = true;
        s->ping_ms = now;
    }
    if (!s->pinging)
        return 0;
    if (now - s->ping_ms >= PING_MS)
        return reason_silent(s, PING_MS, e);
    return ping(s, e);
}

int64_t session_deadline(const struct session *s)
{
    if (s->state == SESSION_DOWN)
        return s->tasks ? s->retry_at : CLOCK_NEVER;
    if (s->state != SESSION_READY)
        return s->began_ms + s->o->connect_ms;
    if (s->pinging)
        return s->ping_ms + PING_MS;
    return s->opener ? CLOCK_NEVER : s->t.heard_ms + s->o->quiet_ms; /* session_ping waits, too */
}

void session_drop(struct session *s, const struct err *why)
{
    int64_t pause = why->code == ERR_AUTH ? REFUSED_MS : clock_backoff_next(&s->backoff);

    hang_up(s);
    s->retry_at = clock_deadline(pause);
    s->last = *why;
    s->state = SESSION_DOWN;
    s->opener = NULL;
    s->pinging = false;
}
