/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/mem.h"
#include "etcd/client.h"

enum { BODY_MAX = 64 << 10 };

void etcd_members_clear(struct etcd_members *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->items[i].name);
        free(m->items[i].peer_url);
        free(m->items[i].client_url);
    }
    free(m->items);
    *m = (struct etcd_members){0};
}

static char *first_text(const struct wire *array)
{
    const struct wire *item = wire_first(array);

    return mem_strdup(item ? wire_as_text(item) : "");
}

int etcd_member_list(struct etcd_members *out, struct etcd *c, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};
    auto_wire struct wire *reply = NULL;
    const struct wire *item;

    *out = (struct etcd_members){0};
    buf_puts(&body, "{}");
    struct call q = {.path = "/v3/cluster/member/list", .body = &body, .kind = CALL_READ};
    if (client_call(&reply, c, &q, NULL, e) < 0)
        return err_wrap(e, "listing the etcd members");
    for (item = wire_first(wire_get(reply, "members")); item; item = wire_next(item)) {
        out->items = mem_grow(out->items, out->count + 1, sizeof(*out->items));
        out->items[out->count++] = (struct etcd_member){
            .id = wire_uint(item, "ID"),
            .name = mem_strdup(wire_text(item, "name")),
            .peer_url = first_text(wire_get(item, "peerURLs")),
            .client_url = first_text(wire_get(item, "clientURLs")),
            .learner = wire_bool(item, "isLearner"),
        };
    }
    return 0;
}
