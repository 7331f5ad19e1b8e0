/* SPDX-License-Identifier: MIT */
/* new: writes an environment document; asks on a terminal, takes options otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "conf/yaml.h"
#include "env/new.h"

enum { TEXT_MAX = 1 << 20, ANSWER_MAX = 256, ASK_MAX = 5 };

struct new_options {
    const char *name, *profile, *output;
    struct strv components;
    bool yes;
};

static const struct opt_spec options[] = {
    {"name", 'n', OPT_STRING, "NAME", "of the environment: a-z, 0-9, -; also the file's name",
     offsetof(struct new_options, name)},
    {"profile", 'p', OPT_STRING, "PROFILE", "production (default) or quick",
     offsetof(struct new_options, profile)},
    {"components", 'c', OPT_LIST, "NAME[=COUNT],...",
     "which components, and how many instances of each (default: those of the demo)",
     offsetof(struct new_options, components)},
    {"output", 'o', OPT_STRING, "FILE", "where to write; - is standard output",
     offsetof(struct new_options, output)},
    {"yes", 'y', OPT_FLAG, NULL, "ask nothing", offsetof(struct new_options, yes)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway new", "asks, and writes NAME.yaml"},
    {"slipway new -n test -p quick -c ceph-mon=1,ceph-mgr,ceph-osd=3", "asks nothing"},
    {0},
};

struct wish {
    struct new_options *o;
    struct cmd_context *x;
    bool ask;
    char *name, *profile;
    struct strv components;   /* "ceph-osd=3" */
    struct strv chosen, none; /* names: of those; of the ones that were answered with 0 */
};

/* An empty answer is the default. */
static char *ask(const char *question, const char *fallback)
{
    char answer[ANSWER_MAX] = "";

    out_prompt("%s [%s]: ", question, fallback);
    if (!out_ask(answer, sizeof(answer)))
        return NULL;
    return mem_strdup(answer[0] ? answer : fallback);
}

/* Whether the file that would be named after it is there. */
static bool is_taken(const struct wish *w)
{
    auto_free char *path = mem_printf("%s.yaml", w->name);

    return !w->o->output && spec_name_is_valid(w->name) && fs_exists(path);
}

static int choose_name(struct wish *w, struct err *e)
{
    for (int i = 0; i < ASK_MAX; i++) {
        free(w->name);
        w->name = w->o->name ? mem_strdup(w->o->name)
                  : w->ask   ? ask("Name of the environment", "demo")
                             : mem_strdup("demo");
        if (!w->name)
            return err_set(e, ERR_INTERRUPTED, "no answer; nothing was written");
        if (spec_name_is_valid(w->name) && !(w->ask && is_taken(w)))
            return 0;
        if (w->o->name || !w->ask)
            break;
        if (is_taken(w))
            out_line(stderr, "%s.yaml is there already", w->name);
        else
            out_line(stderr, "%s is not a valid name: a-z, 0-9 and -, at most 40, a letter first",
                     w->name);
    }
    if (spec_name_is_valid(w->name))
        return err_set(e, ERR_CONFLICT, "%s.yaml is there already; name another file with --output",
                       w->name);
    return err_set(e, ERR_USAGE, "%s is not a valid environment name: a-z, 0-9 and -, at most 40",
                   w->name);
}

/* "production" and what the components name; owned. */
static void known_profiles(struct strv *out, const struct catalog *c)
{
    const struct node *p;

    strv_add(out, "production");
    for (size_t i = 0; i < c->count; i++) {
        node_for_each (p, c->items[i]->profiles) {
            if (!strv_has(out, p->key))
                strv_add(out, p->key);
        }
    }
}

static int choose_profile(struct wish *w, struct err *e)
{
    auto_strv struct strv known = {0};
    auto_free char *list = NULL, *question = NULL;

    known_profiles(&known, w->x->env->catalog);
    list = strv_join(&known, ", ");
    question = mem_printf("Profile: %s (quick is for tests)", list);
    for (int i = 0; i < ASK_MAX; i++) {
        free(w->profile);
        w->profile = w->o->profile ? mem_strdup(w->o->profile)
                     : w->ask      ? ask(question, "quick")
                                   : mem_strdup("production");
        if (!w->profile)
            return err_set(e, ERR_INTERRUPTED, "no answer; nothing was written");
        if (strv_has(&known, w->profile))
            return 0;
        if (w->o->profile || !w->ask)
            break;
        out_line(stderr, "no component has a profile %s; there are: %s", w->profile, list);
    }
    return err_set(e, ERR_USAGE, "no component has a profile %s; there are: %s", w->profile, list);
}

/* Whether so many instances may be; 0 means none at all, which etcd must be. */
static bool is_allowed(const struct manifest *m, const char *answer)
{
    char *end;
    long n = strtol(answer, &end, 10);

    if (*end || end == answer)
        return false;
    if (n == 0)
        return strcmp(m->name, "etcd") != 0;
    return m->instances_allowed.count ? strv_has(&m->instances_allowed, answer)
                                      : n >= m->instances_min && n <= m->instances_max;
}

static char *count_hint(const struct manifest *m)
{
    auto_free char *allowed = strv_join(&m->instances_allowed, ", ");
    bool needed = strcmp(m->name, "etcd") == 0;

    return *allowed ? mem_printf("instances: %s%s", allowed, needed ? "" : ", or 0 for none")
                    : mem_printf("instances: %d to %d%s", m->instances_min, m->instances_max,
                                 needed ? "" : ", or 0 for none");
}

/* Why the answer, which the component itself allows, does not go with those before it; owned, or
 * NULL. */
