/* SPDX-License-Identifier: MIT */
/*
 * A token is fetched when the first call needs one and again when etcd does not know it any more:
 * it forgets them after --auth-token-ttl without use, at a restart, and when the password changes.
 */
#include <string.h>

#include "base/mem.h"
#include "etcd/client.h"

void token_drop(struct etcd *c)
{
    mem_wipe_str(steal(c->token));
}

int token_ensure(struct etcd *c, struct err *e)
{
    auto_buf struct buf body = {.max = 2 * LINK_MAX * 6};
    auto_wire struct wire *reply = NULL;
    enum wire_fault fault;

    if (c->token || c->auth_off || !c->link->user || !c->link->password)
        return 0;
    buf_putc(&body, '{');
    wire_put_text(&body, "name", c->link->user);
    buf_putc(&body, ',');
    wire_put_text(&body, "password", c->link->password);
    buf_putc(&body, '}');
    struct call q = {
        .path = "/v3/auth/authenticate", .body = &body, .kind = CALL_READ, .tokenless = true};
    if (client_call(&reply, c, &q, &fault, e) < 0) {
        if (fault == WIRE_FAULT_AUTH_OFF) {
            c->auth_off = true;
            return 0;
        }
        return err_wrap(e, "user %s", c->link->user);
    }
    if (!*wire_text(reply, "token"))
        return err_set(e, ERR_REMOTE, "etcd gave no token to user %s", c->link->user);
    c->token = mem_strdup(wire_text(reply, "token"));
    return 0;
}

bool token_mend(struct etcd *c, enum wire_fault fault)
{
    bool had = c->token != NULL;

    token_drop(c);
    if (fault == WIRE_FAULT_AUTH_OFF) {
        c->auth_off = true;
        return had;
    }
    c->auth_off = false;
    return c->link->user && c->link->password;
}
