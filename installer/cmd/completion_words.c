/* SPDX-License-Identifier: MIT */
#include "cmd/completion_words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "check/modules.h"
#include "cmd/out.h"
#include "env/instances.h"
#include "plan/object.h"
#include "volumes/volume.h"

static int print_environments(struct cmd_context *x, const char *of, struct err *e)
{
    auto_strv struct strv names = {0};

    (void)of;
    (void)e;
    env_names(&names, x->home);
    if (!strv_has(&names, "demo"))
        strv_add(&names, "demo");
    for (size_t i = 0; i < names.count; i++)
        out_line(stdout, "%s", names.items[i]);
    return 0;
}

static int print_instances(struct cmd_context *x, const char *of, struct err *e)
{
    auto_strv struct strv names = {0};

    (void)of;
    if (cmd_open(x, ENV_NEEDS_ENGINE, e) < 0 ||
        engine_container_list(&x->env->containers, x->env->engine, LABEL_INSTANCE, e) < 0)
        return -1;
    instances_all(&names, x->env);
    for (size_t i = 0; i < names.count; i++)
        out_line(stdout, "%s", names.items[i]);
    return 0;
}

static int print_components(struct cmd_context *x, const char *of, struct err *e)
{
    (void)of;
    if (cmd_open(x, ENV_NEEDS_CATALOG, e) < 0)
        return -1;
    for (size_t i = 0; i < x->env->catalog->count; i++)
        out_line(stdout, "%s", x->env->catalog->items[i]->name);
    return 0;
}

/* Modules, tests of those that are built in, and components, which may have a hook. */
static int print_checks(struct cmd_context *x, const char *of, struct err *e)
{
    for (size_t i = 0; check_modules[i]; i++) {
        out_line(stdout, "%s", check_modules[i]->name);
        for (size_t j = 0; check_modules[i]->tests[j]; j++)
            out_line(stdout, "%s.%s", check_modules[i]->name, check_modules[i]->tests[j]);
    }
    return print_components(x, of, e);
}

/* "ceph-osd" of "ceph-osd/2" and "ceph-osd-2". */
static const struct manifest *manifest_of(const struct catalog *c, const char *word)
{
    auto_free char *name = mem_strndup(word, strcspn(word, "/"));
    const struct manifest *m = catalog_find(c, name);
    char *dash = strrchr(name, '-');

    if (m || !dash || !isdigit((unsigned char)dash[1]))
        return m;
    *dash = '\0';
    return catalog_find(c, name);
}

static int print_keys(struct cmd_context *x, const char *of, struct err *e)
{
    const struct manifest *m;

    if (cmd_open(x, ENV_NEEDS_CATALOG, e) < 0)
        return -1;
    m = of ? manifest_of(x->env->catalog, of) : NULL;
    for (size_t i = 0; m && i < m->config_count; i++)
        out_line(stdout, "%s", m->config[i].name);
    return 0;
}

/* ---- what the environment's document says ---- */

static int open_document(struct cmd_context *x, struct err *e)
{
    return cmd_open(x, ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_SPEC, e);
}

/* Components and their instances. */
static int print_instances_of(struct cmd_context *x, bool drivers, struct err *e)
{
    if (open_document(x, e) < 0)
        return -1;
    for (size_t i = 0; i < x->env->spec->component_count; i++) {
        const struct spec_component *c = &x->env->spec->components[i];

        if (drivers && !volume_is_driver(c->manifest))
            continue;
        out_line(stdout, "%s", c->manifest->name);
        for (int k = 0; k < c->count; k++)
            out_line(stdout, "%s", c->instances[k].name);
    }
    return 0;
}

static int print_targets(struct cmd_context *x, const char *of, struct err *e)
{
    (void)of;
    return print_instances_of(x, false, e);
}

static int print_drivers(struct cmd_context *x, const char *of, struct err *e)
{
    (void)of;
    return print_instances_of(x, true, e);
}

/* The entries of a map of the component that makes volumes. */
static int print_entries(struct cmd_context *x, const char *key, struct err *e)
{
    const struct spec_component *c;
    const struct node *n;

    if (open_document(x, e) < 0)
        return -1;
    c = volume_provisioner(x->env->spec);
    if (!c)
        return 0;
    node_for_each (n, node_get(c->config, key)) {
        if (!node_get_bool(n, "absent", false))
            out_line(stdout, "%s", n->key);
    }
    return 0;
}

static int print_volumes(struct cmd_context *x, const char *of, struct err *e)
{
    (void)of;
    return print_entries(x, "volumes", e);
}

static int print_pools(struct cmd_context *x, const char *of, struct err *e)
{
    (void)of;
    return print_entries(x, "pools", e);
}

/* ---- the kinds ---- */

static const struct words {
    const char *kind;
    int (*print)(struct cmd_context *x, const char *of, struct err *e);
} kinds[] = {
    {"environments", print_environments},
    {"instances", print_instances},
    {"components", print_components},
    {"checks", print_checks},
    {"keys", print_keys},
    {"targets", print_targets},
    {"drivers", print_drivers},
    {"volumes", print_volumes},
    {"pools", print_pools},
};

static const struct words *find(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return &kinds[i];
    return NULL;
}

bool completion_is_words(const char *kind)
{
    return find(kind) != NULL;
}

int completion_words(struct cmd_context *x, const char *kind, const char *of, struct err *e)
{
    return find(kind)->print(x, of, e);
}
