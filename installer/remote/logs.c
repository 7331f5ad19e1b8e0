/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "remote/call.h"
#include "remote/reply.h"

struct reader {
    const struct remote_logs *l;
    struct strv names;
    bool begun, ended; /* the first line was there; the last one was */
    bool enough;       /* nobody wants more */
};

static int begin(struct reader *r, const struct node *n, struct err *e)
{
    const struct node *list = node_get(n, "instances"), *name;

    if (r->begun || !list)
        return reply_rows(NULL, "", e);
    node_for_each (name, list) {
        auto_node struct node *one = node_new_map();

        node_set(one, "instance", node_copy(name));
        if (reply_map(one, "instance", e) < 0)
            return -1;
        strv_add(&r->names, name->text);
    }
    r->begun = true;
    r->l->begin(r->l->o.arg, &r->names);
    return 0;
}

static int source_of(size_t *out, const struct reader *r, const char *instance, struct err *e)
{
    for (size_t i = 0; i < r->names.count; i++)
        if (strcmp(r->names.items[i], instance) == 0) {
            *out = i;
            return 0;
        }
    return err_set(e, ERR_REMOTE, "the server sends lines of an instance that was not asked for");
}

/* {"instances"} first, then {"instance","stream","time","text"}, at the end {"end"} or
 * {"error"}. */
static int on_line(void *arg, const char *text, size_t len, struct err *e)
{
    struct reader *r = arg;
    auto_node struct node *n = NULL;
    auto_free char *whole = NULL;
    struct logs_line line = {0};

    if (json_parse(&n, "a line of the server", text, len, e) < 0) {
        e->code = ERR_REMOTE;
        return -1;
    }
    if (node_get_text(n, "error"))
        return err_set(e, reply_code(node_get_text(n, "code") ? node_get_text(n, "code") : ""),
                       "%s", node_get_text(n, "error"));
    if (!r->begun)
        return begin(r, n, e);
    r->ended = node_get_bool(n, "end", false);
    if (r->ended)
        return 0;
    if (reply_map(n, "instance time", e) < 0 ||
        source_of(&line.source, r, node_get_text(n, "instance"), e) < 0)
        return -1;
    whole = mem_printf("%s %s", node_get_text(n, "time"),
                       node_get_text(n, "text") ? node_get_text(n, "text") : "");
    line.stream = node_get_int(n, "stream", 1) == 2 ? 2 : 1;
    line.text = whole;
    line.len = strlen(whole);
    r->enough = !r->l->o.line(r->l->o.arg, &line);
    return r->enough ? 1 : 0;
}

int remote_logs_read(struct remote *there, const struct strv *words, const struct remote_logs *l,
                     struct err *e)
{
    char tail[16];
    struct reader reader = {.l = l};
    const struct call_lines lines = {on_line, &reader};
    const struct call c = {.route = CALL_logs,
                           .params = {{"format", "named"},
                                      {"follow", l->o.follow ? "true" : NULL},
                                      {"tail", l->o.tail < 0 ? NULL : tail},
                                      {"since", l->o.since},
                                      {"until", l->o.until}},
                           .words = words};
    int r;

    snprintf(tail, sizeof(tail), "%d", l->o.tail);
    r = call_stream(there, &c, &lines, e);
    if (r == 0 && !reader.begun)
        r = err_set(e, ERR_REMOTE, "%s: no slipwayd of this version: it says nothing",
                    remote_place(there));
    else if (r == 0 && !reader.ended && !reader.enough)
        r = err_set(e, ERR_NET, "%s: the log was cut: it came without its end",
                    remote_place(there));
    else if (r < 0 && reader.begun && err_retryable(e))
        r = err_wrap(e, "the log was cut");
    /* As logs_read: who ends it has what they wanted. */
    if (r < 0 && e->code == ERR_INTERRUPTED && reader.begun)
        r = 0;
    strv_clear(&reader.names);
    return r;
}
