/* SPDX-License-Identifier: MIT */
/* Volumes, snapshots and pools: each change is a task, since agents have to answer it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "controller/api.h"
#include "controller/form.h"
#include "env/config.h"
#include "env/volumes.h"

/* ---- asking ---- */

static int with_rows(struct controller *c, struct request *q,
                     int (*list)(struct node **rows, struct env *env, struct err *e), bool volumes,
                     struct err *e)
{
    struct node *rows = NULL, *row;
    struct env *env = NULL;
    int r = api_open(&env, c, q, ENV_VOLUMES_NEEDS, e);

    if (r == 0)
        r = list(&rows, env, e);
    env_close(env);
    if (r < 0)
        return -1;
    node_for_each (row, rows) {
        if (volumes)
            node_set_text(row, "state", env_volume_state(row));
    }
    form_camel(rows);
    return api_list(q, rows, "", e);
}

int api_volume_list(struct controller *c, struct request *q, struct err *e)
{
    return with_rows(c, q, env_volume_list, true, e);
}

int api_pool_list(struct controller *c, struct request *q, struct err *e)
{
    return with_rows(c, q, env_pool_list, false, e);
}

int api_volume(struct controller *c, struct request *q, struct err *e)
{
    struct node *row = NULL;
    struct env *env = NULL;
    int r = api_open(&env, c, q, ENV_VOLUMES_NEEDS, e);

    if (r == 0)
        r = env_volume_show(&row, env, q->args[0], e);
    env_close(env);
    if (r < 0)
        return -1;
    node_set_text(row, "state", env_volume_state(row));
    form_camel(row);
    return api_answer(q, row);
}

int api_pool(struct controller *c, struct request *q, struct err *e)
{
    struct node *row = NULL;
    struct env *env = NULL;
    int r = api_open(&env, c, q, ENV_VOLUMES_NEEDS, e);

    if (r == 0)
        r = env_pool_show(&row, env, q->args[0], e);
    env_close(env);
    if (r < 0)
        return -1;
    form_camel(row);
    return api_answer(q, row);
}

/* ---- the work: {"name","other", and what the body had} ---- */

static const struct volume_options WAITS = {.lock_wait_ms = CONFIG_LOCK_WAIT_MS};

/* What was so before does not fail, and is told: the task's result is {"already","partly"}. */
struct told {
    struct strv already, partly;
    struct volume_options o;
};

static const struct volume_options *told_begin(struct told *t)
{
    *t = (struct told){.o = WAITS};
    t->o.already = &t->already;
    t->o.partly = &t->partly;
    return &t->o;
}

static void add_all(struct node *to, const char *key, struct strv *names)
{
    struct node *list = node_set(to, key, node_new_list());

    for (size_t i = 0; i < names->count; i++)
        node_add_text(list, names->items[i]);
    strv_clear(names);
}

/* Hands the status on. */
static int told_end(struct task *t, struct told *said, int r)
{
    struct node *result = node_new_map();

    add_all(result, "already", &said->already);
    add_all(result, "partly", &said->partly);
    task_result(t, result);
    return r;
}

static int run_create(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    auto_strv struct strv names = strv_of(node_get_text(a, "name"));
    const struct volume_new n = {.size = node_get_text(a, "size"),
                                 .pool = node_get_text(a, "pool"),
                                 .data_pool = node_get_text(a, "dataPool"),
                                 .from = node_get_text(a, "from")};
    struct told said;

    return told_end(
        t, &said,
        env_volume_create(env, &names, &n, node_get_text(a, "attach"), told_begin(&said), e));
}

static int run_delete(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    auto_strv struct strv names = strv_of(node_get_text(a, "name"));

    (void)t;
    return env_volume_delete(env, &names, node_get_bool(a, "force", false), &WAITS, e);
}

static int run_resize(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    (void)t;
    return env_volume_resize(env, node_get_text(a, "name"), node_get_text(a, "size"),
                             node_get_bool(a, "force", false), &WAITS, e);
}

static int run_attach(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    auto_strv struct strv names = strv_of(node_get_text(a, "name"));
    const struct volume_attach_opts o = {.to = node_get_text(a, "to"),
                                         .read_only = node_get_bool(a, "readOnly", false)};
    struct told said;

    return told_end(t, &said, env_volume_attach(env, &names, &o, told_begin(&said), e));
}

static int run_detach(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    auto_strv struct strv names = strv_of(node_get_text(a, "name"));
    const struct volume_detach_opts o = {.from = node_get_text(a, "from"),
                                         .force = node_get_bool(a, "force", false)};
    struct told said;

    return told_end(t, &said, env_volume_detach(env, &names, &o, told_begin(&said), e));
}

