/* SPDX-License-Identifier: MIT */
/* key rotate: a new key in the place of the old one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "env/config.h"
#include "env/key_rotate.h"

struct rotate_options {
    int64_t lock_wait;
};

static const struct opt_spec options[] = {
    {"lock-wait", 0, OPT_DURATION, "TIME",
     "wait for another run that holds the lock (default: 10s)",
     offsetof(struct rotate_options, lock_wait)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway key rotate ssh", "a new key for slipway ssh, run and all else that logs in"},
    {0},
};

static void print_step(void *arg, const char *text)
{
    const struct cmd_context *x = arg;

    if (x->json || x->quiet)
        return;
    out_line(stdout, "%s", text);
    fflush(stdout); /* a step that is done is said before the next one begins */
}

static void add_names(struct node *n, const char *key, const struct strv *names)
{
    struct node *list = node_set(n, key, node_new_list());

    for (size_t i = 0; i < names->count; i++)
        node_add_text(list, names->items[i]);
}

static void print_result(const struct cmd_context *x, const struct key_rotate *r)
{
    if (x->json) {
        auto_node struct node *n = node_new_map();

        node_set_text(n, "environment", x->env->name);
        node_set_text(n, "key", "ssh");
        node_set_int(n, "generation", r->to);
        node_set_bool(n, "resumed", r->resumed);
        add_names(n, "instances", &r->instances);
        add_names(n, "stopped", &r->stopped);
        out_json(n);
        return;
    }
    if (x->quiet)
        return;
    out_line(stdout, "%s: key %u in the place of key %u, in %zu instance%s", x->env->name, r->to,
             r->from, r->instances.count, r->instances.count == 1 ? "" : "s");
    if (r->stopped.count) {
        auto_free char *names = strv_join(&r->stopped, ", ");

        out_line(stdout, "stopped, and take it when they start: %s", names);
    }
}

static int check(const struct cmd_context *x, const void *opts, const struct strv *operands,
                 struct err *e)
{
    (void)x, (void)opts;
    if (strcmp(operands->items[0], "ssh") != 0)
        return err_set(e, ERR_USAGE, "%s is not a key that can be rotated; ssh is",
                       operands->items[0]);
    return 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct rotate_options *o = opts;
    const struct key_rotate_opts how = {.lock_wait_ms =
                                            o->lock_wait ? o->lock_wait : CONFIG_LOCK_WAIT_MS,
                                        .step = print_step,
                                        .arg = x};
    struct key_rotate rotated;
    int r = env_key_rotate_ssh(&rotated, x->env, &how, e);

    (void)operands;
    if (r == 0)
        print_result(x, &rotated);
    key_rotate_clear(&rotated);
    return r;
}

const struct cmd cmd_key_rotate = {
    .help = {.name = "key rotate",
             .summary = "put a new SSH key in the place of the old one",
             .args = "ssh",
             .details =
                 "The new key is added everywhere, tried by logging in, and then the old one is "
                 "taken out, which is tried, too; with it goes the key that deploys agents. "
                 "Keys derive from the environment key: nothing "
                 "has to be kept or copied. Nothing is restarted. A run that was cut off, by "
                 "whatever, is finished by the next one; until then the key that is in use is "
                 "accepted everywhere. An instance that does not take the new key keeps both "
                 "(status 3).",
             .options = options,
             .examples = examples,
             .group = "Configuration"},
    .options_size = sizeof(struct rotate_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ETCD,
    .min_operands = 1,
    .max_operands = 1,
    .check = check,
    .run = run,
};
