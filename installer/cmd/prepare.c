/* SPDX-License-Identifier: MIT */
/* What `needs` names, prepared once for every command. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/volume.h"
#include "conf/json.h"
#include "model/edits.h"
#include "model/keys.h"
#include "plan/connect.h"
#include "plan/document.h"

enum { ETCD_DEADLINE_MS = 5000 };

static int program_dir(char **out, struct err *e)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (len < 0)
        return err_sys(e, "finding the program's own path");
    path[len] = '\0';
    slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    *out = mem_strdup(path);
    return 0;
}

/* The first folder that holds components/: given, of the source tree (build/gcc/slipway),
 * installed. */
static char *find_share(const char *dir)
{
    const char *given = getenv("SLIPWAY_SHARE");
    auto_free char *tree = mem_printf("%s/../..", dir);
    auto_free char *installed = mem_printf("%s/../share/slipway", dir);
    const char *const candidates[] = {given, tree, installed};

    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        auto_free char *components = candidates[i] ? fs_join(candidates[i], "components") : NULL;

        if (components && fs_exists(components))
            return realpath(candidates[i], NULL);
    }
    return NULL;
}

/* slipway-init and slipway-agent lie beside slipway in a build, in lib/slipway when installed. */
static char *find_program(const char *dir, const char *name)
{
    auto_free char *beside = fs_join(dir, name);

    if (fs_is_executable(beside))
        return steal(beside);
    return mem_printf("%s/../lib/slipway/%s", dir, name);
}

int cmd_paths_find(struct cmd_paths *p, struct err *e)
{
    auto_free char *dir = NULL;

    if (program_dir(&dir, e) < 0)
        return -1;
    p->share = find_share(dir);
    if (!p->share)
        return err_set(
            e, ERR_NOTFOUND,
            "the folder with components/ and dockerfiles/ is not found; name it in SLIPWAY_SHARE");
    p->components = fs_join(p->share, "components");
    p->dockerfiles = fs_join(p->share, "dockerfiles");
    p->demo = fs_join(p->share, "components/demo.yaml");
    p->init = find_program(dir, "slipway-init");
    p->agent = find_program(dir, "slipway-agent");
    return 0;
}

int64_t cmd_deadline(const struct cmd_context *x, int64_t default_ms)
{
    return clock_deadline(x->timeout_ms ? x->timeout_ms : default_ms);
}

void cmd_tell(const char *line)
{
    if (!log_is_json())
        fprintf(stderr, "%s\n", line);
    log_event(LOG_LEVEL_ERROR, "%s", line);
}

/* All problems go to stderr, one a line; the error counts them. */
static int report_problems(const struct problems *p, const char *what, struct err *e)
{
    for (size_t i = 0; i < p->lines.count; i++) {
        log_redact_text(p->lines.items[i]);
        cmd_tell(p->lines.items[i]); /* the place first, as editors want it */
    }
    return err_set(e, ERR_CONFIG, "%s: %zu problem%s; nothing was changed", what, p->count,
                   p->count == 1 ? "" : "s");
}

static int prepare_catalog(struct cmd_context *x, struct err *e)
{
    auto_strv struct strv dirs = {0};
    struct problems p;
    int r;

    if (x->catalog)
        return 0;
    strv_add(&dirs, x->paths.components);
    strv_add_all(&dirs, &x->catalogs);
    problems_init(&p, x->paths.components);
    r = catalog_load(&x->catalog, (const char *const *)dirs.items, dirs.count, &p);
    if (r < 0)
        report_problems(&p, "the component catalog", e);
    problems_clear(&p);
    return r;
}

void cmd_homes(struct strv *out)
{
    auto_free char *root = secret_home(".");
    auto_strv struct strv names = {0};
    struct err e;

    if (fs_list(&names, root, &e) < 0)
        err_drop(&e, "the environments of this machine");
    for (size_t i = 0; i < names.count; i++)
        if (spec_name_is_valid(names.items[i]))
            strv_add(out, names.items[i]);
}

void cmd_environments(struct strv *out)
{
    auto_strv struct strv names = {0};

    cmd_homes(&names);
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *home = secret_home(names.items[i]);
        auto_free char *key = fs_join(home, "key");

        if (fs_exists(key))
            strv_add(out, names.items[i]);
    }
}

/* Without a word about it: the only environment there is, else the demo. */
static int choose_name(struct cmd_context *x, struct err *e)
{
    auto_strv struct strv names = {0};

    cmd_environments(&names);
    if (names.count > 1 && !strv_has(&names, "demo")) {
        auto_free char *list = strv_join(&names, ", ");

        return err_set(e, ERR_USAGE, "there are several environments, name one with --env: %s",
                       list);
    }
    x->env_owned = mem_strdup(names.count == 1 ? names.items[0] : "demo");
    x->env = x->env_owned;
    return 0;
}

