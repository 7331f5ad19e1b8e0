/* SPDX-License-Identifier: MIT */
#include "cmd/run_progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/out.h"

static const enum progress_state STATES[] = {
    [OP_STATE_PLANNED] = PROGRESS_PLANNED, [OP_STATE_STARTED] = PROGRESS_STARTED,
    [OP_STATE_DONE] = PROGRESS_DONE,       [OP_STATE_FAILED] = PROGRESS_FAILED,
    [OP_STATE_SKIPPED] = PROGRESS_SKIPPED,
};

static const char *const WORDS[] = {
    [OP_STATE_PLANNED] = "planned", [OP_STATE_STARTED] = "started", [OP_STATE_DONE] = "done",
    [OP_STATE_FAILED] = "failed",   [OP_STATE_SKIPPED] = "skipped",
};

void run_progress_init(struct run_progress *s, const struct cmd_context *x)
{
    *s = (struct run_progress){.x = x};
}

void run_progress_clear(struct run_progress *s)
{
    progress_free(s->progress);
    s->progress = NULL;
}

static void on_begin(void *arg, const struct plan *p)
{
    struct run_progress *s = arg;
    enum progress_mode mode = s->x->json                     ? PROGRESS_JSON
                              : s->x->quiet || log_is_json() ? PROGRESS_QUIET
                                                             : progress_mode_for(stderr);

    if (!s->progress) {
        s->progress = progress_new(mode, stderr, p->env);
        progress_set_color(s->progress, out_has_color(s->x, stderr));
    }
    for (size_t i = 0; i < p->taken_back.count; i++)
        log_warn("%s", p->taken_back.items[i]);
    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].lost)
            log_warn("volume %s: %s", p->ops[i].target, p->ops[i].cause);
    progress_begin(s->progress, p->count);
}

static void on_change(void *arg, const struct plan *p, size_t i, enum op_state state,
                      const char *detail)
{
    struct run_progress *s = arg;
    auto_free char *title = op_title(&p->ops[i]);

    if (state != OP_STATE_PLANNED)
        log_event(state == OP_STATE_FAILED ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "%s: %s%s%s", title,
                  WORDS[state], detail && *detail ? ": " : "", detail && *detail ? detail : "");
    progress_op(s->progress, i, title, STATES[state], detail);
}

struct execute_events run_progress_events(struct run_progress *s)
{
    return (struct execute_events){.begin = on_begin, .change = on_change, .arg = s};
}

void run_progress_end(struct run_progress *s, const char *env, const struct execute_result *r,
                      int64_t took_ms)
{
    run_progress_clear(s);
    if (s->x->json) {
        auto_node struct node *n = node_new_map();

        node_set_text(n, "environment", env);
        node_set_text(n, "state", "done");
        node_set_int(n, "changes", (int64_t)r->done);
        node_set_int(n, "ms", took_ms);
        out_json_line(n);
    } else if (!s->x->quiet && r->done == 0)
        out_line(stdout, "%s: nothing to do", env);
    else if (!s->x->quiet)
        out_line(stdout, "%s: %zu change%s in %.1f s", env, r->done, r->done == 1 ? "" : "s",
                 (double)took_ms / 1000.0);
}
