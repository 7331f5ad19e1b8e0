/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "etcd/client.h"

enum { PROBE_MS = 3000 };

int etcd_probe(bool *refused, struct etcd *c, const char *path, const char *body, struct err *e)
{
    auto_buf struct buf text = {.max = WIRE_REQUEST_MAX};
    auto_wire struct wire *reply = NULL;

    *refused = false;
    buf_puts(&text, body);
    struct call q = {.path = path,
                     .body = &text,
                     .kind = CALL_ONCE,
                     .reply_max = 64 << 10,
                     .timeout_ms = PROBE_MS};
    if (client_call(&reply, c, &q, NULL, e) == 0)
        return 0;
    *refused = e->code == ERR_AUTH;
    return e->code == ERR_NET ? err_wrap(e, "%s", path) : 0;
}
