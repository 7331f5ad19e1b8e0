/* SPDX-License-Identifier: MIT */
#include "env/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "env/document_path.h"
#include "env/instances.h"
#include "env/key.h"
#include "plan/object.h"
#include "plan/host_dir.h"

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

static void add_home(struct node *list, const struct env *env)
{
    static const struct {
        const char *what, *name;
        bool always;
    } rows[] = {
        {"key", "key", true},    {"document", "document.json", true}, {"journal", "journal", false},
        {"lock", "lock", false}, {"links", "links", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *path = fs_join(env->folder, rows[i].name);

        if (rows[i].always || fs_exists(path))
            add(list, rows[i].what, NULL, path);
    }
}

static void add_program(struct node *list, const struct env *env)
{
    auto_free char *source = env->o.file ? mem_strdup(env->o.file) : document_path_load(env);

    if (source)
        add(list, "file", NULL, source);
    else if (strcmp(env->name, "demo") == 0)
        add(list, "file", NULL, env->o.paths->demo);
    add(list, "catalog", NULL, env->o.paths->components);
    for (size_t i = 0; env->o.catalogs && i < env->o.catalogs->count; i++)
        add(list, "catalog", NULL, env->o.catalogs->items[i]);
    add(list, "images", NULL, env->o.paths->dockerfiles);
    add(list, "steps", NULL, env->o.paths->steps);
    add(list, "program", NULL, env->o.paths->init);
    add(list, "program", NULL, env->o.paths->agent);
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

static void add_log(struct node *list, struct env *env, const struct node *container,
                    const char *instance)
{
    auto_node struct node *seen = NULL;
    const char *path;
    struct err e;

    if (engine_container_inspect(&seen, env->engine, node_get_text(container, "Id"), &e) < 0) {
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
static int add_engine(struct node *list, struct env *env, bool logs, struct err *e)
{
    auto_free char *label = mem_printf("%s=%s", LABEL_ENV, env->key.uuid);
    auto_node struct node *volumes = NULL;
    auto_strv struct strv names = {0};
    const struct node *v;

    if (env_need(env, ENV_NEEDS_CONTAINERS, e) < 0 ||
        engine_volume_list(&volumes, env->engine, label, e) < 0)
        return -1;
    if (volumes->count > 1)
        qsort(volumes->items, volumes->count, sizeof(struct node *), by_name);
    node_for_each (v, volumes) {
        const char *path = node_get_text(v, "Mountpoint");

        if (path)
            add(list, "data", object_label(v, LABEL_INSTANCE), path);
    }
    instances_all(&names, env);
    for (size_t i = 0; i < names.count; i++) {
        const struct node *c = object_find_instance(env->containers, names.items[i]);

        add_folder(list, c, env->name, names.items[i]);
        if (logs)
            add_log(list, env, c, names.items[i]);
    }
    return 0;
}

int env_files(struct node *list, struct env *env, bool logs, struct err *e)
{
    struct err docker;

    if (env_key_load(env, e) < 0)
        return -1;
    add_home(list, env);
    add_program(list, env);
    if (add_engine(list, env, logs, &docker) < 0)
        log_warn("where the data lies is not known: %s", docker.msg);
    return 0;
}
