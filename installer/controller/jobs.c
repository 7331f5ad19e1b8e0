/* SPDX-License-Identifier: MIT */
#include "controller/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "conf/json.h"
#include "controller/api.h"
#include "controller/job_work.h"
#include "env/volumes.h"
#include "model/keys.h"
#include "plan/audit.h"

enum { LOOK_MS = 1000, FILE_MAX = 64 << 10 };

static const struct job_kind {
    const char *name, *summary;
    struct task_kind task;
} KINDS[JOB_COUNT] = {
#define JOB(name, task, needs, run, summary) [JOB_##name] = {#name, summary, {task, needs, run}},
#include "controller/jobs.def"
#undef JOB
};

void jobs_init(struct jobs *js, struct controller *c, const char *path)
{
    *js = (struct jobs){.c = c, .path = path};
    pthread_mutex_init(&js->mutex, NULL);
}

void jobs_clear(struct jobs *js)
{
    for (size_t i = 0; i < JOB_COUNT; i++) {
        job_schedule_clear(&js->items[i].schedule);
        node_free(js->items[i].record);
        free(js->items[i].task);
    }
    node_free(js->keep);
    free(js->problem);
    pthread_mutex_destroy(&js->mutex);
}

static void tell_changed(struct jobs *js)
{
    auto_node struct node *nothing = node_new_map();

    events_publish(&js->c->events, "jobs", ACCESS_ROLE_VIEWER, nothing);
}

/* ---- the schedules ---- */

/* With the mutex. */
static void take_schedules(struct jobs *js, const struct node *file)
{
    const struct node *lines = node_get(file, "schedules"), *keep = node_get(file, "keep");

    for (size_t i = 0; i < JOB_COUNT; i++) {
        struct job_schedule *s = &js->items[i].schedule;

        if (job_schedule_set(s, node_get_text(lines, KINDS[i].name))) {
            js->items[i].done = clock_wall_ms(); /* what it would have missed is not missed */
            log_info("job %s: %s", KINDS[i].name, s->line ? s->line : "never");
        }
        if (s->problem)
            log_warn("job %s: %s; it stays %s", KINDS[i].name, s->problem,
                     s->line ? s->line : "never");
    }
    if (keep) {
        node_free(js->keep);
        js->keep = node_copy(keep);
        free(steal(js->keep->key));
    }
}

/* Of what cannot be read everything stays as it was. */
static void read_schedules(struct jobs *js)
{
    auto_node struct node *file = NULL;
    auto_free char *text = NULL;
    size_t len = 0;
    struct err e;
    int r = fs_read(&text, &len, js->path, FILE_MAX, &e);

    if (r == 0)
        r = json_parse(&file, js->path, text, len, &e);
    pthread_mutex_lock(&js->mutex);
    free(steal(js->problem));
    if (r < 0) {
        js->problem = mem_strdup(e.msg);
        log_warn("the schedules of jobs stay as they are: %s", e.msg);
    } else {
        take_schedules(js, file);
    }
    tell_changed(js);
    pthread_mutex_unlock(&js->mutex);
}

static bool has_changed(struct jobs *js)
{
    struct stat now = {0}, *seen = &js->seen;
    bool same;

    if (!js->path)
        return false;
    if (stat(js->path, &now) < 0)
        now = (struct stat){.st_size = -1};
    same = now.st_ino == seen->st_ino && now.st_size == seen->st_size &&
           now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec;
    *seen = now;
    return !same;
}

/* ---- what became of them, in etcd ---- */

static void set_time(struct node *n, const char *key, int64_t time)
{
    char text[32];

    clock_format(text, time);
    node_set_text(n, key, text);
}

static int64_t time_of(const struct node *record, const char *key)
{
    const char *text = node_get_text(record, key);
    int64_t time;

    return text && clock_parse(&time, text) ? time : 0;
}

static int64_t done_by(const struct job *j)
{
    const struct job_last last = {.line = node_get_text(j->record, "schedule"),
                                  .begun = time_of(j->record, "begun"),
                                  .ended = time_of(j->record, "ended")};

    return job_done(&j->schedule, &last, clock_wall_ms());
}

