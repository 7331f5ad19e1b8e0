/* SPDX-License-Identifier: MIT */
/* The agents in the containers: which ones run, another one, and the one before. */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/out.h"
#include "env/release.h"
#include "env/selector.h"
#include "env/tally.h"

enum { SHOWN = 12 };

struct agent_options {
    const char *on, *from;
    int64_t trial_ms, lock_wait_ms;
    bool again;
};

#define ON                                                                                         \
    {                                                                                              \
        "on", 'o', OPT_STRING, "SELECTOR", "which instances (default: all)",                       \
            offsetof(struct agent_options, on)                                                     \
    }
#define TRIAL                                                                                      \
    {                                                                                              \
        "trial", 0, OPT_DURATION, "TIME",                                                          \
            "so long it has to show that it works, before it is put back (default: 60s)",          \
            offsetof(struct agent_options, trial_ms)                                               \
    }
#define LOCK_WAIT                                                                                  \
    {                                                                                              \
        "lock-wait", 0, OPT_DURATION, "TIME",                                                      \
            "wait so long for another run (default: not at all)",                                  \
            offsetof(struct agent_options, lock_wait_ms)                                           \
    }

static const struct opt_spec status_options[] = {ON, {0}};
static const struct opt_spec rollback_options[] = {ON, TRIAL, LOCK_WAIT, {0}};
static const struct opt_spec deploy_options[] = {
    ON,
    {"from", 0, OPT_STRING, "FILE", "the agent (default: that of this program)",
     offsetof(struct agent_options, from)},
    TRIAL,
    {"again", 0, OPT_FLAG, NULL, "also a release that was put back before",
     offsetof(struct agent_options, again)},
    LOCK_WAIT,
    {0},
};

static const struct opt_example status_examples[] = {
    {"slipway agent status", "which agent runs in each container"},
    {0},
};
static const struct opt_example deploy_examples[] = {
    {"slipway agent deploy", "the agent of this program, into every container"},
    {"slipway agent deploy --from build/gcc/slipway-agent --on 'ceph-osd-*'", "one that was built"},
    {0},
};
static const struct opt_example rollback_examples[] = {
    {"slipway agent rollback --on ceph-osd-1", "what ran before"},
    {0},
};

/* ---- what came of it ---- */

static const char *end_name(const struct release_result *r)
{
    static const char *const names[] = {[RELEASE_END_NONE] = "failed",
                                        [RELEASE_END_UNCHANGED] = "unchanged",
                                        [RELEASE_END_WORKS] = "works",
                                        [RELEASE_END_BACK] = "put back"};

    return names[r->end];
}

static void add_name(struct out_table *t, const char *name)
{
    auto_free char *shown = mem_printf("%.*s", SHOWN, name);

    out_table_add(t, *name ? shown : NULL, OUT_PLAIN);
}

static void add_row(struct out_table *t, const struct release_result *r, enum release_verb verb)
{
    bool well = r->error.code == ERR_NONE;

    out_table_add(t, r->instance, OUT_PLAIN);
    out_table_add(t, r->via, OUT_DIM);
    add_name(t, r->from);
    if (verb == RELEASE_VERB_STATUS) {
        add_name(t, r->digest);
        add_name(t, r->previous);
        out_table_add(t,
                      r->waits   ? "on trial, etcd did not answer"
                      : r->trial ? "on trial"
                                 : NULL,
                      OUT_WARN);
    } else {
        add_name(t, r->to);
        out_table_add(t, end_name(r), well ? OUT_GOOD : OUT_BAD);
        out_table_addf(t, OUT_PLAIN, "%llu", (unsigned long long)r->sent);
        out_table_addf(t, OUT_PLAIN, "%.1f s", (double)r->took_ms / 1000.0);
    }
    out_table_add(t, well ? NULL : r->error.msg, well ? OUT_DIM : OUT_BAD);
}

static void print_table(const struct cmd_context *x, const struct release_result *results,
                        size_t count, enum release_verb verb)
{
    static const char *const status_heads[] = {"INSTANCE", "VIA",   "RELEASE", "DIGEST",
                                               "BEFORE",   "STATE", "ERROR",   NULL};
    static const char *const heads[] = {"INSTANCE", "VIA",  "FROM",  "TO", "RESULT",
                                        "BYTES",    "TIME", "ERROR", NULL};
    struct out_table *t = out_table_new(verb == RELEASE_VERB_STATUS ? status_heads : heads);

    for (size_t i = 0; i < count; i++)
        add_row(t, &results[i], verb);
    out_table_print(t, x);
}

static struct node *row_of(const struct release_result *r, enum release_verb verb)
{
    struct node *n = node_new_map();

