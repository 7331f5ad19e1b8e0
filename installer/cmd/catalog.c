/* SPDX-License-Identifier: MIT */
/* catalog list, catalog show, catalog schema. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "model/steps.h"

enum { TEXT_MAX = 4 << 20 };

static const struct opt_example show_examples[] = {
    {"slipway catalog show ceph-osd", "its configuration keys, ports and data"},
    {0},
};

static const struct opt_example schema_examples[] = {
    {"slipway catalog schema >slipway.schema.json", "for editors that complete YAML"},
    {0},
};

static struct node *row_of(const struct manifest *m)
{
    struct node *n = node_new_map();
    auto_free char *needs = strv_join(&m->requires, ", ");

    node_set_text(n, "component", m->name);
    node_set_text(n, "requires", needs);
    node_set_int(n, "instances", m->instances_default);
    node_set_int(n, "min", m->instances_min);
    node_set_int(n, "max", m->instances_max);
    node_set_text(n, "summary", m->summary);
    node_set_text(n, "folder", m->dir);
    return n;
}

static int run_list(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    static const char *const heads[] = {"COMPONENT", "INSTANCES", "REQUIRES", "SUMMARY", NULL};
    auto_node struct node *list = node_new_list();
    struct out_table *t;
    const struct node *n;

    (void)options;
    (void)operands;
    (void)e;
    for (size_t i = 0; i < x->env->catalog->count; i++)
        node_add(list, row_of(x->env->catalog->items[i]));
    if (x->json) {
        out_json(list);
        return 0;
    }
    t = out_table_new(heads);
    node_for_each (n, list) {
        out_table_add(t, node_get_text(n, "component"), OUT_PLAIN);
        out_table_addf(t, OUT_PLAIN, "%s (%s-%s)", node_get_text(n, "instances"),
                       node_get_text(n, "min"), node_get_text(n, "max"));
        out_table_add(t, node_get_text(n, "requires"), OUT_PLAIN);
        out_table_add(t, node_get_text(n, "summary"), OUT_PLAIN);
    }
    out_table_print(t, x);
    return 0;
}

static int find(const struct manifest **out, const struct cmd_context *x, const char *name,
                struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *hint = NULL;

    *out = catalog_find(x->env->catalog, name);
    if (*out)
        return 0;
    catalog_names(x->env->catalog, &names);
    hint = strv_hint(&names, name);
    return err_set(e, ERR_NOTFOUND, "there is no component %s%s", name, hint);
}

static int run_show(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    const struct manifest *m;
    auto_buf struct buf b = {0};

    (void)options;
    buf_init(&b, TEXT_MAX);
    if (find(&m, x, operands->items[0], e) < 0)
        return -1;
    if (x->json) {
        auto_node struct node *n = manifest_schema(m);

        out_json(n);
        return 0;
    }
    manifest_print_doc(&b, m);
    out_buf(&b);
    return 0;
}

static int run_schema(struct cmd_context *x, void *options, const struct strv *operands,
                      struct err *e)
{
    auto_node struct node *n = spec_schema(x->env->catalog);

    (void)options;
    (void)operands;
    (void)e;
    out_json(n);
    return 0;
}

/* The same table that reads the document, so that it cannot be out of date. */
static int run_keys(struct cmd_context *x, void *options, const struct strv *operands,
                    struct err *e)
{
    auto_buf struct buf b = {0};

    if (x->json)
        return run_schema(x, options, operands, e);
    buf_init(&b, TEXT_MAX);
    spec_print_format(&b);
    out_buf(&b);
    return 0;
}

const struct cmd cmd_catalog_keys = {
    .help = {.name = "catalog keys",
             .summary = "every key of the environment document, with type and default",
             .details = "What a component can be told under `config`: `slipway catalog show "
                        "COMPONENT`. With --json: the JSON Schema, as `catalog schema`.",
             .group = "Documents"},
    .needs = ENV_NEEDS_WHOLE_CATALOG,
    .run = run_keys,
};

static int run_steps(struct cmd_context *x, void *options, const struct strv *operands,
                     struct err *e)
{
    auto_buf struct buf b = {0};

    (void)options, (void)operands, (void)e;
    if (x->json) {
        auto_node struct node *n = steps_schema();

        out_json(n);
        return 0;
    }
    buf_init(&b, TEXT_MAX);
    steps_print_format(&b);
    out_buf(&b);
    return 0;
}

const struct cmd cmd_catalog_steps = {
    .help = {.name = "catalog steps",
             .summary = "every key of a file of steps, for `prepare`",
             .details = "With --json: its JSON Schema.",
             .group = "Documents"},
    .run = run_steps,
};

const struct cmd cmd_catalog_list = {
    .help = {.name = "catalog list", .summary = "the components there are", .group = "Documents"},
    .needs = ENV_NEEDS_WHOLE_CATALOG,
    .run = run_list,
};

const struct cmd cmd_catalog_show = {
    .help = {.name = "catalog show",
             .summary = "documentation of a component, printed from its manifest",
             .args = "COMPONENT",
             .details = "With --json: the JSON Schema of its configuration.",
             .examples = show_examples,
             .group = "Documents"},
    .needs = ENV_NEEDS_WHOLE_CATALOG,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_show,
};

const struct cmd cmd_catalog_schema = {
    .help = {.name = "catalog schema",
             .summary = "JSON Schema of the environment document, with every component",
             .examples = schema_examples,
             .group = "Documents"},
    .needs = ENV_NEEDS_WHOLE_CATALOG,
    .run = run_schema,
};