static int run_move(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    const struct volume_move_opts o = {.to = node_get_text(a, "to"),
                                       .from = node_get_text(a, "from"),
                                       .force = node_get_bool(a, "force", false)};
    struct told said;

    return told_end(t, &said,
                    env_volume_move(env, node_get_text(a, "name"), &o, told_begin(&said), e));
}

static int run_template(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    struct told said;

    return told_end(t, &said,
                    env_volume_template(env, node_get_text(a, "name"), told_begin(&said), e));
}

static int run_snapshot(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    auto_strv struct strv snapshots = strv_of(node_get_text(a, "other"));

    (void)t;
    return env_volume_snapshot(env, node_get_text(a, "name"), &snapshots, &WAITS, e);
}

static int run_snapshot_delete(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    auto_strv struct strv snapshots = strv_of(node_get_text(a, "other"));

    (void)t;
    return env_volume_snapshot_delete(env, node_get_text(a, "name"), &snapshots, &WAITS, e);
}

static int run_rollback(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    (void)t;
    return env_volume_rollback(env, node_get_text(a, "name"), node_get_text(a, "other"), &WAITS, e);
}

static int run_pool_create(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    auto_strv struct strv policies = {0};
    const struct volume_pool p = {.size = node_get_int(a, "size", 0),
                                  .min_size = node_get_int(a, "minSize", 0),
                                  .quota = node_get_text(a, "quota"),
                                  .data_pool = node_get_text(a, "dataPool"),
                                  .compression = node_get_text(a, "compression"),
                                  .compression_mode = node_get_text(a, "compressionMode"),
                                  .policies = &policies};
    const struct node *n;

    (void)t;
    node_for_each (n, node_get(a, "policies")) {
        strv_add(&policies, n->text);
    }
    return env_pool_create(env, node_get_text(a, "name"), &p, &WAITS, e);
}

static int run_pool_delete(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    (void)t;
    return env_pool_delete(env, node_get_text(a, "name"), &WAITS, e);
}

/* ---- beginning it ---- */

static int begin(struct controller *c, struct request *q, const struct task_kind *kind,
                 struct err *e)
{
    struct node *a = q->body ? node_copy(q->body) : node_new_map();
    const char *other = q->args[1] ? q->args[1] : node_get_text(q->body, "name");

    if (other)
        node_set_text(a, "other", other);
    if (q->args[0])
        node_set_text(a, "name", q->args[0]);
    return api_begin(c, q, kind, a, e);
}

#define VOLUME_ROUTE(id, kind, function)                                                           \
    int api_##id(struct controller *c, struct request *q, struct err *e)                           \
    {                                                                                              \
        static const struct task_kind of = {kind, ENV_VOLUMES_NEEDS, function};                    \
                                                                                                   \
        return begin(c, q, &of, e);                                                                \
    }

VOLUME_ROUTE(volume_resize, "volume.resize", run_resize)
VOLUME_ROUTE(volume_attach, "volume.attach", run_attach)
VOLUME_ROUTE(volume_detach, "volume.detach", run_detach)
VOLUME_ROUTE(volume_move, "volume.move", run_move)
VOLUME_ROUTE(volume_template, "volume.template", run_template)
VOLUME_ROUTE(snapshot_create, "snapshot.create", run_snapshot)
VOLUME_ROUTE(snapshot_delete, "snapshot.delete", run_snapshot_delete)
VOLUME_ROUTE(snapshot_rollback, "snapshot.rollback", run_rollback)
VOLUME_ROUTE(pool_delete, "pool.delete", run_pool_delete)

/* Those whose name is in the body. */
static int begin_new(struct controller *c, struct request *q, const struct task_kind *kind,
                     struct err *e)
{
    q->args[0] = node_get_text(q->body, "name");
    return begin(c, q, kind, e);
}

int api_volume_create(struct controller *c, struct request *q, struct err *e)
{
    static const struct task_kind of = {"volume.create", ENV_VOLUMES_NEEDS, run_create};

    return begin_new(c, q, &of, e);
}

int api_pool_create(struct controller *c, struct request *q, struct err *e)
{
    static const struct task_kind of = {"pool.create", ENV_VOLUMES_NEEDS, run_pool_create};

    return begin_new(c, q, &of, e);
}

int api_volume_delete(struct controller *c, struct request *q, struct err *e)
{
    static const struct task_kind of = {"volume.delete", ENV_VOLUMES_NEEDS, run_delete};
    struct node *a = node_new_map();
    bool force;

    if (query_flag(&force, &q->query, "force", e) < 0) {
        node_free(a);
        return -1;
    }
    node_set_text(a, "name", q->args[0]);
    node_set_bool(a, "force", force);
    return api_begin(c, q, &of, a, e);
}
