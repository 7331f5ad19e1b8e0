/* SPDX-License-Identifier: MIT */
#include "etcd/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum {
    TIMEOUT_MS = 5000,
    CONNECT_TIMEOUT_MS = 2000,
    DOWN_FIRST_MS = 250,
    DOWN_MAX_MS = 10000,
};

static struct link *copy_link(const struct link *from)
{
    struct link *l = mem_alloc(sizeof(*l));

    l->tls = from->tls;
    l->user = mem_strdup(from->user);
    l->password = mem_strdup(from->password);
    l->prefix = mem_strdup(from->prefix);
    l->pin = mem_strdup(from->pin);
    l->refused_hint = mem_strdup(from->refused_hint);
    l->endpoint_count = from->endpoint_count;
    for (size_t i = 0; i < from->endpoint_count; i++)
        l->endpoints[i] =
            (struct link_endpoint){mem_strdup(from->endpoints[i].host), from->endpoints[i].port};
    return l;
}

int etcd_open(struct etcd **out, const struct link *link, const struct etcd_opts *o, struct err *e)
{
    struct etcd *c;

    *out = NULL;
    if (link->file || link->endpoint_count == 0)
        return err_set(e, ERR_USAGE, "the link names a file, not an etcd");
    c = mem_alloc(sizeof(*c));
    c->link = copy_link(link);
    log_redact(link->password);
    c->token = mem_strdup(link->token);
    c->opts = o ? *o : (struct etcd_opts){0};
    if (c->opts.timeout_ms <= 0)
        c->opts.timeout_ms = TIMEOUT_MS;
    if (c->opts.connect_timeout_ms <= 0)
        c->opts.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    c->deadline = CLOCK_NEVER;
    c->endpoint_count = c->link->endpoint_count;
    c->endpoints = mem_array(c->endpoint_count, sizeof(*c->endpoints));
    for (size_t i = 0; i < c->endpoint_count; i++) {
        struct endpoint *ep = &c->endpoints[i];
        const struct link_endpoint *le = &c->link->endpoints[i];

        ep->target = (struct http_target){le->host, le->port, c->link->tls, c->link->pin};
        ep->name = mem_printf(strchr(le->host, ':') ? "[%s]:%d" : "%s:%d", le->host, le->port);
        ep->backoff = (struct clock_backoff){DOWN_FIRST_MS, DOWN_MAX_MS, 0};
    }
    *out = c;
    return 0;
}

void token_drop(struct etcd *c)
{
    mem_wipe_str(steal(c->token));
}

void etcd_close(struct etcd *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->endpoint_count; i++) {
        http_close(c->endpoints[i].http);
        free(c->endpoints[i].name);
    }
    free(c->endpoints);
    token_drop(c);
    link_free(c->link);
    free(c);
}

int etcd_clone(struct etcd **out, const struct etcd *c, struct err *e)
{
    if (etcd_open(out, c->link, &c->opts, e) < 0)
        return -1;
    token_drop(*out);
    (*out)->token = mem_strdup(c->token);
    (*out)->auth_off = c->auth_off;
    (*out)->deadline = c->deadline;
    (*out)->until = c->until;
    (*out)->current = c->current;
    return 0;
}

const char *etcd_token(const struct etcd *c)
{
    return c->token;
}

void etcd_share_login(struct etcd *c, const struct etcd *from)
{
    token_drop(c);
    c->token = mem_strdup(from->token);
    c->auth_off = from->auth_off;
}

/* Password and pin are part of the text. */
bool etcd_is_at(const struct etcd *c, const struct link *link)
{
    auto_wipe char *mine = link_format(c->link, false);
    auto_wipe char *other = link_format(link, false);

    return strcmp(mine, other) == 0;
}

void etcd_set_until(struct etcd *c, struct until until)
{
    c->until = until;
}

void etcd_set_deadline(struct etcd *c, int64_t deadline)
{
    c->deadline = deadline;
}

struct until client_until(const struct etcd *c, int64_t timeout_ms)
{
    struct until own = until_within(c->until, timeout_ms > 0 ? timeout_ms : c->opts.timeout_ms);

    return until_before(own, c->deadline);
}

void client_mark_up(struct etcd *c, size_t endpoint)
{
    struct endpoint *ep = &c->endpoints[endpoint];

    if (endpoint != c->current)
        log_debug("etcd: going on with %s", ep->name);
    ep->down_until = 0;
    ep->backoff.tries = 0;
    c->current = endpoint;
}

void client_mark_down(struct etcd *c, size_t endpoint)
{
    struct endpoint *ep = &c->endpoints[endpoint];

    ep->down_until = clock_deadline(clock_backoff_next(&ep->backoff));
}

size_t client_pick(const struct etcd *c)
{
    /* One that has not failed comes before one whose pause is over: that may be a millisecond. */
    for (unsigned failed = 0; failed < 2; failed++)
        for (size_t i = 0; i < c->endpoint_count; i++) {
            size_t at = (c->current + i) % c->endpoint_count;
            const struct endpoint *ep = &c->endpoints[at];

            if (clock_passed(ep->down_until) && (failed || ep->backoff.tries == 0))
                return at;
        }
    return c->current;
}
