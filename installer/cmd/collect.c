/* SPDX-License-Identifier: MIT */
/* collect: what somebody who is to help wants to see, in one file, without secrets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/out.h"
#include "env/status.h"
#include "conf/json.h"
#include "conf/text.h"
#include "conf/yaml.h"
#include "engine/tar.h"
#include "plan/object.h"
#include "plan/document.h"

enum { TAIL_LINES = 2000, TEXT_MAX = 16 << 20, JOURNAL_MAX = 16 << 20 };

struct collect {
    struct cmd_context *x;
    char *folder; /* of the archive: slipway-demo-2026-01-31-235959 */
    struct buf tar;
    struct strv missing; /* "what: why" */
};

/* ---- secrets ---- */

/* All that derives from the environment key and is one word is taken out of every text. */
static void redact_instance(const struct cmd_context *x, const struct node *container)
{
    const char *instance = object_label(container, LABEL_INSTANCE);
    const char *component = object_label(container, LABEL_COMPONENT);
    const struct manifest *m = component ? catalog_find(x->env->catalog, component) : NULL;
    auto_wipe char *password = instance ? secret_password(&x->env->key, instance, 1) : NULL;
    struct err e;

    log_redact(password);
    for (size_t i = 0; m && i < m->secret_count; i++) {
        auto_wipe char *value = NULL;

        if (secret_is_pem(m->secrets[i].kind))
            continue; /* text_strip_private_keys */
        if (secret_value(&value, &x->env->key, &m->secrets[i], instance, NULL, &e) < 0)
            err_drop(&e, "a secret to be left out");
        log_redact(value);
    }
}

static void redact_all(const struct cmd_context *x)
{
    auto_wipe char *root = secret_password(&x->env->key, "root", 1);
    const struct node *c;
    char hex[65];

    for (size_t i = 0; i < sizeof(x->env->key.bytes); i++)
        snprintf(hex + 2 * i, 3, "%02x", x->env->key.bytes[i]);
    log_redact(hex);
    explicit_bzero(hex, sizeof(hex));
    log_redact(root);
    node_for_each (c, x->env->containers) {
        redact_instance(x, c);
    }
}

/* ---- the archive ---- */

static void add(struct collect *c, const char *name, const char *text)
{
    static const char zero[TAR_END];
    auto_free char *path = mem_printf("%s/%s", c->folder, name);
    auto_free char *clean = mem_strdup(text);
    struct tar_entry n = {
        .kind = TAR_KIND_FILE, .name = path, .mode = 0600, .mtime = clock_wall_ms() / 1000};

    log_redact_text(clean);
    text_strip_private_keys(clean);
    n.size = strlen(clean);
    tar_header(&c->tar, &n);
    buf_puts(&c->tar, clean);
    buf_add(&c->tar, zero, tar_padding(n.size));
}

static void add_json(struct collect *c, const char *name, const struct node *n)
{
    auto_buf struct buf b = {0};

    buf_init(&b, TEXT_MAX);
    json_format(&b, n, 2);
    buf_putc(&b, '\n');
    add(c, name, buf_str(&b));
}

static void miss(struct collect *c, const char *what, const struct err *e)
{
    strv_addf(&c->missing, "%s: %s", what, e->msg);
}

/* ---- what goes in ---- */

static void add_environment(struct collect *c)
{
    auto_node struct node *status = NULL, *document = NULL, *docker = NULL;
    auto_free char *path = fs_join(c->x->env->folder, "journal");
    auto_free char *journal = NULL;
    auto_buf struct buf yaml = {0};
    struct err e;

    add(c, "version.txt", "slipway " SLIPWAY_VERSION "\n");
    if (status_read(&status, c->x->env, &e) < 0)
        miss(c, "status.json", &e);
    else
        add_json(c, "status.json", status);
    buf_init(&yaml, TEXT_MAX);
    if (document_load(&document, c->x->env->folder, &e) < 0) {
        miss(c, "document.yaml", &e);
    } else {
        yaml_format(&yaml, document);
        add(c, "document.yaml", buf_str(&yaml));
    }
    if (engine_info(&docker, c->x->env->engine, &e) < 0)
        miss(c, "docker.json", &e);
    else
        add_json(c, "docker.json", docker);
    /* There only after a run that did not end well. */
    if (!fs_exists(path))
        return;
    if (fs_read(&journal, NULL, path, JOURNAL_MAX, &e) < 0)
        miss(c, "journal.json", &e);
    else
        add(c, "journal.json", journal);
}

