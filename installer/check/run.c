/* SPDX-License-Identifier: MIT */
#include "check/run.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pool.h"
#include "check/modules.h"
#include "env/status.h"

enum { DEFAULT_MS = 180000, PARALLEL = 4 };

/* ---- which modules ---- */

struct module {
    const char *name;
    const struct check_module *builtin;
    const struct manifest *manifest; /* of a component with a hook check */
    const struct check_pick *pick;   /* NULL: all of its tests */
};

struct run {
    struct env *env;
    const struct check_events *ev;
    const struct node *status;
    struct module *modules;
    size_t count;
    struct check_picks picks;
    pthread_mutex_t mutex; /* report, unknown, calls of events */
    struct check_report *report;
    struct err unknown; /* a test that was asked for and that its component does not have */
};

/* Without the folder nobody knows whether it has a hook. */
static void check_unknown(struct check *c)
{
    auto_free char *code = mem_printf("%s.check", c->module);

    check_add(c, code, CHECK_SKIPPED, "name its folder with --catalog", "%s is not in the catalog",
              c->module);
}

static const struct check_module unknown = {.run = check_unknown};

/* In a container nothing of the host can be seen, so all of it would look as if it were missing. */
static void check_elsewhere(struct check *c)
{
    auto_free char *code = mem_printf("%s.check", c->module);

    check_add(c, code, CHECK_SKIPPED, "`slipway check` on the host does it",
              "it looks at the host, which %s does not see", c->env->o.self);
}

static const struct check_module elsewhere = {.run = check_elsewhere};

static void add_module(struct run *r, struct strv *known, struct module m)
{
    strv_add(known, m.name);
    r->modules = mem_grow(r->modules, r->count + 1, sizeof(m));
    r->modules[r->count++] = m;
}

/* "fuse" or "fuse.loop". */
static bool is_named(const struct strv *words, const char *module)
{
    size_t len = strlen(module);

    for (size_t i = 0; i < words->count; i++)
        if (strncmp(words->items[i], module, len) == 0 &&
            (!words->items[i][len] || words->items[i][len] == '.'))
            return true;
    return false;
}

/* Every module that has something to look at here. */
static void find_modules(struct run *r, struct strv *known, const struct strv *words)
{
    const struct catalog *catalog = r->env->catalog;
    const struct check c = {.env = r->env, .status = r->status};
    const struct node *row;

    for (size_t i = 0; check_modules[i]; i++) {
        const struct check_module *m = check_modules[i];

        if (!m->applies || m->applies(&c) || (m->probe && is_named(words, m->name)))
            add_module(r, known,
                       (struct module){.name = m->name,
                                       .builtin = m->probe && r->env->o.self ? &elsewhere : m});
    }
    for (size_t i = 0; i < catalog->count; i++) {
        const struct manifest *m = catalog->items[i];
        auto_free char *hook = manifest_hook(m, "check");

        if (hook && check_has_instances(&c, m->name))
            add_module(r, known, (struct module){.name = m->name, .manifest = m});
    }
    node_for_each (row, node_get(r->status, "instances")) {
        const char *component = node_get_text(row, "component");

        if (*component && !catalog_find(catalog, component) && !strv_has(known, component))
            add_module(r, known, (struct module){.name = component, .builtin = &unknown});
    }
}

/* What a component's hook tests is known when it has spoken. */
static int check_tests(const struct module *m, const struct check_pick *p, struct err *e)
{
    auto_strv struct strv names = {0};

    for (size_t i = 0; m->builtin && m->builtin->tests && m->builtin->tests[i]; i++)
        strv_add(&names, m->builtin->tests[i]);
    for (size_t i = 0; names.count && i < p->tests.count; i++)
        if (!strv_has(&names, p->tests.items[i])) {
            auto_free char *list = strv_join(&names, ", ");

            return err_set(e, ERR_USAGE, "%s has no test %s; it has: %s", m->name,
                           p->tests.items[i], list);
        }
    return 0;
}

static int choose_modules(struct run *r, const struct strv *words, struct err *e)
{
    auto_strv struct strv known = {0};
    size_t kept = 0;

    find_modules(r, &known, words);
    if (check_picks_parse(&r->picks, words, &known, e) < 0)
        return -1;
    for (size_t i = 0; i < r->count; i++) {
        struct module m = r->modules[i];

        /* The names in the picks are of `known`, which goes. */
        for (size_t j = 0; j < r->picks.count; j++)
            if (strcmp(r->picks.items[j].module, m.name) == 0)
                r->picks.items[j].module = m.name;
        m.pick = check_picks_find(&r->picks, m.name);
        if (words->count && !m.pick)
            continue;
        if (m.pick && check_tests(&m, m.pick, e) < 0)
            return -1;
        r->modules[kept++] = m;
    }
    r->count = kept;
    return 0;
}

/* ---- their rows ---- */

/* The rows of tests that were asked for; and those that say that nothing could be tested. */
static bool is_asked_for(const struct check *c, const struct node *row)
{
    auto_free char *whole = mem_printf("%s.check", c->module);

    return strcmp(node_get_text(row, "code"), whole) == 0 ||
           check_pick_has(c->pick, node_get_text(row, "test"), node_get_text(row, "code"));
}

