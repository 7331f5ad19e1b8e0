/* SPDX-License-Identifier: MIT */
#include "remote/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/camel.h"
#include "conf/json.h"
#include "engine/url.h"
#include "remote/reply.h"

enum {
    PATH_MAX_BYTES = 1 << 20,
    ANSWER_MS = 60000, /* a server gives up after 30 s itself */
    LINE_MAX_BYTES = 8 << 20,
    PAGE = 1000,
    PAGES_MAX = 50,
};

/* clang-format off */
static const struct {
    const char *method, *path, *body;
} ROUTES[] = {
#define ROUTE(id, method, path, role, where, query, body, ...) [CALL_##id] = {#method, path, body},
#include "controller/routes.def"
#undef ROUTE
};
/* clang-format on */

/* ---- the request ---- */

char *call_path(const struct call *c)
{
    const char *between = "?";
    size_t arg = 0;
    struct buf b;

    buf_init(&b, PATH_MAX_BYTES);
    for (const char *p = ROUTES[c->route].path; *p; p++) {
        if (*p != '{') {
            buf_putc(&b, *p);
            continue;
        }
        url_escape(&b, c->args[arg++], "");
        p = strchr(p, '}');
    }
    for (size_t i = 0; i < CALL_PARAMS_MAX && c->params[i].name; i++) {
        if (!c->params[i].value)
            continue;
        buf_printf(&b, "%s%s=", between, c->params[i].name);
        url_escape(&b, c->params[i].value, "");
        between = "&";
    }
    for (size_t i = 0; c->words && i < c->words->count; i++) {
        buf_printf(&b, "%sinstance=", between);
        url_escape(&b, c->words->items[i], "");
        between = "&";
    }
    return buf_take(&b);
}

static int ask(struct talk_answer *a, struct remote *there, const struct call *c,
               const struct talk_request *how, struct err *e)
{
    auto_free char *path = call_path(c);
    auto_free char *body = c->body                 ? json_text(c->body)
                           : ROUTES[c->route].body ? mem_strdup("{}")
                                                   : NULL;
    struct talk_request q = {.method = ROUTES[c->route].method,
                             .path = path,
                             .body = body,
                             .token = there->token,
                             .tag = c->tag,
                             .until =
                                 how->piece ? there->until : until_within(there->until, ANSWER_MS),
                             .piece = how->piece,
                             .arg = how->arg};
    int r = talk_ask(a, there->talk, &q, e);

    there->in_doubt = r < 0 && a->sent;
    snprintf(there->tag, sizeof(there->tag), "%s", a->tag);
    return r < 0 ? err_wrap(e, "%s", there->url) : 0;
}

static int read_answer(struct node **out, struct remote *there, const struct talk_answer *a,
                       struct err *e)
{
    const struct reply reply = {a->status, a->type, buf_str(&a->body), a->body.len};
    int r = reply_read(out, &reply, &there->problems, e);

    if (r < 0 && e->code == ERR_REMOTE)
        return err_wrap(e, "%s", there->url);
    if (r == 0 && *out)
        camel_undo(*out);
    return r;
}

int call_run(struct node **out, struct remote *there, const struct call *c, struct err *e)
{
    const struct talk_request plain = {0};
    struct talk_answer a;
    int r = ask(&a, there, c, &plain, e);

    *out = NULL;
    if (r == 0)
        r = read_answer(out, there, &a, e);
    talk_answer_clear(&a);
    return r;
}

int call_doubt(const struct remote *r, const char *sentence, struct err *e)
{
    auto_free char *why = mem_strdup(e->msg);

    return r->in_doubt ? err_set(e, e->code, "%s; %s", why, sentence) : -1;
}

/* ---- lists ---- */

int call_rows(struct node **rows, struct remote *r, struct call *c, struct err *e)
{
    auto_node struct node *all = node_new_list();
    size_t before = 0;
    size_t at = 0;

    while (at < CALL_PARAMS_MAX && c->params[at].name)
        at++;
    for (int page = 0; page < PAGES_MAX; page++) {
        auto_node struct node *answer = NULL;
        auto_free char *offset = mem_printf("%d", page * PAGE);
        struct call one = *c;
        const struct node *row;

        one.params[at] = (struct call_param){"offset", page ? offset : NULL};
        if (call_run(&answer, r, &one, e) < 0 || reply_rows(node_get(answer, "items"), "", e) < 0)
            return -1;
        before = all->count;
        node_for_each (row, node_get(answer, "items")) {
            node_add(all, node_copy(row));
        }
        if (all->count == before || (int64_t)all->count >= node_get_int(answer, "total", 0))
            break;
    }
    *rows = steal(all);
    return 0;
}

/* ---- streams ---- */

struct stream {
    const struct call_lines *l;
    struct buf rest; /* of a line that is not whole yet */
    int result;
    struct err *e;
};

static bool on_piece(void *arg, const char *data, size_t len)
{
    struct stream *s = arg;
    const char *end;
    size_t done = 0;

    buf_add(&s->rest, data, len);
    if (s->rest.full)
        s->result =
            err_set(s->e, ERR_REMOTE, "a line is longer than %d bytes", (int)LINE_MAX_BYTES);
    while (s->result == 0 && (end = memchr(s->rest.data + done, '\n', s->rest.len - done))) {
        const char *line = s->rest.data + done;

        done = (size_t)(end - s->rest.data) + 1;
        if (end > line)
            s->result = s->l->line(s->l->arg, line, (size_t)(end - line), s->e);
    }
    buf_consume(&s->rest, done);
    return s->result == 0;
}

int call_stream(struct remote *there, const struct call *c, const struct call_lines *l,
                struct err *e)
{
    struct stream s = {.l = l, .e = e};
    const struct talk_request how = {.piece = on_piece, .arg = &s};
    auto_node struct node *none = NULL;
    struct talk_answer a;
    int r;

    buf_init(&s.rest, LINE_MAX_BYTES);
    r = ask(&a, there, c, &how, e);
    if (r == 0 && a.status != 200 && read_answer(&none, there, &a, e) == 0)
        r = err_set(e, ERR_REMOTE, "%s: status %ld for a stream", there->url, a.status);
    else if (r == 0 && a.status != 200)
        r = -1;
    if (s.result < 0)
        r = e->code == ERR_REMOTE ? err_wrap(e, "%s", there->url) : -1;
    else if (r == 0 && s.result == 0 && s.rest.len)
        r = err_set(e, ERR_NET, "%s: the connection broke in the middle of a line", there->url);
    talk_answer_clear(&a);
    buf_clear(&s.rest);
    return r;
}