static int prepare_name(struct cmd_context *x, struct err *e)
{
    if (!x->env && x->spec)
        x->env = x->spec->name;
    if (!x->env && choose_name(x, e) < 0)
        return -1;
    if (!spec_name_is_valid(x->env))
        return err_set(e, ERR_USAGE, "%s is no name of an environment: a-z, 0-9 and -, at most 40",
                       x->env);
    return 0;
}

static int prepare_engine(struct cmd_context *x, struct err *e)
{
    return x->engine ? 0 : engine_open(&x->engine, NULL, e);
}

/* The environment's containers without its etcd. */
static int prepare_containers(struct cmd_context *x, struct err *e)
{
    if (x->containers)
        return 0;
    if (secret_load_key(&x->key, x->env, e) < 0)
        return e->code == ERR_NOTFOUND
                   ? err_set(e, ERR_NOTFOUND, "environment %s is not known on this machine", x->env)
                   : -1;
    return connect_containers(&x->containers, x->engine, x->key.uuid, e);
}

static int prepare_etcd(struct cmd_context *x, struct err *e)
{
    if (x->etcd)
        return 0;
    if (connect_environment(&x->etcd, &x->containers, &x->key, x->engine, x->env, e) < 0)
        return -1;
    etcd_set_deadline(x->etcd, cmd_deadline(x, ETCD_DEADLINE_MS));
    return 0;
}

/* What instances changed since the document was stored belongs to it. */
static int adopt(struct node *document, const struct cmd_context *x, int64_t stored, struct err *e)
{
    struct etcd_kvs kvs = {0};
    struct edits l;
    int r;

    edits_find(&l, x->env, document, x->catalog);
    r = edits_read(&kvs, x->etcd, &l, e);
    if (r == 0)
        edits_adopt(document, &l, &kvs, stored);
    etcd_kvs_clear(&kvs);
    edits_clear(&l);
    return r;
}

/* The document that the environment was made from, from etcd. ERR_NOTFOUND when there is none. */
static int stored_document(struct node **out, struct cmd_context *x, struct err *e)
{
    auto_free char *key = keys_spec(x->env);
    auto_node struct node *root = NULL;
    struct etcd_kv kv = {0};
    int r;

    if (prepare_engine(x, e) < 0 || prepare_etcd(x, e) < 0 || etcd_get(&kv, x->etcd, key, e) < 0)
        return -1;
    r = json_parse(&root, key, kv.value, kv.value_len, e);
    etcd_kv_clear(&kv);
    if (r < 0)
        return -1;
    *out = node_copy(node_get(root, "document"));
    return *out ? adopt(*out, x, kv.mod_revision, e)
                : err_set(e, ERR_NOTFOUND, "%s holds no document", key);
}

int cmd_settle(void *arg, const struct spec **spec, const struct etcd_kvs *keys, struct err *e)
{
    struct cmd_context *x = arg;
    auto_free char *key = keys_spec(x->spec->name);
    const struct etcd_kv *kv = etcd_kvs_find(keys, key);
    auto_node struct node *root = NULL, *document = NULL;
    struct node *old;
    struct edits l;
    struct problems p;

    if (!kv)
        return 0;
    if (json_parse(&root, key, kv->value, kv->value_len, e) < 0)
        return -1;
    old = node_get(root, "document");
    if (!old)
        return err_set(e, ERR_NOTFOUND, "%s holds no document", key);
    edits_find(&l, x->spec->name, old, x->catalog);
    edits_adopt(old, &l, keys, kv->mod_revision);
    edits_clear(&l);
    document = node_copy(x->file_document ? x->file_document : old);
    if (x->file_document)
        volume_keep(document, x->spec, old);
    problems_init(&p, "the document with the volumes that there are");
    spec_free(x->settled);
    x->settled = spec_decode(document, x->catalog, &p);
    if (!x->settled)
        report_problems(&p, p.name, e);
    problems_clear(&p);
    *spec = x->settled ? x->settled : x->spec;
    return x->settled ? 0 : -1;
}

/*
 * What the environment was made from: etcd's copy, else the operator's (etcd is down, or the first
 * run was interrupted before etcd had one). *out stays NULL when the environment was never made
 * here.
 */