/* Names of the tests that a hook reported, when it did not report one that was asked for. */
static void note_unknown(struct run *r, const struct check *c)
{
    auto_strv struct strv names = {0};
    const struct node *row;

    node_for_each (row, c->rows) {
        auto_free char *whole = mem_printf("%s.check", c->module);
        const char *dot = strchr(node_get_text(row, "code"), '.');

        if (strcmp(node_get_text(row, "code"), whole) == 0)
            return;
        if (dot && !strv_has(&names, dot + 1))
            strv_add(&names, dot + 1);
    }
    for (size_t i = 0; c->pick && i < c->pick->tests.count; i++) {
        auto_free char *list = strv_join(&names, ", ");
        bool found = false;

        node_for_each (row, c->rows) {
            found = found || check_pick_means(c->pick->tests.items[i], node_get_text(row, "test"),
                                              node_get_text(row, "code"));
        }
        if (!found)
            err_set(&r->unknown, ERR_USAGE, "%s has no test %s; it has: %s", c->module,
                    c->pick->tests.items[i], list);
    }
}

static void take_row(struct run *r, const struct node *row)
{
    enum check_result result = CHECK_EXCEPTION;

    check_result_parse(&result, node_get_text(row, "result"));
    r->report->counts[result]++;
    if (r->ev->row)
        r->ev->row(r->ev->arg, result, row);
    node_add(r->report->rows, node_copy(row));
}

/* How many of them were more than skipped. */
static size_t take_rows(struct run *r, const struct module *m, struct check *c)
{
    const struct node *row;
    size_t taken = 0, tested = 0;

    if (m->manifest)
        note_unknown(r, c);
    node_for_each (row, c->rows) {
        if (!is_asked_for(c, row))
            continue;
        taken++;
        tested += !node_text_is(row, "result", check_result_name(CHECK_SKIPPED));
        take_row(r, row);
    }
    if (taken == 0 && c->pick && m->builtin) {
        auto_free char *code = mem_printf("%s.%s", c->module, c->pick->tests.items[0]);

        check_add(c, code, CHECK_SKIPPED, NULL, "there is nothing to look at");
        return take_rows(r, m, c);
    }
    return tested;
}

static void job(void *arg, size_t i)
{
    struct run *r = arg;
    const struct module *m = &r->modules[i];
    struct check c = {.env = r->env,
                      .status = r->status,
                      .module = m->name,
                      .pick = m->pick && m->pick->tests.count ? m->pick : NULL,
                      .rows = node_new_list(),
                      .until = until_before(r->env->until, env_deadline(r->env, DEFAULT_MS))};

    if (until_is_cancelled(r->env->until)) {
        node_free(c.rows);
        return;
    }
    if (m->builtin)
        m->builtin->run(&c);
    else
        check_component(&c, m->manifest);
    pthread_mutex_lock(&r->mutex);
    if (take_rows(r, m, &c) == 0)
        strv_add(&r->report->untested, m->name);
    pthread_mutex_unlock(&r->mutex);
    node_free(c.rows);
}

/* A module that has nothing to look at is not a fault, unless it was asked for. */
static void judge(struct run *r, const struct strv *words)
{
    struct check_report *report = r->report;

    if (words->count == 0 && report->untested.count < r->count)
        strv_clear(&report->untested);
    report->good = report->counts[CHECK_FAILED] + report->counts[CHECK_EXCEPTION] == 0 &&
                   report->untested.count == 0;
}

/* ---- the run ---- */

/* "fuse", "fuse.loop", "fuse loop": a module that needs no environment, alone. */
static bool is_probe(const struct strv *words)
{
    for (size_t i = 0; words->count && check_modules[i]; i++) {
        const char *name = check_modules[i]->name;
        auto_strv struct strv known = {0};
        struct check_picks picks;
        struct err none;
        bool only = false;

        if (!check_modules[i]->probe)
            continue;
        for (size_t j = 0; check_modules[j]; j++)
            strv_add(&known, check_modules[j]->name);
        if (check_picks_parse(&picks, words, &known, &none) < 0)
            return false;
        only = picks.count == 1 && strcmp(picks.items[0].module, name) == 0;
        check_picks_clear(&picks);
        if (only)
            return true;
    }
    return false;
}

static int look(struct node **status, struct env *env, const struct strv *words, struct err *e)
{
    bool probe = is_probe(words);

    if (env_need(env, ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ENGINE, e) < 0)
        return -1;
    if (env_need(env, ENV_NEEDS_CONTAINERS, e) < 0) {
        if (!probe || e->code != ERR_NOTFOUND)
            return -1;
        err_drop(e, "no environment to look at");
    }
    *status = probe ? node_new_map() : NULL;
    return probe ? 0 : status_read(status, env, e);
}

static int run_modules(struct run *r, const struct strv *words, struct err *e)
{
    auto_strv struct strv names = {0};

    for (size_t i = 0; i < r->count; i++)
        strv_add(&names, r->modules[i].name);
    if (r->ev->begin)
        r->ev->begin(r->ev->arg, &names);
    r->report->rows = node_new_list();
    pool_run(r->count, PARALLEL, job, r);
    judge(r, words);
    if (until_is_cancelled(r->env->until))
        return err_set(e, ERR_INTERRUPTED, "interrupted; not everything was tried");
    if (r->unknown.code == ERR_NONE)
        return 0;
    *e = r->unknown;
    return -1;
}

int check_run(struct check_report *out, struct env *env, const struct strv *words,
              const struct check_events *ev, struct err *e)
{
    auto_node struct node *status = NULL;
    static const struct check_events none = {0};
    struct run run = {
        .env = env, .ev = ev ? ev : &none, .mutex = PTHREAD_MUTEX_INITIALIZER, .report = out};
    int r = -1;

    *out = (struct check_report){0};
    if (look(&status, env, words, e) < 0)
        return -1;
    run.status = status;
    if (choose_modules(&run, words, e) == 0)
        r = run_modules(&run, words, e);
    check_picks_clear(&run.picks);
    free(run.modules);
    return r;
}

void check_report_clear(struct check_report *r)
{
    node_free(r->rows);
    strv_clear(&r->untested);
    *r = (struct check_report){0};
}
