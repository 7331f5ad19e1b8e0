/* SPDX-License-Identifier: MIT */
/* Volumes: each change is a task of the server, begun and then asked after until it ended. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "remote/call.h"
#include "remote/reply.h"

enum {
    LOOK_FIRST_MS = 100,
    LOOK_MOST_MS = 2000,
    AWAY_MS = 60000, /* for so long a server may not answer: it is restarted, the network changes */
};

/* ---- a task ---- */

/* What is left to say when nobody waits any longer. */
static int left(const struct node *task, struct err *e)
{
    auto_free char *why = mem_strdup(e->msg);

    return err_set(e, e->code, "%s; the server goes on with %s of %s (task %s)", why,
                   node_get_text(task, "kind"), node_get_text(task, "target"),
                   node_get_text(task, "id"));
}

static int look(struct node **task, struct remote *r, const char *id, struct err *e)
{
    const struct call c = {.route = CALL_task, .args = {id}};

    if (call_run(task, r, &c, e) < 0)
        return -1;
    return reply_map(*task, "id kind target state", e);
}

static bool is_open(const struct node *task)
{
    return node_text_is(task, "state", "queued") || node_text_is(task, "state", "running");
}

/* *task is replaced by what became of it. */
static int wait_for(struct node **task, struct remote *r, struct err *e)
{
    struct clock_backoff pause = {LOOK_FIRST_MS, LOOK_MOST_MS, 0};
    int64_t answered = clock_now_ms();

    while (is_open(*task)) {
        auto_node struct node *now = NULL;

        if (until_check_wait(r->until, "it has not ended", e) < 0)
            return left(*task, e);
        until_sleep_ms(r->until, clock_backoff_next(&pause));
        if (look(&now, r, node_get_text(*task, "id"), e) == 0) {
            node_free(*task);
            *task = steal(now);
            answered = clock_now_ms();
        } else if (!err_retryable(e) || clock_now_ms() - answered > AWAY_MS) {
            return left(*task, e);
        } else {
            log_info("%s; it is asked again", e->msg);
        }
    }
    return 0;
}

static int end_of(const struct node *task, struct err *e)
{
    const struct node *error = node_get(task, "error");
    const char *code = node_get_text(error, "code"), *detail = node_get_text(error, "detail");

    if (node_text_is(task, "state", "succeeded"))
        return 0;
    if (code && detail)
        return err_set(e, reply_code(code), "%s", detail);
    return err_set(e, ERR_REMOTE, "the server's task %s is %s", node_get_text(task, "id"),
                   node_get_text(task, "state"));
}

/* Whether the list of that name in the result of a task has that text. */
static bool is_told(const struct node *task, const char *list, const char *name)
{
    const struct node *n;

    node_for_each (n, node_get(node_get(task, "result"), list)) {
        if (n->text && strcmp(n->text, name) == 0)
            return true;
    }
    return false;
}

/* Begins the call's task and waits for it. `name` is the volume that it is about. */
static int run(struct remote *r, const struct call *c, const char *name,
               const struct volume_options *o, struct err *e)
{
    auto_node struct node *task = NULL;

    if (o->no_wait || o->lock_wait_ms)
        return err_set(e, ERR_USAGE, "--no-wait and --lock-wait do not work with --server");
    if (call_run(&task, r, c, e) < 0)
        return call_doubt(r, "the server may have begun it all the same", e);
    if (reply_map(task, "id kind target state", e) < 0 || wait_for(&task, r, e) < 0 ||
        end_of(task, e) < 0)
        return -1;
    r->changed = true;
    if (o->already && is_told(task, "already", name))
        strv_add(o->already, name);
    if (o->partly && is_told(task, "partly", name))
        strv_add(o->partly, name);
    return 0;
}

/* The same with a body, which it takes. */
static int run_with(struct remote *r, struct call *c, struct node *body,
                    const struct volume_options *o, struct err *e)
{
    auto_node struct node *owned = body;

    c->body = owned;
    return run(r, c, c->args[0] ? c->args[0] : node_get_text(body, "name"), o, e);
}

static void set(struct node *body, const char *key, const char *value)
{
    if (value)
        node_set_text(body, key, value);
}

/* After a failure at the one of that number, the ones before it are done. */
static int some(size_t number, struct err *e)
{
    return err_partial(e, number > 0);
}