    node_set_text(n, "instance", r->instance);
    if (r->via)
        node_set_text(n, "via", r->via);
    node_set_bool(n, "ok", r->error.code == ERR_NONE);
    node_set_text(n, "from", r->from);
    node_set_text(n, "digest", r->digest);
    node_set_text(n, "previous", r->previous);
    node_set_bool(n, "trial", r->trial);
    node_set_bool(n, "waits", r->waits);
    if (verb != RELEASE_VERB_STATUS) {
        node_set_text(n, "to", r->to);
        node_set_text(n, "result", end_name(r));
        node_set_int(n, "sent", (int64_t)r->sent);
    }
    node_set_int(n, "ms", r->took_ms);
    out_error(n, &r->error);
    return n;
}

static void print_json(const struct release_result *results, size_t count, enum release_verb verb)
{
    auto_node struct node *n = node_new_map();
    struct node *rows = node_set(n, "results", node_new_list());

    for (size_t i = 0; i < count; i++)
        node_add(rows, row_of(&results[i], verb));
    out_json(n);
}

static int summary(const struct cmd_context *x, const struct release_result *results, size_t count,
                   struct err *e)
{
    struct tally t = {0};

    for (size_t i = 0; i < count; i++)
        tally_add(&t, results[i].instance, results[i].error.code == ERR_NONE);
    return tally_result(&t, x->env, "interrupted; run it again to see what came of it", e);
}

/* ---- the commands ---- */

static int run(struct cmd_context *x, const struct agent_options *a, enum release_verb verb,
               struct err *e)
{
    const struct release_opts o = {.verb = verb,
                                   .file = a->from,
                                   .again = a->again,
                                   .trial_ms = a->trial_ms,
                                   .lock_wait_ms = a->lock_wait_ms,
                                   .fault = getenv("SLIPWAY_FAULT")};
    auto_strv struct strv names = {0};
    struct release_result *results;
    int r;

    if (selector_names(&names, x->env, a->on, e) < 0 ||
        release_run(&results, x->env, &names, &o, e) < 0)
        return -1;
    if (x->json)
        print_json(results, names.count, verb);
    else if (!x->quiet)
        print_table(x, results, names.count, verb);
    r = summary(x, results, names.count, e);
    free(results);
    return r;
}

static int run_status(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    (void)operands;
    return run(x, opts, RELEASE_VERB_STATUS, e);
}

static int run_deploy(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    (void)operands;
    return run(x, opts, RELEASE_VERB_DEPLOY, e);
}

static int run_rollback(struct cmd_context *x, void *opts, const struct strv *operands,
                        struct err *e)
{
    (void)operands;
    return run(x, opts, RELEASE_VERB_ROLLBACK, e);
}

static int check(const struct cmd_context *x, const void *opts, const struct strv *operands,
                 struct err *e)
{
    const struct agent_options *o = opts;

    (void)x, (void)operands;
    if (o->trial_ms < 0 || o->trial_ms > RELEASE_TRIAL_MAX_MS)
        return err_set(e, ERR_USAGE, "--trial takes up to 10 minutes");
    return 0;
}

const struct cmd cmd_agent_status = {
    .help = {.name = "agent status",
             .summary = "which agent runs in the containers, and which one ran before",
             .details = "RELEASE is `image` for the agent that came with the image, else the "
                        "beginning of a release's digest. STATE is that of its trial; an agent "
                        "that reports nothing later is `silent` in `slipway status`.",
             .options = status_options,
             .examples = status_examples,
             .group = "Instances"},
    .options_size = sizeof(struct agent_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_SSH,
    .run = run_status,
};

const struct cmd cmd_agent_deploy = {
    .help = {.name = "agent deploy",
             .summary = "put another agent into the containers; the daemons run on",
             .details =
                 "By rsync over SSH where sshd runs in the container (ssh: true), with a key that "
                 "may do nothing else; else through the Engine API. An agent that is there already "
                 "is not sent. A new one is on trial: when it ends, or does not report within the "
                 "time of --trial that the instance is where it was, the container puts the one "
                 "before back by itself, and the release is named as bad in etcd and not "
                 "deployed again. While etcd does not answer, a trial goes on, for up to ten "
                 "times as long. A container that is new begins with its image's agent. "
                 "Status 3 when some failed.",
             .options = deploy_options,
             .examples = deploy_examples,
             .group = "Instances"},
    .options_size = sizeof(struct agent_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ETCD | ENV_NEEDS_SSH,
    .check = check,
    .run = run_deploy,
};

const struct cmd cmd_agent_rollback = {
    .help = {.name = "agent rollback",
             .summary = "go back to the agent that ran before",
             .options = rollback_options,
             .examples = rollback_examples,
             .group = "Instances"},
    .options_size = sizeof(struct agent_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ETCD | ENV_NEEDS_SSH,
    .check = check,
    .run = run_rollback,
};