static int known_document(struct node **out, struct cmd_context *x, struct err *e)
{
    if (stored_document(out, x, e) == 0)
        return 0;
    if (e->code == ERR_AUTH)
        return -1;
    if (e->code != ERR_NOTFOUND)
        log_warn("etcd does not answer, the operator's copy of the document counts: %s", e->msg);
    if (document_load(out, x->env, e) < 0 && e->code != ERR_NOTFOUND)
        return -1;
    return 0;
}

/* A file knows nothing of the volumes that commands made: they stay. */
static int keep_volumes(struct cmd_context *x, struct err *e)
{
    auto_free char *home = secret_home(x->spec->name);
    auto_free char *key = fs_join(home, "key");
    auto_node struct node *old = NULL, *document = NULL;
    struct problems p;

    if (!fs_exists(key) || !volume_maker(x->spec))
        return 0;
    if (!x->env)
        x->env = x->env_owned = mem_strdup(x->spec->name);
    if (known_document(&old, x, e) < 0)
        return -1;
    document = node_copy(x->spec->document);
    if (!old || !volume_keep(document, x->spec, old))
        return 0;
    spec_free(x->spec);
    problems_init(&p, "the file with the volumes that there are");
    x->spec = spec_decode(document, x->catalog, &p);
    if (!x->spec)
        report_problems(&p, p.name, e);
    problems_clear(&p);
    return x->spec ? 0 : -1;
}

/* The document: a file that was named; else the one the environment was made from; of the demo
 * also the built-in one. */
static int prepare_spec(struct cmd_context *x, struct err *e)
{
    auto_node struct node *document = NULL;
    struct problems p;
    const char *name = x->file ? x->file : x->paths.demo;

    if (!x->file && known_document(&document, x, e) < 0)
        return -1;
    if (!x->file && !document && strcmp(x->env, "demo") != 0)
        return err_set(e, ERR_NOTFOUND,
                       "environment %s is not known here; name its file with --file", x->env);
    problems_init(&p, document ? "the document of the environment" : name);
    x->spec = document ? spec_decode(document, x->catalog, &p) : spec_load(name, x->catalog, &p);
    if (!x->spec)
        report_problems(&p, p.name, e);
    problems_clear(&p);
    if (!x->spec)
        return -1;
    if (x->file)
        x->file_document = node_copy(x->spec->document);
    if (x->env && strcmp(x->env, x->spec->name) != 0)
        return err_set(e, ERR_USAGE, "%s describes the environment %s, not %s", name, x->spec->name,
                       x->env);
    return 0;
}

int cmd_prepare(struct cmd_context *x, unsigned needs, struct err *e)
{
    if (needs == 0)
        return 0;
    if (cmd_paths_find(&x->paths, e) < 0)
        return -1;
    x->images = (struct images_opts){
        .dockerfiles = x->paths.dockerfiles, .init = x->paths.init, .agent = x->paths.agent};
    if ((needs & (CMD_NEEDS_CATALOG | CMD_NEEDS_SPEC)) && prepare_catalog(x, e) < 0)
        return -1;
    if (needs & CMD_NEEDS_SPEC) {
        if (!x->file && !x->env && choose_name(x, e) < 0)
            return -1;
        if (prepare_spec(x, e) < 0)
            return -1;
        /* Commands that only look at the file ask no engine. */
        if (x->file && (needs & CMD_NEEDS_ENGINE) && keep_volumes(x, e) < 0)
            return -1;
    }
    if ((needs & (CMD_NEEDS_NAME | CMD_NEEDS_SPEC | CMD_NEEDS_ETCD | CMD_NEEDS_CONTAINERS)) &&
        prepare_name(x, e) < 0)
        return -1;
    log_field("environment", x->env);
    if ((needs & (CMD_NEEDS_ENGINE | CMD_NEEDS_ETCD | CMD_NEEDS_CONTAINERS)) &&
        prepare_engine(x, e) < 0)
        return -1;
    if ((needs & CMD_NEEDS_ETCD) && prepare_etcd(x, e) < 0)
        return -1;
    return needs & CMD_NEEDS_CONTAINERS ? prepare_containers(x, e) : 0;
}

void cmd_release(struct cmd_context *x)
{
    etcd_close(x->etcd);
    node_free(x->containers);
    engine_close(x->engine);
    spec_free(x->spec);
    spec_free(x->settled);
    node_free(x->file_document);
    catalog_free(x->catalog);
    strv_clear(&x->catalogs);
    explicit_bzero(&x->key, sizeof(x->key));
    free(x->env_owned);
    free(x->paths.share);
    free(x->paths.components);
    free(x->paths.dockerfiles);
    free(x->paths.init);
    free(x->paths.agent);
    free(x->paths.demo);
}
