/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "engine/api.h"
#include "engine/engine.h"
#include "engine/ndjson.h"
#include "engine/url.h"

/* Named one by one: exec_* events of health probes would flood the feed, and a slow reader loses
 * events. */
static const char *const wanted[] = {"create",  "start", "die",     "stop",
                                     "kill",    "oom",   "destroy", "rename",
                                     "restart", "pause", "unpause", "health_status"};

static const struct shape actor_members[] = {
    {.name = "Attributes", .kind = NODE_KIND_MAP, .each = &shape_text},
    {0},
};
static const struct shape event_members[] = {
    {.name = "Action", .kind = NODE_KIND_STRING, .need = SHAPE_MUST},
    {.name = "Actor", .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = actor_members},
    {0},
};
static const struct shape event = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = event_members};

struct feed {
    struct until until;
    const struct engine_event_opts *o;
    struct ndjson values;
};

static int on_value(void *arg, const struct node *n, struct err *e)
{
    const struct feed *f = arg;

    if (shape_check(n, &event, "GET /events", e) < 0)
        return -1;
    f->o->event(f->o->arg, n);
    return 0;
}

static int on_chunk(void *arg, const char *p, size_t len, struct err *e)
{
    struct feed *f = arg;

    return ndjson_feed(&f->values, p, len, e);
}

static bool on_stop(void *arg)
{
    const struct feed *f = arg;

    return until_is_cancelled(f->until) || (f->o->stop && f->o->stop(f->o->arg));
}

static char *events_path(const char *label)
{
    auto_node struct node *filters = node_new_map();
    auto_buf struct buf path;

    buf_init(&path, 64 << 10);
    struct node *events = node_set(filters, "event", node_new_list());
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        node_add_text(events, wanted[i]);
    node_add_text(node_set(filters, "type", node_new_list()), "container");
    if (label)
        node_add_text(node_set(filters, "label", node_new_list()), label);
    auto_free char *text = json_text(filters);
    buf_puts(&path, "/events?filters=");
    url_escape(&path, text, "");
    return buf_take(&path);
}

int engine_events(struct engine *g, const struct engine_event_opts *o, struct err *e)
{
    struct feed f = {.until = engine_until(g), .o = o};
    auto_free char *path = events_path(o->label);
    struct api_request q = {.method = "GET",
                            .path = path,
                            .deadline = CLOCK_NEVER,
                            .chunk = on_chunk,
                            .stop = on_stop,
                            .arg = &f};

    ndjson_init(&f.values, on_value, &f);
    int r = api_call(NULL, g, &q, e);
    ndjson_clear(&f.values);
    if (r == 0 && !on_stop(&f))
        r = err_set(e, ERR_NET, "Docker ended the stream");
    return r < 0 ? err_wrap(e, "watching events") : 0;
}
