/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"

static const struct opt_example examples[] = {
    {"slipway validate my.yaml", "every problem at once, with file, line and column"},
    {"make-yaml | slipway validate -", "the document from standard input, as for `up -`"},
    {0},
};

static void print_json(const struct problems *p, const char *file)
{
    auto_node struct node *n = node_new_map();
    struct node *list;

    node_set_text(n, "file", file);
    node_set_bool(n, "valid", p->count == 0);
    list = node_set(n, "problems", node_new_list());
    for (size_t i = 0; i < p->lines.count; i++)
        node_add_text(list, p->lines.items[i]);
    out_json(n);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    const char *file = cmd_document_path(operands->items[0]);
    struct problems p;
    struct spec *s;
    size_t instances = 0, problem_count;

    (void)options;
    problems_init(&p, file);
    s = spec_load(file, x->env->catalog, &p);
    problem_count = p.count;
    if (x->json)
        print_json(&p, file);
    else
        for (size_t i = 0; i < p.lines.count; i++)
            cmd_tell(p.lines.items[i]);
    problems_clear(&p);
    if (!s)
        return err_set(e, ERR_CONFIG, "%s: %zu problem%s", file, problem_count,
                       problem_count == 1 ? "" : "s");
    for (size_t i = 0; i < s->component_count; i++)
        instances += (size_t)s->components[i].count;
    if (!x->json && !x->quiet)
        out_line(stdout, "%s: valid; environment %s, %zu components, %zu instances", file, s->name,
                 s->component_count, instances);
    spec_free(s);
    return 0;
}

const struct cmd cmd_validate = {
    .help = {.name = "validate",
             .summary = "check an environment document; nothing is asked or changed",
             .args = "FILE",
             .examples = examples,
             .group = "Documents"},
    .needs = ENV_NEEDS_CATALOG,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
