/* SPDX-License-Identifier: MIT */
#include "cmd/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/sig.h"
#include "cmd/out.h"
#include "cmd/status.h"
#include "plan/connect.h"

enum { EXIT_FAILED = 5, DEFAULT_MS = 180000, PARALLEL = 4, TEXT_MAX = 4 << 20, MESSAGE_MAX = 4096 };

static const struct opt_example examples[] = {
    {"slipway check", "everything; exit status 5 when something failed"},
    {"slipway check access ceph-osd", "two modules"},
    {"slipway check access latency", "one test of a module; access.latency means the same"},
    {"slipway check --json | jq .recap", "how many of each; no check ever asks anything"},
    {"slipway check fuse", "whether this host can have volumes as files, and what is missing"},
    {0},
};

static const struct {
    const char *name;
    enum out_color color;
} RESULTS[] = {
    [CHECK_SUCCESS] = {"SUCCESS", OUT_GOOD},    [CHECK_WARNING] = {"WARNING", OUT_WARN},
    [CHECK_FAILED] = {"FAILED", OUT_BAD},       [CHECK_SKIPPED] = {"SKIPPED", OUT_DIM},
    [CHECK_EXCEPTION] = {"EXCEPTION", OUT_BAD},
};

const char *check_result_name(enum check_result r)
{
    return RESULTS[r].name;
}

void check_add(struct check *c, const char *code, enum check_result r, const char *advice,
               const char *fmt, ...)
{
    struct node *n = node_add(c->rows, node_new_map());
    auto_free char *message = NULL;
    const char *dot = strchr(code, '.');
    va_list ap;

    va_start(ap, fmt);
    message = mem_vprintf(fmt, ap);
    va_end(ap);
    node_set_text(n, "module", c->module);
    node_set_text(n, "test", dot ? dot + 1 : code);
    node_set_text(n, "result", RESULTS[r].name);
    node_set_text(n, "code", code);
    node_set_text(n, "message", message);
    if (advice && *advice && r != CHECK_SUCCESS)
        node_set_text(n, "advice", advice);
}

bool check_wants(const struct check *c, const char *test)
{
    return check_pick_has(c->pick, test, test);
}

/* ---- modules -----------------------------------------------------------------------------------
 */

#define MODULE(name) extern const struct check_module check_module_##name;
#include "cmd/check_modules.def"
#undef MODULE

const struct check_module *const check_modules[] = {
#define MODULE(name) &check_module_##name,
#include "cmd/check_modules.def"
#undef MODULE
    NULL};

struct module {
    const char *name;
    const struct check_module *builtin;
    const struct manifest *manifest; /* of a component with a hook check */
    const struct check_pick *pick;   /* NULL: all of its tests */
};

struct run {
    struct cmd_context *x;
    const struct node *status;
    struct module *modules;
    size_t count;
    struct check_picks picks;
    pthread_mutex_t mutex; /* stdout, rows, counts */
    struct node *rows;
    size_t counts[CHECK_RESULT_COUNT];
    size_t width;
    bool color;
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

static void add_module(struct run *r, struct strv *known, struct module m)
{
    strv_add(known, m.name);
    r->modules = mem_grow(r->modules, r->count + 1, sizeof(m));
    r->modules[r->count++] = m;
}

/* Every module that has something to look at here. */
static void find_modules(struct run *r, struct strv *known, const struct strv *words)
{
    const struct catalog *catalog = r->x->catalog;
    const struct check c = {.x = r->x, .status = r->status};
    const struct node *row;

    for (size_t i = 0; check_modules[i]; i++) {
        const struct check_module *m = check_modules[i];

        if (!m->applies || m->applies(&c) || (m->probe && strv_has(words, m->name)))
            add_module(r, known, (struct module){.name = m->name, .builtin = m});
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
        if (strlen(m.name) > r->width)
            r->width = strlen(m.name);
        r->modules[kept++] = m;
    }
    r->count = kept;
    return 0;
}

/* ---- output ------------------------------------------------------------------------------------
 */

static enum check_result result_of(const struct node *row)
{
    const char *name = node_get_text(row, "result");
    int i = 0;

    while (i < CHECK_EXCEPTION && strcmp(RESULTS[i].name, name) != 0)
        i++;
    return i;
}

static void print_row(const struct run *r, const struct node *row)
{
    auto_buf struct buf b = {0};
    enum check_result result = result_of(row);
    const char *advice = node_get_text(row, "advice"), *message = node_get_text(row, "message");

    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "%s%-9s%s  %-*s  ", r->color ? out_escape(RESULTS[result].color) : "",
               RESULTS[result].name, r->color ? out_escape(OUT_PLAIN) : "", (int)r->width,
               node_get_text(row, "module"));
    out_safe(&b, message, strnlen(message, MESSAGE_MAX));
    buf_printf(&b, "%s  [%s]%s\n", r->color ? out_escape(OUT_DIM) : "", node_get_text(row, "code"),
               r->color ? out_escape(OUT_PLAIN) : "");
    if (advice && *advice && result != CHECK_SUCCESS) {
        buf_printf(&b, "%*s", (int)r->width + 13, "");
        out_safe(&b, advice, strnlen(advice, MESSAGE_MAX));
        buf_putc(&b, '\n');
    }
    out_buf(&b);
    fflush(stdout);
}

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

