/* SPDX-License-Identifier: MIT */
#include "cmd/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"

static const char *const STATES[] = {"planned", "started", "done", "failed", "skipped"};

void show_init(struct show *s, const struct cmd_context *x)
{
    *s = (struct show){.x = x, .began = clock_now_ms()};
}

void show_clear(struct show *s)
{
    (void)s;
}

static void on_begin(void *arg, const struct plan *p)
{
    struct show *s = arg;

    s->total = p->count;
    s->done = 0;
}

static void print_json(const struct plan *p, size_t i, enum op_state state, const char *detail)
{
    auto_node struct node *n = node_new_map();
    auto_free char *title = op_title(&p->ops[i]);
    auto_free char *text = NULL;

    node_set_text(n, "environment", p->env);
    node_set_int(n, "operation", (int64_t)i);
    node_set_text(n, "title", title);
    node_set_text(n, "state", STATES[state]);
    if (detail)
        node_set_text(n, "detail", detail);
    text = json_text(n);
    puts(text);
    fflush(stdout);
}

static void on_change(void *arg, const struct plan *p, size_t i, enum op_state state,
                      const char *detail)
{
    struct show *s = arg;
    auto_free char *title = op_title(&p->ops[i]);

    if (state == OP_STATE_DONE)
        s->done++;
    if (s->x->json) {
        print_json(p, i, state, detail);
        return;
    }
    if (s->x->quiet || state == OP_STATE_PLANNED || state == OP_STATE_SKIPPED)
        return;
    if (state == OP_STATE_STARTED && !detail && s->x->verbose == 0)
        return;
    fprintf(stderr, "[%6.2f] %3zu/%zu %-7s %s%s%s\n", (double)(clock_now_ms() - s->began) / 1000.0,
            s->done, s->total, STATES[state], title,
            detail && state == OP_STATE_STARTED ? ": " : "",
            detail && state == OP_STATE_STARTED ? detail : "");
}

struct execute_events show_events(struct show *s)
{
    return (struct execute_events){.begin = on_begin, .change = on_change, .arg = s};
}

void show_end(struct show *s, const char *env, const struct execute_result *r, int64_t took_ms)
{
    if (s->x->json)
        printf("{\"environment\":\"%s\",\"state\":\"done\",\"changes\":%zu,\"ms\":%" PRId64 "}\n",
               env, r->done, took_ms);
    else if (!s->x->quiet && r->done == 0)
        printf("%s: nothing to do\n", env);
    else if (!s->x->quiet)
        printf("%s: %zu changes in %.1f s\n", env, r->done, (double)took_ms / 1000.0);
}
