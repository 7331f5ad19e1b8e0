/* SPDX-License-Identifier: MIT */
/* remove: single instances' containers, so that `up` makes them anew; never a running one without
 * being told to, and data only when asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/instances.h"
#include "cmd/out.h"
#include "cmd/show.h"
#include "cmd/status.h"
#include "plan/connect.h"
#include "plan/converge.h"

enum { DEFAULT_DEADLINE_MS = 10 * 60 * 1000, PLAN_TEXT_MAX = 1 << 20 };

struct remove_options {
    bool volumes, yes, force;
    int64_t lock_wait_ms;
};

static const struct opt_spec options[] = {
    {"force", 'f', OPT_FLAG, NULL, "stop and remove it although it runs",
     offsetof(struct remove_options, force)},
    {"volumes", 0, OPT_FLAG, NULL, "remove its volumes too: its data is gone",
     offsetof(struct remove_options, volumes)},
    {"yes", 'y', OPT_FLAG, NULL, "do not ask", offsetof(struct remove_options, yes)},
    {"lock-wait", 0, OPT_DURATION, "TIME", "wait for another run that holds the lock",
     offsetof(struct remove_options, lock_wait_ms)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway stop ceph-osd-2 && slipway remove ceph-osd-2 && slipway up",
     "a new container on the same data"},
    {"slipway remove --force --volumes --yes ceph-osd-2", "the data too; `slipway up` begins anew"},
    {0},
};

struct removal {
    struct cmd_context *x;
    const struct remove_options *o;
    struct strv names;
    bool asked;
};

/* Those with a container, with keys in etcd or with a volume: what is known to be ours, so that
 * removing twice is no mistake. */
static int add_known(struct strv *known, const struct cmd_context *x, struct err *e)
{
    auto_world struct world *w = NULL;
    auto_node struct node *rows = NULL;
    const struct node *n;

    if (world_observe(&w, x->engine, x->env, &x->key, NULL, e) < 0)
        return -1;
    rows = status_instances(w, x->env);
    node_for_each (n, rows) {
        strv_add(known, node_get_text(n, "instance"));
    }
    node_for_each (n, w->volumes) {
        const char *name = connect_label(n, LABEL_INSTANCE);

        if (name && connect_is_ours(n, x->key.uuid) && !strv_has(known, name))
            strv_add(known, name);
    }
    return 0;
}

static int find_names(struct removal *r, const struct strv *operands, struct err *e)
{
    auto_strv struct strv known = {0};

    if (add_known(&known, r->x, e) < 0)
        return -1;
    for (size_t i = 0; i < operands->count; i++) {
        if (!strv_has(&known, operands->items[i]))
            return instances_unknown(r->x, operands->items[i], &known, e);
        if (!strv_has(&r->names, operands->items[i]))
            strv_add(&r->names, operands->items[i]);
    }
    return 0;
}

/* With the plan made under the lock: what runs now, not what ran when the command began. */
static int approve(void *arg, const struct plan *p, struct err *e)
{
    struct removal *r = arg;
    auto_buf struct buf b = {0};
    char answer[16] = "";

    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].kind == OP_KIND_INSTANCE_STOP && !r->o->force)
            return err_set(e, ERR_CONFLICT, "%s runs; `slipway stop %s` first, or use --force",
                           p->ops[i].target, p->ops[i].target);
    if (r->o->yes || r->asked || p->count == 0 || !isatty(STDIN_FILENO))
        return 0;
    buf_init(&b, PLAN_TEXT_MAX);
    plan_print(&b, p, false);
    fprintf(stderr, "%sRemove this%s? [y/N] ", buf_str(&b),
            r->o->volumes ? ", the data too" : "; its data stays");
    if (!out_ask(answer, sizeof(answer)) || (answer[0] != 'y' && answer[0] != 'Y'))
        return err_set(e, ERR_INTERRUPTED, "nothing was removed");
    r->asked = true;
    return 0;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    struct removal r = {.x = x, .o = opts};
    struct execute_result result = {0};
    struct converge_down_opts o = {.env = x->env,
                                   .command = "remove",
                                   .volumes = r.o->volumes,
                                   .instances = &r.names,
                                   .lock_wait_ms = r.o->lock_wait_ms,
                                   .deadline = cmd_deadline(x, DEFAULT_DEADLINE_MS),
                                   .approve = approve,
                                   .approve_arg = &r};
    int64_t began = clock_now_ms();
    struct show s;
    int status = find_names(&r, operands, e);

    show_init(&s, x);
    o.events = show_events(&s);
    if (status == 0)
        status = converge_down(&result, x->engine, &o, e);
    if (status < 0 && result.done > 0 && e->code != ERR_INTERRUPTED && e->code != ERR_LOCKED)
        e->code = ERR_PARTIAL;
    if (status == 0)
        show_end(&s, x->env, &result, clock_now_ms() - began);
    if (status == 0 && result.done && !x->json && !x->quiet)
        puts("`slipway up` makes it anew; for good, give the component fewer `instances` first");
    show_clear(&s);
    strv_clear(&r.names);
    return status;
}

const struct cmd cmd_remove = {
    .help = {.name = "remove",
             .summary = "remove stopped instances' containers; `up` makes them anew",
             .args = "INSTANCE ...",
             .details =
                 "A running instance is refused (exit status 1) without --force. On a terminal it "
                 "asks first. The data stays, and so does the instance's configuration, without "
                 "--volumes. Nothing is moved away first: to have fewer instances for good, "
                 "lower `instances` in the document and run `slipway up`, which drains them. The "
                 "whole environment: `slipway down`.",
             .options = options,
             .examples = examples,
             .group = "Instances"},
    .options_size = sizeof(struct remove_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