static char *contradiction(const struct wish *w, const struct manifest *m, const char *answer)
{
    bool left_out = strtol(answer, NULL, 10) == 0;

    for (size_t i = 0; left_out && i < w->chosen.count; i++)
        if (strv_has(&catalog_find(w->x->env->catalog, w->chosen.items[i])->requires, m->name))
            return mem_printf("%s needs %s", w->chosen.items[i], m->name);
    for (size_t i = 0; !left_out && i < m->requires.count; i++)
        if (strv_has(&w->none, m->requires.items[i]))
            return mem_printf("%s needs %s, which was left out", m->name, m->requires.items[i]);
    return NULL;
}

static char *ask_count(const struct wish *w, const struct manifest *m)
{
    auto_free char *hint = count_hint(m);
    auto_free char *question = mem_printf("%s: %s\n  %s", m->name, m->summary, hint);
    auto_free char *fallback = mem_printf("%d", m->instances_default);

    for (int i = 0; i < ASK_MAX; i++) {
        auto_free char *answer = ask(question, fallback);
        auto_free char *why = NULL;

        if (!answer)
            return NULL;
        if (!is_allowed(m, answer))
            why = mem_printf("%s does not fit: %s", answer, hint);
        else
            why = contradiction(w, m, answer);
        if (!why)
            return steal(answer);
        out_line(stderr, "%s", why);
    }
    return NULL;
}

static int ask_components(struct wish *w, struct err *e)
{
    for (size_t i = 0; i < w->x->env->catalog->count; i++) {
        const struct manifest *m = w->x->env->catalog->items[i];
        auto_free char *answer = ask_count(w, m);

        if (!answer)
            return err_set(e, ERR_INTERRUPTED, "no answer that fits; nothing was written");
        strv_add(strtol(answer, NULL, 10) ? &w->chosen : &w->none, m->name);
        if (strtol(answer, NULL, 10))
            strv_addf(&w->components, "%s=%s", m->name, answer);
    }
    return 0;
}

static int choose_components(struct wish *w, struct err *e)
{
    for (size_t i = 0; i < w->o->components.count; i++)
        strv_split(&w->components, w->o->components.items[i], ",");
    if (w->components.count)
        return 0;
    if (w->ask)
        return ask_components(w, e);
    return env_new_defaults(&w->components, w->x->env, e);
}

static bool holds(const char *path, const struct buf *b)
{
    auto_free char *text = NULL;
    struct err none;

    return fs_read(&text, NULL, path, TEXT_MAX, &none) == 0 && strcmp(text, buf_str(b)) == 0;
}

/* Never over a file that is there. *already: it holds just this. */
static int write_file(bool *already, const char *path, const struct buf *b, struct err *e)
{
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    *already = fd < 0 && errno == EEXIST && holds(path, b);
    if (*already)
        return 0;
    if (fd < 0 && errno == EEXIST)
        return err_set(e, ERR_CONFLICT, "%s is there already; name another file with --output",
                       path);
    if (fd < 0)
        return err_sys(e, "making %s", path);
    if (fs_write_all(fd, buf_str(b), b->len) == 0)
        return 0;
    err_sys(e, "writing %s", path);
    (void)unlink(path); /* half a document is in the way of the next try */
    return -1;
}

static int produce(struct wish *w, struct err *e)
{
    auto_node struct node *document = NULL;
    auto_buf struct buf b = {0};
    auto_free char *path = NULL;
    struct env_new n = {.components = &w->components};
    bool already;

    buf_init(&b, TEXT_MAX);
    if (choose_name(w, e) < 0 || choose_profile(w, e) < 0 || choose_components(w, e) < 0)
        return -1;
    n.name = w->name;
    n.profile = w->profile;
    if (env_new(&document, w->x->env, &n, e) < 0)
        return -1;
    buf_puts(&b, "# An environment of Slipway; `slipway catalog show COMPONENT` lists what can be "
                 "configured.\n");
    yaml_format(&b, document);
    if (w->o->output && strcmp(w->o->output, "-") == 0 && w->x->json) {
        out_json(document);
        return 0;
    }
    if (w->o->output && strcmp(w->o->output, "-") == 0) {
        fwrite(buf_str(&b), 1, b.len, stdout);
        return 0;
    }
    path = w->o->output ? mem_strdup(w->o->output) : mem_printf("%s.yaml", w->name);
    if (write_file(&already, path, &b, e) < 0)
        return -1;
    w->x->env->changed = !already;
    if (w->x->json) {
        auto_node struct node *said = node_new_map();

        node_set_text(said, "environment", w->name);
        node_set_text(said, "path", path);
        node_set_bool(said, "already", already);
        out_json(said);
    } else if (!w->x->quiet)
        out_line(stdout, "%s is %swritten; `slipway up %s` applies it", path,
                 already ? "already " : "", path);
    return 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct new_options *o = opts;
    struct wish w = {.o = o, .x = x};
    int r;

    if (operands->count)
        o->name = operands->items[0];
    w.ask = isatty(STDIN_FILENO) && !o->yes && !o->components.count;
    r = produce(&w, e);
    free(w.name);
    free(w.profile);
    strv_clear(&w.components);
    strv_clear(&w.chosen);
    strv_clear(&w.none);
    strv_clear(&o->components);
    return r;
}

const struct cmd cmd_new = {
    .help = {.name = "new",
             .summary = "write an environment document",
             .args = "[NAME]",
             .details = "Asks on a terminal, unless the components are named. A file that is "
                        "there is never overwritten; one that says just the same is well.",
             .options = options,
             .examples = examples,
             .group = "Documents"},
    .options_size = sizeof(struct new_options),
    .needs = ENV_NEEDS_WHOLE_CATALOG,
    .max_operands = 1,
    .run = run,
};
