/* SPDX-License-Identifier: MIT */
#include "host/reason.h"

#include <string.h>

#include "crypto/crypto.h"

int reason_wrap(const struct session *s, struct err *e)
{
    if (s->port == 22)
        return err_wrap(e, "%s (%s)", s->name, s->address);
    return err_wrap(e, "%s (%s port %d)", s->name, s->address, s->port);
}

/* What comes before it, an sshd that has too many logins says why. */
static bool has_banner(const struct session *s)
{
    const char *banner = s->t.ssh ? libssh2_session_banner_get(s->t.ssh) : NULL;

    return banner && strncmp(banner, "SSH-", 4) == 0;
}

static const char *phase(const struct session *s)
{
    switch (s->state) {
    case SESSION_CONNECTING:
        return "connecting";
    case SESSION_HANDSHAKE:
        return has_banner(s) ? "in the key exchange" : "waiting for sshd's banner";
    case SESSION_AUTH:
        return "authenticating";
    default:
        return s->opener ? "opening a session" : "from the other side";
    }
}

static int lost(const struct session *s, struct err *e)
{
    const char *sys = s->t.sys ? strerror(s->t.sys) : "closed by the other side";

    if (s->state == SESSION_HANDSHAKE && !has_banner(s))
        return err_set(e, ERR_NET,
                       "sshd ended the connection before its banner (%s): it takes no more logins "
                       "for the moment, or has locked out this address after failed ones",
                       sys);
    if (s->state == SESSION_READY)
        return err_set(e, ERR_NET, "the connection was lost: %s", sys);
    return err_set(e, ERR_NET, "the connection was lost %s: %s", phase(s), sys);
}

int reason_set(const struct session *s, int code, struct err *e)
{
    char *text = NULL;

    if (s->t.ssh)
        libssh2_session_last_error(s->t.ssh, &text, NULL, 0);
    switch (code) {
    case LIBSSH2_ERROR_INVALID_MAC:
    case LIBSSH2_ERROR_DECRYPT:
        return err_set(e, ERR_NET, "the connection was given up: data was damaged on its way");
    case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
    case LIBSSH2_ERROR_KEX_FAILURE:
        return err_set(e, ERR_REMOTE,
                       "sshd shares no algorithms with us (%s); offered: key exchange %s; host key "
                       "%s; ciphers %s; MACs %s",
                       text ? text : "", REASON_KEX, s->pin_type ? s->pin_type : "any",
                       REASON_CIPHERS, REASON_MACS);
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED:
        return err_set(e, ERR_AUTH, HOST_REFUSED " for user %s", s->user);
    case LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED:
        return err_set(e, ERR_REMOTE, "sshd refused to run the command");
    case LIBSSH2_ERROR_ALLOC:
        return err_set(e, ERR_SYS, "libssh2 has no memory");
    default:
        break;
    }
    if (s->t.cut) /* the code only says what was going on */
        return lost(s, e);
    if (code == LIBSSH2_ERROR_CHANNEL_FAILURE)
        return err_set(e, ERR_REMOTE, "sshd allows no session (%s)", text ? text : "");
    return err_set(e, ERR_NET, "SSH failed %s: %s (libssh2 %d)", phase(s), text ? text : "", code);
}

int reason_host_key(const struct session *s, const void *shown, size_t len, struct err *e)
{
    char seen[CRYPTO_SSH_FINGERPRINT_LEN], pinned[CRYPTO_SSH_FINGERPRINT_LEN];

    crypto_ssh_fingerprint(seen, shown, len);
    if (!s->pin_blob)
        return err_set(e, ERR_AUTH, "no host key is known for it; it shows %s; not accepted", seen);
    crypto_ssh_fingerprint(pinned, s->pin_blob, s->pin_len);
    return err_set(e, ERR_AUTH,
                   "it shows another host key than its own: %s instead of %s; something else "
                   "answers at this address, or its keys were changed; not accepted",
                   seen, pinned);
}

int reason_silent(const struct session *s, int64_t after_ms, struct err *e)
{
    char span[32];

    clock_format_span(span, after_ms);
    return err_set(e, ERR_TIMEOUT, "no answer for %s %s", span, phase(s));
}