/* With the mutex. */
static void take_record(struct jobs *js, size_t i, const struct etcd_kvs *kvs)
{
    auto_free char *key = keys_controller_job(js->c->env.name, KINDS[i].name);
    const struct etcd_kv *kv = etcd_kvs_find(kvs, key);
    struct job *j = &js->items[i];
    struct err e;

    node_free(steal(j->record));
    if (kv && json_parse(&j->record, key, kv->value, kv->value_len, &e) < 0)
        err_drop(&e, "the last run of a job");
    if (!time_of(j->record, "begun") || !node_get_text(j->record, "by"))
        node_free(steal(j->record)); /* somebody else wrote it */
    j->done = done_by(j);
}

/* With the mutex. */
static int load(struct jobs *js, struct err *e)
{
    auto_free char *prefix = keys_controller_job(js->c->env.name, "");
    struct env *env = store_begin(&js->c->store, e);
    struct etcd_kvs kvs = {0};
    int r;

    if (!env)
        return -1;
    r = etcd_range(&kvs, env->etcd, prefix, e);
    store_end(&js->c->store, r < 0 ? e : NULL);
    for (size_t i = 0; r == 0 && i < JOB_COUNT; i++)
        take_record(js, i, &kvs);
    etcd_kvs_clear(&kvs);
    return r;
}

/* Who did what of it, in the history: of what changed something alone, since that is kept. */
static void add_audit(struct etcd_txn *t, const struct jobs *js, const struct job *j,
                      const struct node *result)
{
    auto_node struct node *detail = node_new_map();
    auto_free char *what = mem_printf("job %s", KINDS[j - js->items].name);

    node_set_text(detail, "reason", node_get_text(result, "text"));
    audit_add(t, js->c->env.name, node_get_text(j->record, "by"), what, detail);
}

/* With the mutex. `result`: of the task that ended; NULL: there is none. */
static int write_record(struct jobs *js, const struct job *j, const struct node *record,
                        const struct node *result, struct err *e)
{
    auto_free char *key = keys_controller_job(js->c->env.name, KINDS[j - js->items].name);
    auto_free char *text = json_text(record);
    struct etcd_fence fence;
    struct etcd_txn *t;
    struct env *env;
    int r;

    if (!leader_leads(&js->c->keeper.leader, &fence))
        return err_set(e, ERR_CONFLICT, "this server keeps the environment no longer");
    env = store_begin(&js->c->store, e);
    if (!env)
        return -1;
    t = etcd_txn_new();
    etcd_txn_if(t, fence.key, ETCD_CMP_CREATE_EQ, fence.create_revision);
    etcd_txn_put(t, key, text, 0);
    if (node_get_bool(result, "changed", false))
        add_audit(t, js, j, result);
    r = etcd_txn_run(env->etcd, t, NULL, e);
    etcd_txn_free(t);
    store_end(&js->c->store, r < 0 ? e : NULL);
    return r;
}

/* ---- beginning and ending ---- */

/* With the mutex. */
static struct node *arguments_of(const struct jobs *js, int64_t now)
{
    struct node *a = node_new_map();

    node_set_int(a, "time", now);
    if (js->keep)
        node_set(a, "keep", node_copy(js->keep));
    return a;
}

/* With the mutex: it could not even begin. */
static void give_up(struct jobs *js, struct job *j, const struct err *why)
{
    struct err e;

    set_time(j->record, "ended", clock_wall_ms());
    node_set_text(j->record, "result", "failed");
    node_set_text(j->record, "problem", why->msg);
    if (write_record(js, j, j->record, NULL, &e) < 0)
        err_drop(&e, "that a job could not begin");
}

