/* SPDX-License-Identifier: MIT */
#include "etcd/watch.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

void watch_put_requests(struct buf *b, const struct watch *w)
{
    for (size_t i = 0; i < w->o->prefix_count; i++) {
        buf_puts(b, "{\"create_request\":{");
        wire_put_range(b, w->o->prefixes[i]);
        if (w->next[i])
            buf_printf(b, ",\"start_revision\":\"%" PRId64 "\"", w->next[i]);
        /* From 1 on, since a zero would be left out in replies. */
        buf_printf(b, ",\"watch_id\":\"%zu\"}}", i + 1);
    }
}

/*
 * 3.4 says "permission denied" to a watch whose token has expired (3.5 says what it is), so every
 * refusal gets one try with a fresh token before it is believed.
 */
static enum watch_step on_fault(struct watch *w, enum wire_fault fault, const struct err *e)
{
    bool may_be_token = fault == WIRE_FAULT_TOKEN || fault == WIRE_FAULT_AUTH_MOVED ||
                        fault == WIRE_FAULT_AUTH_OFF || (e->code == ERR_AUTH && w->c->token);

    if (fault == WIRE_FAULT_COMPACTED)
        return WATCH_STEP_RELIST;
    if (may_be_token && !w->renewed) {
        w->renewed = true;
        return WATCH_STEP_RENEW;
    }
    return e->code == ERR_AUTH ? WATCH_STEP_FAIL : WATCH_STEP_REOPEN;
}

static enum watch_step on_canceled(struct watch *w, const struct wire *result, struct err *e)
{
    const char *reason = wire_text(result, "cancel_reason");

    if (wire_int(result, "compact_revision") > 0) {
        err_set(e, ERR_CONFLICT, "the revisions up to %" PRId64 " are compacted",
                wire_int(result, "compact_revision"));
        return WATCH_STEP_RELIST;
    }
    if (!*reason) {
        err_set(e, ERR_NET, "etcd ended the watch");
        return WATCH_STEP_REOPEN;
    }
    return on_fault(w, wire_message_fault(reason, -1, e), e);
}

static enum watch_step on_created(struct watch *w, size_t at, int64_t revision, struct err *e)
{
    /* A store that is behind what it delivered before has been restored from a copy. */
    if (w->next[at] > revision + 1) {
        err_set(e, ERR_CONFLICT, "etcd went back from revision %" PRId64 " to %" PRId64,
                w->next[at] - 1, revision);
        return WATCH_STEP_RELIST;
    }
    if (w->next[at] == 0)
        w->next[at] = revision + 1;
    if (w->created < w->o->prefix_count && ++w->created == w->o->prefix_count)
        w->renewed = false;
    return WATCH_STEP_GO_ON;
}

static enum watch_step on_event(struct watch *w, size_t at, const struct wire *event, struct err *e)
{
    struct etcd_event ev = {.deleted = strcmp(wire_text(event, "type"), "DELETE") == 0};
    int64_t revision;
    int enough = 0;

    if (wire_kv(&ev.kv, NULL, wire_get(event, "kv"), e) < 0)
        return WATCH_STEP_REOPEN;
    revision = ev.kv.mod_revision;
    if (revision >= w->next[at])
        enough = w->o->event(w->o->arg, &ev, revision);
    etcd_kv_clear(&ev.kv);
    return enough ? WATCH_STEP_END : WATCH_STEP_GO_ON;
}

/* All events of a revision are in one line: behind the line, the last
 * revision in it is complete. */
static enum watch_step on_events(struct watch *w, size_t at, const struct wire *list, struct err *e)
{
    enum watch_step step = WATCH_STEP_GO_ON;
    const struct wire *event;
    int64_t last = 0;

    for (event = wire_first(list); event && step == WATCH_STEP_GO_ON; event = wire_next(event)) {
        int64_t revision = wire_int(wire_get(event, "kv"), "mod_revision");

        last = revision > last ? revision : last;
        step = on_event(w, at, event, e);
    }
    if (step == WATCH_STEP_GO_ON && last >= w->next[at] && last < INT64_MAX)
        w->next[at] = last + 1;
    return step;
}

static enum watch_step on_result(struct watch *w, const struct wire *result, struct err *e)
{
    const struct wire *header = wire_get(result, "header");
    int64_t id = wire_int(result, "watch_id"), revision = wire_int(header, "revision");
    int64_t cluster = (int64_t)wire_uint(header, "cluster_id");
    bool moved = w->cluster && cluster && cluster != w->cluster;
    enum watch_step step = WATCH_STEP_GO_ON;

    if (wire_bool(result, "canceled"))
        return on_canceled(w, result, e);
    if (cluster)
        w->cluster = cluster;
    if (moved) {
        err_set(e, ERR_CONFLICT, "another etcd cluster answers there now");
        return WATCH_STEP_RELIST;
    }
    if (id < 1 || (uint64_t)id > w->o->prefix_count || revision < 0 || revision == INT64_MAX)
        return WATCH_STEP_GO_ON; /* a progress notice of the whole stream, or nothing we asked */
    if (wire_bool(result, "created"))
        step = on_created(w, (size_t)id - 1, revision, e);
    if (step == WATCH_STEP_GO_ON)
        step = on_events(w, (size_t)id - 1, wire_get(result, "events"), e);
    return step;
}

enum watch_step watch_line(struct watch *w, const char *line, size_t len, struct err *e)
{
    auto_wire struct wire *root = NULL;
    enum wire_fault fault;

    if (len == 0)
        return WATCH_STEP_GO_ON;
    if (wire_parse(&root, line, len, e) < 0) {
        /* Plain text, as when the address is not etcd's. */
        (void)wire_failure(500, line, len, e);
        return WATCH_STEP_REOPEN;
    }
    if (wire_get(root, "result"))
        return on_result(w, wire_get(root, "result"), e);
    fault = wire_failure(500, line, len, e);
    return on_fault(w, fault, e);
}
