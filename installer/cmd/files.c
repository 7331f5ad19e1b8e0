/* SPDX-License-Identifier: MIT */
/* files: where everything of an environment lies on this machine. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/instances.h"
#include "cmd/out.h"
#include "cmd/source.h"
#include "plan/connect.h"
#include "plan/host_dir.h"

enum { TEXT_MAX = 4 << 20 };

struct files_options {
    bool logs;
};

static const struct opt_spec options[] = {
    {"logs", 0, OPT_FLAG, NULL, "the files in which Docker keeps what instances print, too",
     offsetof(struct files_options, logs)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway files", "what to back up, and where the data lies"},
    {"slipway files --json | jq -r '.[] | select(.what == \"data\").path'", "for programs"},
    {0},
};

/* ---- what there is: [{"what","of","path","there","bytes"}] --------------------------------------
 */

static void add(struct node *list, const char *what, const char *of, const char *path)
{
    struct node *n = node_add(list, node_new_map());
    struct stat st;
    bool seen = stat(path, &st) == 0;

    node_set_text(n, "what", what);
    if (of)
        node_set_text(n, "of", of);
    node_set_text(n, "path", path);
    /* What only root may look at is there when Docker says so. */
    node_set_bool(n, "there", seen || errno == EACCES);
    if (seen && S_ISREG(st.st_mode))
        node_set_int(n, "bytes", st.st_size);
}

static void add_home(struct node *list, const struct cmd_context *x)
{
    static const struct {
        const char *what, *name;
        bool always;
    } rows[] = {
        {"key", "key", true},    {"document", "document.json", true}, {"journal", "journal", false},
        {"lock", "lock", false}, {"links", "links", false},
    };
    auto_free char *home = secret_home(x->env);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *path = fs_join(home, rows[i].name);

        if (rows[i].always || fs_exists(path))
            add(list, rows[i].what, NULL, path);
    }
}

static void add_program(struct node *list, const struct cmd_context *x)
{
    auto_free char *source = x->file ? mem_strdup(x->file) : source_load(x->env);

    if (source)
        add(list, "file", NULL, source);
    else if (strcmp(x->env, "demo") == 0)
        add(list, "file", NULL, x->paths.demo);
    add(list, "catalog", NULL, x->paths.components);
    for (size_t i = 0; i < x->catalogs.count; i++)
        add(list, "catalog", NULL, x->catalogs.items[i]);
    add(list, "images", NULL, x->paths.dockerfiles);
    add(list, "program", NULL, x->paths.init);
    add(list, "program", NULL, x->paths.agent);
}

/* A folder of the host that the instance sees. */
static void add_folder(struct node *list, const struct node *container, const char *env,
                       const char *instance)
{
    const struct node *mounts = node_get(container, "Mounts"), *m;
    auto_free char *path = host_dir_path(env, instance);

    node_for_each (m, mounts) {
        const char *source = node_get_text(m, "Source");

        if (source && strcmp(source, path) == 0)
            add(list, "folder", instance, path);
    }
}

static void add_log(struct node *list, struct cmd_context *x, const struct node *container,
                    const char *instance)
{
    auto_node struct node *seen = NULL;
    const char *path;
    struct err e;

    if (engine_container_inspect(&seen, x->engine, node_get_text(container, "Id"), &e) < 0) {
        err_drop(&e, "the log file of an instance");
        return;
    }
    path = node_get_text(seen, "LogPath");
    if (path && *path)
        add(list, "log", instance, path);
}

static int by_name(const void *a, const void *b)
{
    const struct node *const *p = a, *const *q = b;
    const char *x = node_get_text(*p, "Name"), *y = node_get_text(*q, "Name");

    return strverscmp(x ? x : "", y ? y : "");
}

/* Volumes of instances that are gone too: they keep data. */
static int add_engine(struct node *list, struct cmd_context *x, bool logs, struct err *e)
{
    auto_free char *label = mem_printf("%s=%s", LABEL_ENV, x->key.uuid);
    auto_node struct node *volumes = NULL;
    auto_strv struct strv names = {0};
    const struct node *v;

    if (cmd_prepare(x, CMD_NEEDS_CONTAINERS, e) < 0 ||
        engine_volume_list(&volumes, x->engine, label, e) < 0)
        return -1;
    if (volumes->count > 1)
        qsort(volumes->items, volumes->count, sizeof(struct node *), by_name);
    node_for_each (v, volumes) {
        const char *path = node_get_text(v, "Mountpoint");

        if (path)
            add(list, "data", connect_label(v, LABEL_INSTANCE), path);
    }
    instances_all(&names, x);
    for (size_t i = 0; i < names.count; i++) {
        const struct node *c = connect_find(x->containers, names.items[i]);

        add_folder(list, c, x->env, names.items[i]);
        if (logs)
            add_log(list, x, c, names.items[i]);
    }
    return 0;
}

/* ---- the command -------------------------------------------------------------------------------
 */

static void add_size(struct out_table *t, const struct node *n)
{
    int64_t bytes = node_get_int(n, "bytes", 0);

    if (!node_get_bool(n, "there", false))
        out_table_add(t, "missing", OUT_WARN);
    else if (!node_get(n, "bytes"))
        out_table_add(t, "folder", OUT_DIM);
    else if (bytes < 10 * 1024)
        out_table_addf(t, OUT_PLAIN, "%" PRId64 " B", bytes);
    else
        out_table_addf(t, OUT_PLAIN, "%" PRId64 " KiB", bytes >> 10);
}

static void print(const struct cmd_context *x, const struct node *list)
{
    static const char *const heads[] = {"WHAT", "OF", "SIZE", "PATH", NULL};
    struct out_table *t = out_table_new(heads);
    auto_buf struct buf b = {0};
    const struct node *n;

    buf_init(&b, TEXT_MAX);
    node_for_each (n, list) {
        out_table_add(t, node_get_text(n, "what"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "of"), OUT_PLAIN);
        add_size(t, n);
        out_table_add(t, node_get_text(n, "path"), OUT_PLAIN);
    }
    out_table_format(&b, t, out_has_color(x, stdout));
    out_table_free(t);
    out_buf(&b);
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct files_options *o = opts;
    auto_node struct node *list = node_new_list();
    struct err docker;

    (void)operands;
    if (secret_load_key(&x->key, x->env, e) < 0)
        return e->code == ERR_NOTFOUND
                   ? err_set(e, ERR_NOTFOUND, "environment %s is not known on this machine", x->env)
                   : -1;
    add_home(list, x);
    add_program(list, x);
    if (add_engine(list, x, o->logs, &docker) < 0)
        log_warn("where the data lies is not known: %s", docker.msg);
    if (x->json)
        out_json(list);
    else
        print(x, list);
    return 0;
}

const struct cmd cmd_files = {
    .help = {.name = "files",
             .summary = "where an environment's key, document, data and programs lie",
             .details =
                 "key: all passwords derive from it; the one file to back up. document: the "
                 "operator's copy of what the environment was made from; that of etcd counts. "
                 "file: the one that `up` was given last. journal: there after a run that "
                 "was cut short. lock: whom another run on this machine waits for. links: of "
                 "instances with a read-only root. catalog, images, program: what components are "
                 "made from. data: the volumes. folder: what the host shares with an instance. "
                 "log: see --logs.\n\nWorks without Docker too, without data and folders then.",
             .options = options,
             .examples = examples,
             .group = "Environments"},
    .options_size = sizeof(struct files_options),
    .needs = CMD_NEEDS_NAME,
    .run = run,
};