/* With the mutex. It is written down first, so that no server begins it for this time again. */
static int begin(struct node **task, struct jobs *js, struct job *j, const char *by, struct err *e)
{
    auto_node struct node *record = node_new_map();
    int64_t now = clock_wall_ms();
    struct task_begin b = {.kind = &KINDS[j - js->items].task, .target = "", .by = by};

    set_time(record, "begun", now);
    node_set_text(record, "by", by);
    if (j->schedule.line)
        node_set_text(record, "schedule", j->schedule.line);
    if (write_record(js, j, record, NULL, e) < 0)
        return -1;
    node_free(j->record);
    j->record = steal(record);
    j->done = now;
    b.arguments = arguments_of(js, now);
    if (tasks_begin(task, &js->c->tasks, &b, e) < 0) {
        give_up(js, j, e);
        return -1;
    }
    j->task = mem_strdup(node_get_text(*task, "id"));
    tell_changed(js);
    return 0;
}

/* "12 SUCCESS, 1 FAILED" of a report of checks, owned. */
static char *recap_text(const struct node *recap)
{
    auto_strv struct strv parts = {0};
    const struct node *n;

    node_for_each (n, recap) {
        if (strcmp(n->text, "0") != 0)
            strv_addf(&parts, "%s %s", n->text, n->key);
    }
    return strv_join(&parts, ", ");
}

/* How the task ended, into the record. */
static void take_end(struct node *record, const struct node *task)
{
    const struct node *result = node_get(task, "result"), *error = node_get(task, "error");
    bool good = node_get_bool(result, "good", true);
    auto_free char *recap =
        node_get(result, "recap") ? recap_text(node_get(result, "recap")) : NULL;
    const char *text = recap ? recap : node_get_text(result, "text");

    node_set_text(record, "ended", node_get_text(task, "ended"));
    node_set_text(record, "task", node_get_text(task, "id"));
    node_set_text(record, "result", good ? node_get_text(task, "state") : "failed");
    if (text)
        node_set_text(record, "text", text);
    if (error)
        node_set_text(record, "problem", node_get_text(error, "detail"));
}

/* With the mutex: whether it still runs; the end of one is written down, and tried again until it
 * could be. */
static bool still_runs(struct jobs *js, struct job *j)
{
    auto_node struct node *task = j->task ? tasks_get(&js->c->tasks, j->task) : NULL;
    struct err e;

    if (j->task && task && !node_get(task, "ended"))
        return true;
    if (task) {
        take_end(j->record, task);
        if (write_record(js, j, j->record, node_get(task, "result"), &e) < 0) {
            err_drop(&e, "what became of a job");
            return true;
        }
        j->done = done_by(j);
        tell_changed(js);
        log_info("job %s: %s", KINDS[j - js->items].name, node_get_text(j->record, "result"));
    }
    free(steal(j->task));
    return false;
}

/* With the mutex. */
static void look_at(struct jobs *js, struct job *j)
{
    auto_free char *by = mem_printf("job %s", KINDS[j - js->items].name);
    int64_t now = clock_wall_ms();
    struct node *task = NULL;
    struct err e;

    if (j->done > now)
        j->done = now; /* the clock was set back */
    if (still_runs(js, j) || !job_due(&j->schedule, j->done, now))
        return;
    if (begin(&task, js, j, by, &e) < 0)
        err_drop(&e, "beginning a job");
    node_free(task);
}

/* With the mutex: another server goes on from what is written; two must not be at the same. */
static void let_go(struct jobs *js)
{
    for (size_t i = 0; i < JOB_COUNT; i++) {
        struct job *j = &js->items[i];

        if (j->task)
            tasks_cancel(&js->c->tasks, j->task);
        free(steal(j->task));
    }
    js->led = false;
}

void jobs_look(struct jobs *js)
{
    auto_free char *other = leader_other(&js->c->keeper.leader);
    struct etcd_fence fence;
    struct err e;

    if (has_changed(js))
        read_schedules(js);
    pthread_mutex_lock(&js->mutex);
    if (leader_leads(&js->c->keeper.leader, &fence)) {
        if (js->led && js->term != fence.create_revision)
            let_go(js); /* another may have led between two looks */
        if (!js->led && load(js, &e) < 0) {
            err_drop(&e, "the last runs of jobs");
        } else {
            js->led = true;
            js->term = fence.create_revision;
        }
        for (size_t i = 0; js->led && i < JOB_COUNT; i++)
            look_at(js, &js->items[i]);
    } else if (other && js->led) {
        let_go(js);
    }
    pthread_mutex_unlock(&js->mutex);
}

