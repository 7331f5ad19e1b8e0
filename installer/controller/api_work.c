/* SPDX-License-Identifier: MIT */
/* Checks, agents, and the tasks themselves. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/run.h"
#include "controller/api.h"
#include "env/instances.h"
#include "env/release.h"

/* ---- checks ---- */

static void on_row(void *arg, enum check_result result, const struct node *row)
{
    task_log(arg, "%s %s: %s", check_result_name(result), node_get_text(row, "code"),
             node_get_text(row, "message"));
    task_advance(arg);
}

static struct node *report_of(const struct check_report *report)
{
    struct node *n = node_new_map(), *recap;

    node_set_bool(n, "good", report->good);
    recap = node_set(n, "recap", node_new_map());
    for (int i = 0; i < CHECK_RESULT_COUNT; i++)
        node_set_int(recap, check_result_name((enum check_result)i), (int64_t)report->counts[i]);
    node_set(n, "results", report->rows ? node_copy(report->rows) : node_new_list());
    return n;
}

int api_run_check(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    const struct check_events ev = {.row = on_row, .arg = t};
    auto_check_report struct check_report report = {0};
    auto_strv struct strv words = {0};
    const struct node *n;
    int r;

    node_for_each (n, node_get(a, "words")) {
        strv_add(&words, n->text);
    }
    r = check_run(&report, env, &words, &ev, e);
    if (report.rows)
        task_result(t, report_of(&report));
    return r;
}

int api_check_start(struct controller *c, struct request *q, struct err *e)
{
    static const struct task_kind of = {
        "check", ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ENGINE, api_run_check};

    return api_begin(c, q, &of, node_copy(q->body), e);
}

int api_check_report(struct controller *c, struct request *q, struct err *e)
{
    auto_node struct node *task = tasks_last(&c->tasks, "check");
    struct node *n = task ? node_copy(node_get(task, "result")) : node_new_map();

    (void)e;
    if (task) {
        node_set_text(n, "task", node_get_text(task, "id"));
        node_set_text(n, "ended", node_get_text(task, "ended"));
    } else {
        node_set(n, "results", node_new_list());
    }
    if (n->key) { /* of the task it was in */
        free(n->key);
        n->key = NULL;
    }
    return api_answer(q, n);
}

/* ---- agents ---- */

static struct node *agent_row(const struct release_result *r)
{
    struct node *n = node_new_map();

    node_set_text(n, "instance", r->instance);
    if (r->via)
        node_set_text(n, "via", r->via);
    if (*r->from)
        node_set_text(n, "release", r->from);
    if (*r->previous)
        node_set_text(n, "previous", r->previous);
    if (*r->digest)
        node_set_text(n, "digest", r->digest);
    node_set_bool(n, "trial", r->trial);
    if (r->error.code != ERR_NONE)
        node_set_text(n, "error", r->error.msg);
    return n;
}

int api_agent_list(struct controller *c, struct request *q, struct err *e)
{
    const struct release_opts o = {.verb = RELEASE_VERB_STATUS};
    auto_free struct release_result *results = NULL;
    auto_strv struct strv names = {0};
    struct node *rows = NULL;
    struct env *env = NULL;
    int r = api_open(&env, c, q,
                     ENV_NEEDS_NAME | ENV_NEEDS_ETCD | ENV_NEEDS_CONTAINERS | ENV_NEEDS_SSH, e);

    if (r == 0) {
        instances_all(&names, env);
        r = release_run(&results, env, &names, &o, e);
    }
    if (r == 0) {
        rows = node_new_list();
        for (size_t i = 0; i < names.count; i++)
            node_add(rows, agent_row(&results[i]));
    }
    env_close(env);
    return rows ? api_list(q, rows, "", e) : r;
}

static int run_release(struct task *t, struct env *env, const struct node *a,
                       enum release_verb verb, struct err *e)
{
    const struct release_opts o = {
        .verb = verb, .again = node_get_bool(a, "again", false), .lock_wait_ms = 10000};
    auto_free struct release_result *results = NULL;
    auto_strv struct strv words = {0}, names = {0};
    const struct err *first = NULL;
    const struct node *n;

    node_for_each (n, node_get(a, "instances")) {
        strv_add(&words, n->text);
    }
    if (instances_select(&names, env, &words, 0, e) < 0)
        return -1;
    task_steps(t, 0, (int64_t)names.count);
    if (release_run(&results, env, &names, &o, e) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        bool good = results[i].error.code == ERR_NONE;

        task_log(t, "%s: %s", results[i].instance, good ? results[i].to : results[i].error.msg);
        task_advance(t);
        if (!good && !first)
            first = &results[i].error;
    }
    return first ? err_set(e, first->code, "%.1900s", first->msg) : 0;
}

static int run_deploy(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    return run_release(t, env, a, RELEASE_VERB_DEPLOY, e);
}

static int run_rollback(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    return run_release(t, env, a, RELEASE_VERB_ROLLBACK, e);
}

enum {
    AGENT_NEEDS = ENV_NEEDS_NAME | ENV_NEEDS_ETCD | ENV_NEEDS_CONTAINERS | ENV_NEEDS_SSH,
};

int api_agent_deploy(struct controller *c, struct request *q, struct err *e)
{
    static const struct task_kind of = {"agent.deploy", AGENT_NEEDS, run_deploy};

    return api_begin(c, q, &of, node_copy(q->body), e);
}

int api_agent_rollback(struct controller *c, struct request *q, struct err *e)
{
    static const struct task_kind of = {"agent.rollback", AGENT_NEEDS, run_rollback};

    return api_begin(c, q, &of, node_copy(q->body), e);
}

/* ---- tasks ---- */

int api_task_list(struct controller *c, struct request *q, struct err *e)
{
    return api_list(q, tasks_rows(&c->tasks), q->route->query, e);
}

static int answer_task(struct controller *c, struct request *q, struct err *e)
{
    struct node *n = tasks_get(&c->tasks, q->args[0]);

    return n ? api_answer(q, n) : err_set(e, ERR_NOTFOUND, "there is no task %.80s", q->args[0]);
}

int api_task(struct controller *c, struct request *q, struct err *e)
{
    return answer_task(c, q, e);
}

int api_task_cancel(struct controller *c, struct request *q, struct err *e)
{
    tasks_cancel(&c->tasks, q->args[0]);
    return answer_task(c, q, e);
}
