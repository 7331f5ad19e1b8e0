/* SPDX-License-Identifier: MIT */
#include "controller/job_work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/run.h"
#include "env/compact.h"
#include "env/instances.h"
#include "env/release.h"
#include "env/volumes.h"
#include "volumes/automatic.h"

enum {
    LOCK_WAIT_MS = 10 * 60 * 1000, /* nobody waits for a job, so it waits for others */
    NAMED_MAX = 3,                 /* instances in a sentence */
    KIB = 1 << 10,
};

/* Takes the text. */
static void tell_result(struct task *t, bool changed, char *text)
{
    struct node *n = node_new_map();

    task_log(t, "%s", text);
    node_set_text(n, "text", text);
    node_set_bool(n, "changed", changed);
    task_result(t, n);
    free(text);
}

/* ---- snapshots ---- */

static const struct volume_options ALONE = {
    .lock_wait_ms = LOCK_WAIT_MS, .unrecorded = true, .automatic = true};

struct round {
    struct task *t;
    struct env *env;
    int64_t time;                   /* of the run, ms of the wall clock */
    char name[AUTOMATIC_NAME_SIZE]; /* of the snapshots that are made */
    struct automatic_keep keep;
    int made, deleted, failed;
    struct err first; /* of what failed */
};

/* Whether another volume would end the same way. */
static bool ends_all(const struct err *e)
{
    return e->code == ERR_INTERRUPTED || e->code == ERR_TIMEOUT || e->code == ERR_NET ||
           e->code == ERR_AUTH || e->code == ERR_LOCKED;
}

static void note_failure(struct round *r, const char *what, const char *volume, const struct err *e)
{
    task_log(r->t, "%s: %s: %s", volume, what, e->msg);
    if (r->failed++ == 0)
        r->first = *e;
}

/* Why a volume gets none; NULL: it does. */
static const char *why_none(const struct node *row)
{
    if (node_get_bool(row, "absent", false))
        return "it is being deleted";
    if (node_get_bool(row, "template", false))
        return "a template never changes";
    return node_get(row, "rollback") ? "it is ordered to go back to a snapshot" : NULL;
}

/* Those that the volume had, as it was listed, but for those that are about to go. */
static void add_snapshots(struct strv *out, const struct node *row)
{
    const struct node *s;

    node_for_each (s, node_get(row, "snapshots")) {
        if (!node_get_bool(s, "absent", false))
            strv_add(out, s->key);
    }
}

static int make(struct round *r, const char *volume, struct strv *has, struct err *e)
{
    auto_strv struct strv names = strv_of(r->name);

    if (strv_has(has, r->name)) /* a run of the same minute that did not end */
        return 0;
    if (env_volume_snapshot(r->env, volume, &names, &ALONE, e) == 0) {
        r->made++;
        strv_add(has, r->name);
        return 0;
    }
    if (ends_all(e))
        return -1;
    if (e->code == ERR_NOTFOUND)
        task_log(r->t, "%s: %s", volume, e->msg); /* deleted meanwhile */
    else
        note_failure(r, "no snapshot was made", volume, e);
    return 0;
}

/* One that volumes are copied from stays for as long as these. */
static int delete_one(struct round *r, const char *volume, const char *snapshot, struct err *e)
{
    auto_strv struct strv names = strv_of(snapshot);

    if (env_volume_snapshot_delete(r->env, volume, &names, &ALONE, e) == 0) {
        r->deleted++;
        return 0;
    }
    if (ends_all(e))
        return -1;
    if (e->code == ERR_CONFLICT || e->code == ERR_NOTFOUND)
        task_log(r->t, "%s: %s is kept: %s", volume, snapshot, e->msg);
    else
        note_failure(r, snapshot, volume, e);
    return 0;
}

static int delete_old(struct round *r, const char *volume, const struct strv *has, struct err *e)
{
    auto_strv struct strv old = {0};

    automatic_old(&old, has, &r->keep, r->time);
    if (old.count == 0)
        return 0;
    if (env_volume_snapshot_delete(r->env, volume, &old, &ALONE, e) == 0) {
        r->deleted += (int)old.count;
        return 0;
    }
    if (e->code != ERR_CONFLICT)
        return ends_all(e) ? -1 : (note_failure(r, "what is old stays", volume, e), 0);
    for (size_t i = 0; i < old.count; i++)
        if (delete_one(r, volume, old.items[i], e) < 0)
            return -1;
    return 0;
}