/* ---- volumes ---- */

int remote_volume_create(struct remote *r, const struct strv *names, const struct volume_new *n,
                         const char *to, const struct volume_options *o, struct err *e)
{
    for (size_t i = 0; i < names->count; i++) {
        struct call c = {.route = CALL_volume_create};
        struct node *body = node_new_map();

        set(body, "name", names->items[i]);
        set(body, "size", n->size);
        set(body, "pool", n->pool);
        set(body, "dataPool", n->data_pool);
        set(body, "from", n->from);
        set(body, "attach", to);
        if (run_with(r, &c, body, o, e) < 0)
            return some(i, e);
    }
    return 0;
}

int remote_volume_resize(struct remote *r, const char *name, const char *size, bool force,
                         const struct volume_options *o, struct err *e)
{
    struct call c = {.route = CALL_volume_resize, .args = {name}};
    struct node *body = node_new_map();

    set(body, "size", size);
    node_set_bool(body, "force", force);
    return run_with(r, &c, body, o, e);
}

int remote_volume_delete(struct remote *r, const struct strv *names, bool force,
                         const struct volume_options *o, struct err *e)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct call c = {.route = CALL_volume_delete,
                               .args = {names->items[i]},
                               .params = {{"force", force ? "true" : NULL}}};

        if (run(r, &c, names->items[i], o, e) < 0)
            return some(i, e);
    }
    return 0;
}

int remote_volume_template(struct remote *r, const char *name, const struct volume_options *o,
                           struct err *e)
{
    const struct call c = {.route = CALL_volume_template, .args = {name}};

    return run(r, &c, name, o, e);
}

/* ---- drivers ---- */

int remote_volume_attach(struct remote *r, const struct strv *names,
                         const struct volume_attach_opts *a, const struct volume_options *o,
                         struct err *e)
{
    for (size_t i = 0; i < names->count; i++) {
        struct call c = {.route = CALL_volume_attach, .args = {names->items[i]}};
        struct node *body = node_new_map();

        set(body, "to", a->to);
        node_set_bool(body, "readOnly", a->read_only);
        if (run_with(r, &c, body, o, e) < 0)
            return some(i, e);
    }
    return 0;
}

int remote_volume_detach(struct remote *r, const struct strv *names,
                         const struct volume_detach_opts *d, const struct volume_options *o,
                         struct err *e)
{
    for (size_t i = 0; i < names->count; i++) {
        struct call c = {.route = CALL_volume_detach, .args = {names->items[i]}};
        struct node *body = node_new_map();

        set(body, "from", d->from);
        node_set_bool(body, "force", d->force);
        if (run_with(r, &c, body, o, e) < 0)
            return some(i, e);
    }
    return 0;
}

int remote_volume_move(struct remote *r, const char *name, const struct volume_move_opts *m,
                       const struct volume_options *o, struct err *e)
{
    struct call c = {.route = CALL_volume_move, .args = {name}};
    struct node *body = node_new_map();

    set(body, "to", m->to);
    set(body, "from", m->from);
    node_set_bool(body, "force", m->force);
    return run_with(r, &c, body, o, e);
}

/* ---- snapshots ---- */

int remote_volume_snapshot(struct remote *r, const char *name, const struct strv *snapshots,
                           const struct volume_options *o, struct err *e)
{
    for (size_t i = 0; i < snapshots->count; i++) {
        struct call c = {.route = CALL_snapshot_create, .args = {name}};
        struct node *body = node_new_map();

        set(body, "name", snapshots->items[i]);
        if (run_with(r, &c, body, o, e) < 0)
            return some(i, e);
    }
    return 0;
}

int remote_volume_snapshot_delete(struct remote *r, const char *name, const struct strv *snapshots,
                                  const struct volume_options *o, struct err *e)
{
    for (size_t i = 0; i < snapshots->count; i++) {
        const struct call c = {.route = CALL_snapshot_delete, .args = {name, snapshots->items[i]}};

        if (run(r, &c, name, o, e) < 0)
            return some(i, e);
    }
    return 0;
}

int remote_volume_rollback(struct remote *r, const char *name, const char *snapshot,
                           const struct volume_options *o, struct err *e)
{
    const struct call c = {.route = CALL_snapshot_rollback, .args = {name, snapshot}};

    return run(r, &c, name, o, e);
}
