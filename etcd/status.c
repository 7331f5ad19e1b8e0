/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "etcd/client.h"

enum { BODY_MAX = 1024, DEFRAGMENT_MS = 60000 };

void etcd_status_clear(struct etcd_status *s)
{
    free(s->version);
    *s = (struct etcd_status){0};
}

/* The alarms come as text: "memberID:10501334649042878790 alarm:NOSPACE ". */
static void read_alarms(struct etcd_status *s, const struct wire *reply)
{
    const struct wire *item;

    for (item = wire_first(wire_get(reply, "errors")); item; item = wire_next(item)) {
        s->alarm_nospace = s->alarm_nospace || strstr(wire_as_text(item), "NOSPACE");
        s->alarm_corrupt = s->alarm_corrupt || strstr(wire_as_text(item), "CORRUPT");
    }
}

int etcd_status_get(struct etcd_status *out, struct etcd *c, size_t endpoint, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};
    auto_wire struct wire *reply = NULL;

    *out = (struct etcd_status){0};
    if (endpoint >= c->endpoint_count)
        return err_set(e, ERR_USAGE, "there is no etcd endpoint %zu", endpoint);
    buf_puts(&body, "{}");
    struct call q = {.path = "/v3/maintenance/status",
                     .body = &body,
                     .kind = CALL_READ,
                     .endpoint = endpoint,
                     .fixed = true};
    if (client_call(&reply, c, &q, NULL, e) < 0)
        return err_wrap(e, "asking for the state of etcd");
    const struct wire *header = wire_get(reply, "header");
    *out = (struct etcd_status){
        .version = mem_strdup(wire_text(reply, "version")),
        .leader = wire_uint(reply, "leader"),
        .member = wire_uint(header, "member_id"),
        .db_size = wire_int(reply, "dbSize"),
        .db_in_use = wire_int(reply, "dbSizeInUse"),
        .revision = wire_int(header, "revision"),
        .raft_term = wire_int(reply, "raftTerm"),
    };
    read_alarms(out, reply);
    return 0;
}

int etcd_compact(struct etcd *c, int64_t revision, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};
    struct err why;
    enum wire_fault fault;
    auto_wire struct wire *reply = NULL;

    buf_printf(&body, "{\"revision\":\"%" PRId64 "\"}", revision);
    struct call q = {.path = "/v3/kv/compaction", .body = &body, .kind = CALL_SAFE};
    /* Compacted already is what was wanted. */
    if (client_call(&reply, c, &q, &fault, &why) == 0 || fault == WIRE_FAULT_COMPACTED)
        return 0;
    *e = why;
    return err_wrap(e, "compacting etcd up to revision %" PRId64, revision);
}

int etcd_defragment(struct etcd *c, size_t endpoint, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};

    if (endpoint >= c->endpoint_count)
        return err_set(e, ERR_USAGE, "there is no etcd endpoint %zu", endpoint);
    buf_puts(&body, "{}");
    struct call q = {.path = "/v3/maintenance/defragment",
                     .body = &body,
                     .kind = CALL_SAFE,
                     .timeout_ms = DEFRAGMENT_MS,
                     .endpoint = endpoint,
                     .fixed = true};
    return client_do(c, &q, e) < 0 ? err_wrap(e, "defragmenting etcd") : 0;
}

static int disarm(struct etcd *c, uint64_t member, const char *alarm, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};

    buf_printf(&body, "{\"action\":\"DEACTIVATE\",\"memberID\":\"%" PRIu64 "\",", member);
    wire_put_text(&body, "alarm", alarm);
    buf_putc(&body, '}');
    struct call q = {.path = "/v3/maintenance/alarm", .body = &body, .kind = CALL_SAFE};
    return client_do(c, &q, e);
}

int etcd_alarm_disarm(struct etcd *c, struct err *e)
{
    auto_buf struct buf body = {.max = BODY_MAX};
    auto_wire struct wire *reply = NULL;
    const struct wire *item;

    buf_puts(&body, "{\"action\":\"GET\"}");
    struct call q = {.path = "/v3/maintenance/alarm", .body = &body, .kind = CALL_READ};
    if (client_call(&reply, c, &q, NULL, e) < 0)
        return err_wrap(e, "asking etcd for its alarms");
    /* One by one: there is no request for all of them. */
    for (item = wire_first(wire_get(reply, "alarms")); item; item = wire_next(item))
        if (disarm(c, wire_uint(item, "memberID"), wire_text(item, "alarm"), e) < 0)
            return err_wrap(e, "disarming the alarm %s of etcd", wire_text(item, "alarm"));
    return 0;
}
