/* SPDX-License-Identifier: MIT */
#include "etcd/client.h"

static void put_lease(struct buf *b, int64_t lease)
{
    buf_printf(b, "{\"ID\":\"%lld\"}", (long long)lease);
}

int etcd_lease_grant(struct etcd *c, int64_t ttl_s, int64_t *lease, struct err *e)
{
    auto_buf struct buf body = {.max = WIRE_REQUEST_MAX};
    auto_wire struct wire *reply = NULL;

    *lease = 0;
    buf_printf(&body, "{\"TTL\":\"%lld\"}", (long long)ttl_s);
    /* Granted twice, the first one runs out by itself. */
    struct call q = {.path = "/v3/lease/grant", .body = &body, .kind = CALL_SAFE};
    if (client_call(&reply, c, &q, NULL, e) < 0)
        return err_wrap(e, "asking for a lease of %lld s", (long long)ttl_s);
    *lease = wire_int(reply, "ID");
    if (*lease == 0)
        return err_set(e, ERR_REMOTE, "asking for a lease: etcd gave no number");
    return 0;
}

int etcd_lease_keepalive(struct etcd *c, int64_t lease, struct err *e)
{
    auto_buf struct buf body = {.max = WIRE_REQUEST_MAX};
    auto_wire struct wire *reply = NULL;

    put_lease(&body, lease);
    struct call q = {.path = "/v3/lease/keepalive", .body = &body, .kind = CALL_SAFE};
    if (client_call(&reply, c, &q, NULL, e) < 0)
        return err_wrap(e, "keeping lease %llx", (unsigned long long)lease);
    /* A lease that is gone is answered like one that lives, but without a TTL. */
    if (wire_int(wire_get(reply, "result"), "TTL") <= 0)
        return err_set(e, ERR_NOTFOUND, "keeping lease %llx: it has run out",
                       (unsigned long long)lease);
    return 0;
}

int etcd_lease_revoke(struct etcd *c, int64_t lease, struct err *e)
{
    auto_buf struct buf body = {.max = WIRE_REQUEST_MAX};

    put_lease(&body, lease);
    struct call q = {.path = "/v3/lease/revoke", .body = &body, .kind = CALL_SAFE};
    if (client_do(c, &q, e) < 0)
        return err_wrap(e, "giving up lease %llx", (unsigned long long)lease);
    return 0;
}
