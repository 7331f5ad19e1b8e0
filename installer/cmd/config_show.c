/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "conf/yaml.h"

enum { TEXT_MAX = 8 << 20 };

static const struct opt_example examples[] = {
    {"slipway config show >my.yaml", "a file that says what is in force"},
    {"slipway config show | slipway plan -", "nothing to do"},
    {0},
};

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    auto_node struct node *theirs = NULL;
    const struct node *document;
    auto_buf struct buf b = {0};

    (void)options;
    (void)operands;
    if (x->remote && remote_document(&theirs, x->remote, e) < 0)
        return -1;
    document = x->remote ? theirs : x->env->spec->document;
    if (x->json) {
        out_json(document);
        return 0;
    }
    buf_init(&b, TEXT_MAX);
    yaml_format(&b, document);
    out_buf(&b);
    return 0;
}

const struct cmd cmd_config_show = {
    .help = {.name = "config show",
             .summary = "print the environment document in force, for `slipway up`",
             .details = "It has what commands changed since a file was brought up, volumes and "
                        "pools included. With --file: that file as Slipway reads it.",
             .examples = examples,
             .group = "Configuration"},
    .needs = ENV_NEEDS_CATALOG | ENV_NEEDS_SPEC,
    .server = true,
    .run = run,
};
