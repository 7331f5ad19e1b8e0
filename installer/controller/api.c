/* SPDX-License-Identifier: MIT */
/* What all routes share, and those about the server and the environment as a whole. */
#include "controller/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "controller/listing.h"
#include "controller/form.h"
#include "env/config.h"
#include "env/history.h"
#include "env/lock.h"
#include "env/status.h"
#include "model/change.h"

enum { REQUEST_MS = 30000, CHANGE_MAX = 16384 };

int api_open(struct env **out, const struct controller *c, const struct request *q, unsigned needs,
             struct err *e)
{
    struct env_opts o = c->env;

    o.user = q->who.user;
    o.timeout_ms = REQUEST_MS;
    return env_open(out, &o, needs, e);
}

int api_answer(struct request *q, struct node *value)
{
    reply_text(q, NULL, json_text(value));
    node_free(value);
    return 0;
}

int api_list(struct request *q, struct node *rows, const char *filters, struct err *e)
{
    struct node *list = NULL;
    int r = listing_make(&list, rows, &q->query, filters, e);

    node_free(rows);
    return r < 0 ? -1 : api_answer(q, list);
}

int api_answer_task(struct request *q, struct node *task)
{
    auto_free char *where = mem_printf("/api/v1/tasks/%s", node_get_text(task, "id"));

    snprintf(q->detail, sizeof(q->detail), "task %s", node_get_text(task, "id"));
    reply_header(q, "Location", where);
    return api_answer(q, task);
}

int api_begin(struct controller *c, struct request *q, const struct task_kind *kind,
              struct node *arguments, struct err *e)
{
    const struct task_begin b = {
        .kind = kind, .target = q->args[0], .by = q->who.user, .arguments = arguments};
    struct node *task = NULL;

    if (tasks_begin(&task, &c->tasks, &b, e) < 0) {
        if (e->code != ERR_LOCKED)
            return -1;
        reply_later(q, 503, 5000, e->msg);
        return 0;
    }
    return api_answer_task(q, task);
}

bool api_flag(const struct request *q, const char *name)
{
    return node_get_bool(q->body, name, false);
}

const char *api_text(const struct request *q, const char *name)
{
    return node_get_text(q->body, name);
}

/* ---- the server ---- */

int api_health(struct controller *c, struct request *q, struct err *e)
{
    struct node *n = node_new_map();

    (void)c;
    (void)e;
    node_set_text(n, "status", "ok");
    node_set_text(n, "version", SLIPWAY_VERSION);
    return api_answer(q, n);
}

int api_openapi(struct controller *c, struct request *q, struct err *e)
{
    (void)e;
    reply_text(q, NULL, mem_strdup(c->openapi));
    return 0;
}

int api_events(struct controller *c, struct request *q, struct err *e)
{
    auto_node struct node *hello = view_hello(&c->view);

    (void)e;
    q->reply.type = "text/event-stream";
    q->reply.stream =
        events_stream(&c->events, q->who.role, headers_get(&q->headers, "Last-Event-ID"), hello);
    return 0;
}

/* ---- the environment ---- */

int api_environment(struct controller *c, struct request *q, struct err *e)
{
    struct node *n = view_environment(&c->view);

    (void)e;
    if (n)
        return api_answer(q, n);
    reply_later(q, 503, 2000, "the environment has not been looked at yet");
    return 0;
}

/* Looked at now, and not as it was seen last: whoever asks wants to know what came of a change. */
int api_status(struct controller *c, struct request *q, struct err *e)
{
    struct node *status = NULL;
    auto_strv struct strv words = {0};
    struct env *env = NULL;
    int r = api_open(&env, c, q, ENV_NEEDS_NAME | ENV_NEEDS_ENGINE, e);

    for (size_t i = 0; i < q->query.param_count; i++)
        strv_add(&words, q->query.params[i].value);
    if (r == 0)
        r = status_read(&status, env, e);
    if (r == 0 && words.count)
        r = status_select(status, env, &words, e);
    env_close(env);
    if (r < 0) {
        node_free(status);
        return -1;
    }
    form_camel(status);
    return api_answer(q, status);
}

