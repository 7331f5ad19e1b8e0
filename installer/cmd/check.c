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

/* ---- modules -----------------------------------------------------------------------------------
 */

struct module {
    const char *name;
    void (*builtin)(struct check *c);
    const struct manifest *manifest; /* of a component with a hook check */
};

struct run {
    struct cmd_context *x;
    const struct node *status;
    struct module *modules;
    size_t count;
    pthread_mutex_t mutex; /* stdout, rows, counts */
    struct node *rows;
    size_t counts[CHECK_RESULT_COUNT];
    size_t width;
    bool color;
};

static bool is_wanted(const struct strv *words, const char *name)
{
    return words->count == 0 || strv_has(words, name);
}

/* The environment shows mounts on the host, or somebody asks. */
static bool wants_fuse(const struct run *r, const struct strv *words)
{
    const struct node *row;

    if (strv_has(words, "fuse"))
        return true;
    node_for_each (row, node_get(r->status, "instances")) {
        const struct manifest *m = catalog_find(r->x->catalog, node_get_text(row, "component"));

        if (m && m->run.shared_mount)
            return true;
    }
    return false;
}

static void add_module(struct run *r, const struct strv *words, struct module m, struct strv *known)
{
    strv_add(known, m.name);
    if (!is_wanted(words, m.name))
        return;
    r->modules = mem_grow(r->modules, r->count + 1, sizeof(m));
    r->modules[r->count++] = m;
    if (strlen(m.name) > r->width)
        r->width = strlen(m.name);
}

/* Without the folder nobody knows whether it has a hook. */
static void check_unknown(struct check *c)
{
    auto_free char *code = mem_printf("%s.check", c->module);

    check_add(c, code, CHECK_SKIPPED, "name its folder with --catalog", "%s is not in the catalog",
              c->module);
}

static int choose_modules(struct run *r, const struct strv *words, struct err *e)
{
    auto_strv struct strv known = {0};
    const struct catalog *catalog = r->x->catalog;
    const struct check c = {.x = r->x, .status = r->status};
    const struct node *row;

    add_module(r, words, (struct module){.name = "instances", .builtin = check_instances}, &known);
    add_module(r, words, (struct module){.name = "access", .builtin = check_access}, &known);
    if (wants_fuse(r, words))
        add_module(r, words, (struct module){.name = "fuse", .builtin = check_fuse}, &known);
    if (check_has_drivers(&c))
        add_module(r, words, (struct module){.name = "volumes", .builtin = check_volumes}, &known);
    for (size_t i = 0; i < catalog->count; i++) {
        const struct manifest *m = catalog->items[i];
        auto_free char *hook = manifest_hook(m, "check");

        if (hook && check_has_instances(&c, m->name))
            add_module(r, words, (struct module){.name = m->name, .manifest = m}, &known);
    }
    node_for_each (row, node_get(r->status, "instances")) {
        const char *component = node_get_text(row, "component");

        if (*component && !catalog_find(catalog, component) && !strv_has(&known, component))
            add_module(r, words, (struct module){.name = component, .builtin = check_unknown},
                       &known);
    }
    for (size_t i = 0; i < words->count; i++)
        if (!strv_has(&known, words->items[i])) {
            auto_free char *list = strv_join(&known, ", ");

            return err_set(e, ERR_USAGE, "there is no check %s here; there are: %s",
                           words->items[i], list);
        }
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

static void job(void *arg, size_t i)
{
    struct run *r = arg;
    const struct module *m = &r->modules[i];
    struct check c = {.x = r->x,
                      .status = r->status,
                      .module = m->name,
                      .rows = node_new_list(),
                      .deadline = cmd_deadline(r->x, DEFAULT_MS)};
    const struct node *row;

    if (sig_interrupts()) {
        node_free(c.rows);
        return;
    }
    if (m->builtin)
        m->builtin(&c);
    else
        check_component(&c, m->manifest);
    pthread_mutex_lock(&r->mutex);
    node_for_each (row, c.rows) {
        r->counts[result_of(row)]++;
        if (!r->x->json)
            print_row(r, row);
        node_add(r->rows, node_copy(row));
    }
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
        node_set_bool(n, "ok", good);
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

/* The probe of the host works before there is an environment. */
static int look(struct node **status, struct cmd_context *x, const struct strv *words,
                struct err *e)
{
    bool probe = words->count == 1 && strcmp(words->items[0], "fuse") == 0;

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
        }
    }
    free(r.modules);
    node_free(r.rows);
    return result;
}

const struct cmd cmd_check = {
    .help = {.name = "check",
             .summary = "try the environment, every component by its own check; exit 5: something "
                        "failed",
             .args = "[MODULE ...]",
             .details =
                 "Modules: instances, access (to etcd), fuse (what this host needs for volumes as "
                 "files; works before there is an environment), volumes (one of its own, written "
                 "and read through every driver), and every component of the environment that has "
                 "a hook `check`. Each test says SUCCESS, WARNING, FAILED, SKIPPED, or EXCEPTION "
                 "when it "
                 "could not be carried out, a code that stays the same over versions, and advice.",
             .examples = examples,
             .group = "Environments"},
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CATALOG | CMD_NEEDS_ENGINE,
    .max_operands = -1,
    .run = run,
};