static int run_volume(struct round *r, const struct node *row, struct err *e)
{
    const char *volume = node_get_text(row, "name"), *why = why_none(row);
    auto_strv struct strv has = {0};

    if (why) {
        task_log(r->t, "%s gets none: %s", volume, why);
        return 0;
    }
    add_snapshots(&has, row);
    if (make(r, volume, &has, e) < 0 || delete_old(r, volume, &has, e) < 0)
        return err_wrap(e, "volume %s", volume);
    return 0;
}

static int run_volumes(struct round *round, const struct node *rows, struct err *e)
{
    const struct node *row;

    task_steps(round->t, 0, (int64_t)rows->count);
    node_for_each (row, rows) {
        bool checks =
            strncmp(node_get_text(row, "name"), CHECK_VOLUMES, strlen(CHECK_VOLUMES)) == 0;

        if (!checks && run_volume(round, row, e) < 0)
            return -1;
        task_advance(round->t);
    }
    if (round->failed)
        return err_set(e, round->first.code, "%d failed, the first: %.1900s", round->failed,
                       round->first.msg);
    return 0;
}

int job_snapshots(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    const struct node *keep = node_get(a, "keep");
    struct round round = {.t = t,
                          .env = env,
                          .time = node_get_int(a, "time", 0),
                          .keep = {.hourly = node_get_int(keep, "hourly", 0),
                                   .daily = node_get_int(keep, "daily", 0),
                                   .weekly = node_get_int(keep, "weekly", 0)}};
    auto_node struct node *rows = NULL;
    int r = env_volume_list(&rows, env, e);

    if (r < 0)
        return -1;
    automatic_name(round.name, round.time);
    r = run_volumes(&round, rows, e);
    tell_result(t, round.made + round.deleted > 0,
                mem_printf("%d snapshot%s made, %d deleted", round.made, round.made == 1 ? "" : "s",
                           round.deleted));
    return r;
}

/* ---- etcd ---- */

int job_compact(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    struct env_compacted done;

    (void)a;
    if (env_compact(&done, env, e) < 0)
        return -1;
    tell_result(t, true,
                mem_printf("etcd: %zu member%s, %" PRId64 " KiB, was %" PRId64 " KiB%s",
                           done.members, done.members == 1 ? "" : "s", done.after / KIB,
                           done.before / KIB, done.alarm ? "; the alarm is cleared" : ""));
    return 0;
}

/* ---- agents ---- */

/* The names of the others go into the sentence, as far as they are few. */
static int conclude_agents(struct task *t, size_t count, const struct strv *others, struct err *e)
{
    auto_strv struct strv named = {0};

    tell_result(t, false,
                mem_printf("%zu of %zu instances have the agent of this server",
                           count - others->count, count));
    if (others->count == 0)
        return 0;
    for (size_t i = 0; i < others->count && i < NAMED_MAX; i++)
        strv_add(&named, others->items[i]);
    auto_free char *all = strv_join(&named, ", ");

    return err_set(e, ERR_UNHEALTHY, "%zu of %zu instances have another agent, or do not say: %s%s",
                   others->count, count, all, others->count > NAMED_MAX ? ", ..." : "");
}

int job_agents(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    const struct release_opts o = {.verb = RELEASE_VERB_STATUS};
    auto_free struct release_result *results = NULL;
    auto_strv struct strv names = {0}, others = {0};
    auto_free char *agent = NULL;
    char own[CRYPTO_HEX_LEN];
    size_t len = 0;

    (void)a;
    instances_all(&names, env);
    if (release_load(&agent, &len, own, env->o.paths->agent, e) < 0 ||
        release_run(&results, env, &names, &o, e) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        const struct release_result *it = &results[i];
        bool says = it->error.code == ERR_NONE;

        if (says && strcmp(it->digest, own) == 0)
            continue;
        task_log(t, "%s: %s%s", it->instance, says ? "another agent, " : "",
                 says ? it->digest : it->error.msg);
        strv_add(&others, it->instance);
    }
    return conclude_agents(t, names.count, &others, e);
}
