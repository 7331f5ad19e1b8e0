/* SPDX-License-Identifier: MIT */
/* new: writes an environment document; asks on a terminal, takes options otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "conf/yaml.h"

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
    struct strv components; /* "ceph-osd=3" */
};

/* An empty answer is the default. */
static char *ask(const char *question, const char *fallback)
{
    char answer[ANSWER_MAX] = "";

    fprintf(stderr, "%s [%s]: ", question, fallback);
    if (!out_ask(answer, sizeof(answer)))
        return NULL;
    return mem_strdup(answer[0] ? answer : fallback);
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
        if (spec_name_is_valid(w->name))
            return 0;
        if (w->o->name || !w->ask)
            break;
        fprintf(stderr, "%s is no name: a-z, 0-9 and -, at most 40, a letter first\n", w->name);
    }
    return err_set(e, ERR_USAGE, "%s is no name of an environment: a-z, 0-9 and -, at most 40",
                   w->name);
}

static int choose_profile(struct wish *w, struct err *e)
{
    w->profile = w->o->profile ? mem_strdup(w->o->profile)
                 : w->ask      ? ask("Profile: quick (test) or production", "quick")
                               : mem_strdup("production");
    return w->profile ? 0 : err_set(e, ERR_INTERRUPTED, "no answer; nothing was written");
}

/* Those of the built-in demo: a storage cluster. */
static int default_components(struct wish *w, struct err *e)
{
    auto_node struct node *demo = NULL;
    const struct node *c, *components;

    if (yaml_load(&demo, w->x->paths.demo, e) < 0)
        return -1;
    components = node_get(demo, "components");
    node_for_each (c, components) {
        strv_addf(&w->components, "%s=%d", c->key, (int)node_get_int(c, "instances", 1));
    }
    return 0;
}

/* Whether so many instances may be; 0 is no component at all, which etcd must be. */
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

static char *ask_count(const struct manifest *m)
{
    auto_free char *hint = count_hint(m);
    auto_free char *question = mem_printf("%s: %s\n  %s", m->name, m->summary, hint);
    auto_free char *fallback = mem_printf("%d", m->instances_default);
    char *answer = NULL;

    for (int i = 0; i < ASK_MAX; i++) {
        free(answer);
        answer = ask(question, fallback);
        if (!answer || is_allowed(m, answer))
            return answer;
        fprintf(stderr, "%s does not fit\n", answer);
    }
    return answer;
}

static int ask_components(struct wish *w, struct err *e)
{
    for (size_t i = 0; i < w->x->catalog->count; i++) {
        const struct manifest *m = w->x->catalog->items[i];
        auto_free char *answer = ask_count(m);

        if (!answer)
            return err_set(e, ERR_INTERRUPTED, "no answer; nothing was written");
        if (strcmp(answer, "0") != 0)
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
    return default_components(w, e);
}

static int build(struct node **out, const struct wish *w, struct err *e)
{
    auto_node struct node *root = node_new_map();
    struct node *components;

    node_set_int(root, "slipway", 1);
    node_set_text(root, "name", w->name);
    node_set_text(root, "profile", w->profile);
    components = node_set(root, "components", node_new_map());
    node_set(components, "etcd", node_new_map());
    for (size_t i = 0; i < w->components.count; i++) {
        const char *word = w->components.items[i], *equal = strchr(word, '=');
        auto_free char *name = equal ? mem_strndup(word, (size_t)(equal - word)) : mem_strdup(word);
        const struct manifest *m = catalog_find(w->x->catalog, name);
        struct node *map, *count;
        char *end;
        long n = equal ? strtol(equal + 1, &end, 10) : m ? m->instances_default : 1;

        if (equal && (*end || end == equal + 1 || n < 0 || n > 100000))
            return err_set(e, ERR_USAGE, "%s: %s is no number of instances", name, equal + 1);
        map = node_new_map();
        count = node_new_number(n);
        node_set(map, "instances", count);
        node_set(components, name, map);
    }
    if (node_get(components, "etcd")->count == 0)
        node_set_int(node_get(components, "etcd"), "instances", 1);
    *out = steal(root);
    return 0;
}

/* Never over a file that is there. */
static int write_file(const char *path, const struct buf *b, struct err *e)
{
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0 && errno == EEXIST)
        return err_set(e, ERR_CONFLICT, "%s is there already; name another file with --output",
                       path);
    if (fd < 0)
        return err_sys(e, "making %s", path);
    if (write(fd, buf_str(b), b->len) != (ssize_t)b->len)
        return err_sys(e, "writing %s", path);
    return 0;
}

static int check(const struct wish *w, const struct node *document, struct err *e)
{
    struct problems p;
    struct spec *s;
    int r = 0;

    problems_init(&p, "the new document");
    s = spec_decode(document, w->x->catalog, &p);
    if (!s)
        r = problems_result(&p, e);
    problems_clear(&p);
    spec_free(s);
    return r;
}

static int produce(struct wish *w, struct err *e)
{
    auto_node struct node *document = NULL;
    auto_buf struct buf b = {0};
    auto_free char *path = NULL;

    buf_init(&b, TEXT_MAX);
    if (choose_name(w, e) < 0 || choose_profile(w, e) < 0 || choose_components(w, e) < 0 ||
        build(&document, w, e) < 0 || check(w, document, e) < 0)
        return -1;
    buf_puts(&b, "# An environment of Slipway; `slipway catalog show COMPONENT` lists what can be "
                 "configured.\n");
    yaml_format(&b, document);
    if (w->o->output && strcmp(w->o->output, "-") == 0) {
        fwrite(buf_str(&b), 1, b.len, stdout);
        return 0;
    }
    path = w->o->output ? mem_strdup(w->o->output) : mem_printf("%s.yaml", w->name);
    if (write_file(path, &b, e) < 0)
        return -1;
    if (!w->x->quiet)
        printf("%s is written; `slipway up %s` brings it about\n", path, path);
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
    strv_clear(&o->components);
    return r;
}

const struct cmd cmd_new = {
    .help = {.name = "new",
             .summary = "write an environment document",
             .args = "[NAME]",
             .details = "Asks on a terminal, unless the components are named. A file that is "
                        "there is never overwritten.",
             .options = options,
             .examples = examples,
             .group = "Documents"},
    .options_size = sizeof(struct new_options),
    .needs = CMD_NEEDS_CATALOG,
    .max_operands = 1,
    .run = run,
};