static void *run(void *arg)
{
    struct jobs *js = arg;
    const struct until told = {.cancel = &js->c->stop};

    while (!cancel_count(&js->c->stop)) {
        jobs_look(js);
        until_sleep_ms(told, LOOK_MS);
    }
    return NULL;
}

int jobs_start(struct jobs *js, struct err *e)
{
    if (thread_start(&js->thread, NULL, run, js) != 0)
        return err_set(e, ERR_SYS, "a thread could not be started");
    js->started = true;
    return 0;
}

void jobs_stop(struct jobs *js)
{
    if (js->started)
        pthread_join(js->thread, NULL);
    js->started = false;
    /* Those that ended since its last look: this server leads until the keeper stops. */
    pthread_mutex_lock(&js->mutex);
    for (size_t i = 0; js->led && i < JOB_COUNT; i++)
        still_runs(js, &js->items[i]);
    pthread_mutex_unlock(&js->mutex);
}

/* ---- for the API ---- */

/* With the mutex. One without an end: another server may be at it, or was killed. */
static struct node *last_of(const struct jobs *js, const struct job *j)
{
    struct node *n = node_copy(j->record);

    if (j->task)
        node_set_text(n, "task", j->task);
    if (!node_get(n, "result"))
        node_set_text(n, "result", j->task || !js->led ? "running" : "interrupted");
    node_remove(n, "schedule");
    return n;
}

static struct node *row_of(const struct jobs *js, size_t i)
{
    const struct job *j = &js->items[i];
    const char *problem = js->problem ? js->problem : j->schedule.problem;
    int64_t next = job_next(&j->schedule, clock_wall_ms());
    struct node *n = node_new_map();

    node_set_text(n, "name", KINDS[i].name);
    node_set_text(n, "summary", KINDS[i].summary);
    if (j->schedule.line)
        node_set_text(n, "schedule", j->schedule.line);
    if (next)
        set_time(n, "next", next);
    if (problem)
        node_set_text(n, "problem", problem);
    if (j->record)
        node_set(n, "last", last_of(js, j));
    return n;
}

int jobs_rows(struct node **rows, struct jobs *js, struct err *e)
{
    int r = 0;

    pthread_mutex_lock(&js->mutex);
    if (!js->led)
        r = load(js, e);
    if (r == 0) {
        *rows = node_new_list();
        for (size_t i = 0; i < JOB_COUNT; i++)
            node_add(*rows, row_of(js, i));
    }
    pthread_mutex_unlock(&js->mutex);
    return r;
}

/* NULL with *e: there is none. */
static struct job *find(struct jobs *js, const char *name, struct err *e)
{
    auto_strv struct strv names = {0};

    for (size_t i = 0; i < JOB_COUNT; i++) {
        if (strcmp(KINDS[i].name, name) == 0)
            return &js->items[i];
        strv_add(&names, KINDS[i].name);
    }
    auto_free char *hint = strv_hint(&names, name);

    err_set(e, ERR_NOTFOUND, "there is no job %.80s%s", name, hint);
    return NULL;
}

int jobs_run(struct node **task, struct jobs *js, const char *name, const char *by, struct err *e)
{
    auto_free char *other = leader_other(&js->c->keeper.leader);
    struct job *j = find(js, name, e);
    int r;

    if (!j)
        return -1;
    pthread_mutex_lock(&js->mutex);
    if (!js->led)
        r = err_set(e, ERR_CONFLICT, "jobs are done by the server that keeps the environment: %s",
                    other ? other : "there is none");
    else if (still_runs(js, j))
        r = err_set(e, ERR_CONFLICT, "job %s still runs: task %s", name, j->task);
    else
        r = begin(task, js, j, by, e);
    pthread_mutex_unlock(&js->mutex);
    return r;
}