int api_lock(struct controller *c, struct request *q, struct err *e)
{
    struct node *holder = NULL, *n;
    struct env *env = NULL;
    int r = api_open(&env, c, q, ENV_NEEDS_NAME | ENV_NEEDS_ETCD, e);

    if (r == 0)
        r = env_lock_holder(&holder, env, e);
    env_close(env);
    if (r < 0)
        return -1;
    n = node_new_map();
    node_set_bool(n, "held", holder != NULL);
    if (holder)
        node_set(n, "holder", holder);
    return api_answer(q, n);
}

static struct node *component_row(const struct spec_component *s)
{
    static const char *const roles[] = {NULL, "storage", "driver"};
    struct node *n = node_new_map(), *list;

    node_set_text(n, "component", s->manifest->name);
    node_set_text(n, "summary", s->manifest->summary ? s->manifest->summary : "");
    if (s->manifest->image)
        node_set_text(n, "image", s->manifest->image);
    if (roles[s->manifest->role])
        node_set_text(n, "role", roles[s->manifest->role]);
    list = node_set(n, "requires", node_new_list());
    for (size_t i = 0; i < s->manifest->requires.count; i++)
        node_add_text(list, s->manifest->requires.items[i]);
    list = node_set(n, "instances", node_new_list());
    for (int i = 0; i < s->count; i++)
        node_add_text(list, s->instances[i].name);
    return n;
}

int api_component_list(struct controller *c, struct request *q, struct err *e)
{
    struct node *rows = node_new_list();
    struct env *env = NULL;
    int r = api_open(&env, c, q, ENV_NEEDS_SPEC, e);

    for (size_t i = 0; r == 0 && i < env->spec->component_count; i++)
        node_add(rows, component_row(&env->spec->components[i]));
    env_close(env);
    if (r == 0)
        return api_list(q, rows, "", e);
    node_free(rows);
    return r;
}

/* ---- history ---- */

void api_change_text(struct node *row, const struct catalog *catalog)
{
    const char *target = node_get_text(row, "target"), *name = node_get_text(row, "name");
    auto_free char *component = target ? mem_strndup(target, strcspn(target, "/")) : NULL;
    const struct manifest *m = component ? catalog_find(catalog, component) : NULL;

    if (name)
        api_key_text(row, m ? manifest_config(m, name) : NULL);
}

void api_key_text(struct node *row, const struct config_key *key)
{
    auto_buf struct buf text = {0};

    buf_init(&text, CHANGE_MAX);
    change_format(&text, key, node_get_text(row, "old"), node_get_text(row, "new"));
    node_set_text(row, "text", buf_str(&text));
}

static int answer_history(struct controller *c, struct request *q, const char *target,
                          struct err *e)
{
    auto_node struct node *all = NULL;
    struct node *newest;
    struct env *env = NULL;
    int r = api_open(&env, c, q, ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ETCD, e);
    struct node *row;

    if (r == 0)
        r = env_history(&all, env, target, query_get(&q->query, "key"), e);
    node_for_each (row, all) {
        api_change_text(row, env->catalog);
    }
    env_close(env);
    if (r < 0)
        return -1;
    newest = node_new_list();
    for (size_t i = all->count; i > 0; i--)
        node_add(newest, node_copy(all->items[i - 1]));
    return api_list(q, newest, "", e);
}

int api_history(struct controller *c, struct request *q, struct err *e)
{
    return answer_history(c, q, query_get(&q->query, "target"), e);
}

int api_configuration_history(struct controller *c, struct request *q, struct err *e)
{
    struct config_state s;
    struct env *env = NULL;
    auto_free char *target = NULL;
    int r = api_open(&env, c, q, 0, e);

    if (r == 0) {
        r = config_open(&s, env, q->args[0], e);
        if (r == 0)
            target = config_target_text(&s.target);
        config_close(&s);
    }
    env_close(env);
    return r < 0 ? -1 : answer_history(c, q, target, e);
}
