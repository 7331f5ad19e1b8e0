/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
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

int etcd_member_add(struct etcd *c, const char *peer_url, bool learner, uint64_t *id, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};
    auto_buf struct buf url = {.max = BODY_MAX};
    auto_wire struct wire *reply = NULL;

    *id = 0;
    wire_put_text(&url, "", peer_url);
    /* The text alone, without its empty name. */
    buf_printf(&body, "{\"peerURLs\":[%s],\"isLearner\":%s}", buf_str(&url) + 3,
               learner ? "true" : "false");
    struct call q = {.path = "/v3/cluster/member/add", .body = &body, .kind = CALL_ONCE};
    if (client_call(&reply, c, &q, NULL, e) < 0)
        return err_wrap(e, "adding the etcd member at %s", peer_url);
    *id = wire_uint(wire_get(reply, "member"), "ID");
    return 0;
}

static int post_id(struct etcd *c, const char *path, uint64_t id, const char *verb, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};

    buf_printf(&body, "{\"ID\":\"%" PRIu64 "\"}", id);
    struct call q = {.path = path, .body = &body, .kind = CALL_ONCE};
    if (client_do(c, &q, e) < 0)
        return err_wrap(e, "%s the etcd member %" PRIx64, verb, id);
    return 0;
}

int etcd_member_promote(struct etcd *c, uint64_t id, struct err *e)
{
    return post_id(c, "/v3/cluster/member/promote", id, "promoting", e);
}

int etcd_member_remove(struct etcd *c, uint64_t id, struct err *e)
{
    return post_id(c, "/v3/cluster/member/remove", id, "removing", e);
}