static void on_line(void *arg, int stream, const char *text, size_t len)
{
    struct buf *b = arg;

    (void)stream;
    out_safe(b, text, len);
    buf_putc(b, '\n');
}

static void add_instance(struct collect *c, const struct node *container)
{
    const char *id = node_get_text(container, "Id");
    const char *instance = object_label(container, LABEL_INSTANCE);
    auto_free char *inspect = mem_printf("containers/%s.json", instance);
    auto_free char *logs = mem_printf("logs/%s.log", instance);
    auto_node struct node *seen = NULL;
    auto_buf struct buf text = {0};
    struct engine_log_opts o = {
        .timestamps = true, .tail = TAIL_LINES, .line = on_line, .arg = &text};
    struct err e;

    if (engine_container_inspect(&seen, c->x->env->engine, id, &e) < 0)
        miss(c, inspect, &e);
    else
        add_json(c, inspect, seen);
    buf_init(&text, TEXT_MAX);
    if (engine_container_logs(c->x->env->engine, id, &o, &e) < 0)
        miss(c, logs, &e);
    if (text.len)
        add(c, logs, buf_str(&text));
}

/* ---- the file ---- */

/* Never over a file that is there; for the operator alone. */
static int save(const struct collect *c, const char *path, struct err *e)
{
    if (strcmp(path, "-") == 0) {
        out_buf(&c->tar);
        return 0;
    }
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? err_set(e, ERR_CONFLICT, "%s is there already", path)
                               : err_sys(e, "making %s", path);
    if (fs_write_all(fd, c->tar.data, c->tar.len) == 0)
        return 0;
    err_sys(e, "writing %s", path);
    unlink(path); /* half of it is of no use, and would be in the way of the next try */
    return -1;
}

static int fill(struct collect *c, struct err *e)
{
    static const char zero[TAR_END];
    const struct node *container;

    redact_all(c->x);
    add_environment(c);
    node_for_each (container, c->x->env->containers) {
        if (object_label(container, LABEL_INSTANCE))
            add_instance(c, container);
    }
    if (c->missing.count) {
        auto_free char *lines = strv_join(&c->missing, "\n");
        auto_free char *text = mem_printf("%s\n", lines);

        add(c, "missing.txt", text);
    }
    buf_add(&c->tar, zero, sizeof(zero));
    return c->tar.full
               ? err_set(e, ERR_CONFIG, "more than %zu bytes; nothing was written", c->tar.max)
               : 0;
}

static void print_json(const struct collect *c, const char *path)
{
    auto_node struct node *root = node_new_map();
    struct node *missing;

    node_set_text(root, "environment", c->x->env->name);
    node_set_text(root, "path", path);
    node_set_int(root, "bytes", (int64_t)c->tar.len);
    missing = node_set(root, "missing", node_new_list());
    for (size_t i = 0; i < c->missing.count; i++)
        node_add_text(missing, c->missing.items[i]);
    out_json(root);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    struct collect c = {.x = x};
    auto_free char *path = NULL;
    char now[32];
    int r;

    (void)options;
    clock_format(now, clock_wall_ms());
    /* tar takes what is before a colon for a machine. */
    c.folder = mem_printf("slipway-%s-%.10s-%.2s%.2s%.2s", x->env->name, now, now + 11, now + 14,
                          now + 17);
    path = operands->count ? mem_strdup(operands->items[0]) : mem_printf("%s.tar", c.folder);
    buf_init(&c.tar, (size_t)512 << 20);
    r = fill(&c, e);
    if (r == 0)
        r = save(&c, path, e);
    if (r == 0 && x->json && strcmp(path, "-") != 0)
        print_json(&c, path);
    else if (r == 0 && !x->quiet && strcmp(path, "-") != 0)
        out_line(stdout,
                 "%s: %zu KiB, without passwords and keys; look into it before you give it away",
                 path, c.tar.len >> 10);
    buf_clear(&c.tar);
    strv_clear(&c.missing);
    free(c.folder);
    return r;
}

static const struct opt_example examples[] = {
    {"slipway collect", "into slipway-ENV-TIME.tar"},
    {"slipway collect - | gzip >help.tar.gz", "to standard output"},
    {0},
};

const struct cmd cmd_collect = {
    .help = {.name = "collect",
             .summary = "pack status, document, logs and containers into one file for who helps",
             .args = "[FILE]",
             .details = "Passwords and keys of the environment are taken out of every text, "
                        "private keys of others too. What could not be had is listed in "
                        "missing.txt.",
             .examples = examples,
             .group = "Environments"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ENGINE | ENV_NEEDS_CONTAINERS,
    .max_operands = 1,
    .run = run,
};