static void take_rows(struct run *r, const struct module *m, struct check *c)
{
    const struct node *row;
    size_t taken = 0;

    if (m->manifest)
        note_unknown(r, c);
    node_for_each (row, c->rows) {
        if (!is_asked_for(c, row))
            continue;
        taken++;
        r->counts[result_of(row)]++;
        if (!r->x->json)
            print_row(r, row);
        node_add(r->rows, node_copy(row));
    }
    if (taken == 0 && c->pick && m->builtin) {
        auto_free char *code = mem_printf("%s.%s", c->module, c->pick->tests.items[0]);

        check_add(c, code, CHECK_SKIPPED, NULL, "there is nothing to look at");
        take_rows(r, m, c);
    }
}

static void job(void *arg, size_t i)
{
    struct run *r = arg;
    const struct module *m = &r->modules[i];
    struct check c = {.x = r->x,
                      .status = r->status,
                      .module = m->name,
                      .pick = m->pick && m->pick->tests.count ? m->pick : NULL,
                      .rows = node_new_list(),
                      .deadline = cmd_deadline(r->x, DEFAULT_MS)};

    if (sig_interrupts()) {
        node_free(c.rows);
        return;
    }
    if (m->builtin)
        m->builtin->run(&c);
    else
        check_component(&c, m->manifest);
    pthread_mutex_lock(&r->mutex);
    take_rows(r, m, &c);
    pthread_mutex_unlock(&r->mutex);
    node_free(c.rows);
}

static int finish(struct run *r)
{
    bool good = r->counts[CHECK_FAILED] + r->counts[CHECK_EXCEPTION] == 0;

    if (r->x->json) {
        auto_node struct node *n = node_new_map();
        struct node *recap;

        node_set_text(n, "environment", r->x->env);
        node_set_bool(n, "ok", good && !sig_interrupts() && !r->unknown.code);
        recap = node_set(n, "recap", node_new_map());
        for (int i = 0; i < CHECK_RESULT_COUNT; i++)
            node_set_int(recap, RESULTS[i].name, (int64_t)r->counts[i]);
        node_set(n, "results", steal(r->rows));
        out_json(n);
    } else {
        printf("\n%s%s: %s%s", r->color ? out_escape(OUT_BOLD) : "", r->x->env,
               sig_interrupts() ? "interrupted"
               : good           ? "good"
                                : "NOT good",
               r->color ? out_escape(OUT_PLAIN) : "");
        for (int i = 0; i < CHECK_RESULT_COUNT; i++)
            if (r->counts[i] || i == CHECK_SUCCESS)
                printf(", %zu %s", r->counts[i], RESULTS[i].name);
        putchar('\n');
    }
    return good ? 0 : EXIT_FAILED;
}

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

static int look(struct node **status, struct cmd_context *x, const struct strv *words,
                struct err *e)
{
    bool probe = is_probe(words);

    if (cmd_prepare(x, CMD_NEEDS_CONTAINERS, e) < 0) {
        if (!probe || e->code != ERR_NOTFOUND)
            return -1;
        err_drop(e, "no environment to look at");
    }
    *status = probe ? node_new_map() : NULL;
    return probe ? 0 : status_read(status, x, e);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    auto_node struct node *status = NULL;
    struct run r = {.x = x,
                    .mutex = PTHREAD_MUTEX_INITIALIZER,
                    .color = out_has_color(x, stdout),
                    .rows = node_new_list()};
    int result = -1;

    (void)options;
    if (look(&status, x, operands, e) == 0) {
        r.status = status;
        if (choose_modules(&r, operands, e) == 0) {
            pool_run(r.count, PARALLEL, job, &r);
            result = finish(&r);
            if (sig_interrupts())
                result = err_set(e, ERR_INTERRUPTED, "interrupted; not everything was tried");
            else if (r.unknown.code) {
                *e = r.unknown;
                result = -1;
            }
        }
    }
    check_picks_clear(&r.picks);
    free(r.modules);
    node_free(r.rows);
    return result;
}

const struct cmd cmd_check = {
    .help = {.name = "check",
             .summary = "try the environment, every component by its own check; exit 5: something "
                        "failed",
             .args = "[MODULE [TEST ...] ...]",
             .details =
                 "Modules: instances, access (to etcd), host (space and permissions on this "
                 "machine), containers (ports, names, zombies, logs, processes, permissions in "
                 "them), fuse (what this host needs for volumes as files; works before there is an "
                 "environment), volumes (one of its own, written and read through every driver), "
                 "and every component of the environment that has a hook `check`. A word behind a "
                 "module that is no module is one of its tests, by the name or the code that the "
                 "module prints. Each test says SUCCESS, WARNING, FAILED, SKIPPED, or EXCEPTION "
                 "when it could not be carried out, a code that stays the same over versions, and "
                 "advice; the last line counts them. Exit 5: something FAILED or was an EXCEPTION.",
             .examples = examples,
             .group = "Environments"},
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CATALOG | CMD_NEEDS_ENGINE,
    .max_operands = -1,
    .run = run,
};
