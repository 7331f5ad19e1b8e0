/* SPDX-License-Identifier: MIT */
#include "plan/run.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

/* Queued with the mutex held, told without it: a callback that prints may wait for its reader. */
struct run_event {
    size_t op;
    enum op_state state;
    char *detail;
    struct run_event *next;
};

void run_queue(struct run *r, size_t op, enum op_state state, const char *detail)
{
    struct run_event *ev;

    if (!r->o->events.change)
        return;
    ev = mem_alloc(sizeof(*ev));
    *ev = (struct run_event){.op = op, .state = state, .detail = mem_strdup(detail)};
    if (r->last_event)
        r->last_event->next = ev;
    else
        r->events = ev;
    r->last_event = ev;
}

void run_tell(struct run *r)
{
    if (r->is_telling)
        return;
    r->is_telling = true;
    while (r->events) {
        struct run_event *ev = r->events;

        r->events = ev->next;
        if (!r->events)
            r->last_event = NULL;
        pthread_mutex_unlock(&r->mutex);
        r->o->events.change(r->o->events.arg, r->plan, ev->op, ev->state, ev->detail);
        free(ev->detail);
        free(ev);
        pthread_mutex_lock(&r->mutex);
    }
    r->is_telling = false;
}

void run_detail(struct run *r, const struct op *op, const char *detail)
{
    pthread_mutex_lock(&r->mutex);
    run_queue(r, (size_t)(op - r->plan->ops), OP_STATE_STARTED, detail);
    run_tell(r);
    pthread_mutex_unlock(&r->mutex);
}

int worker_etcd(struct etcd **out, struct worker *w, struct err *e)
{
    if (!w->r->root)
        return err_set(e, ERR_NOTFOUND, "the environment has no etcd");
    if (!w->c && etcd_open(&w->c, w->r->root, NULL, e) < 0)
        return -1;
    etcd_set_until(w->c, engine_until(w->g));
    *out = w->c;
    return 0;
}

void run_tell_cancel(struct run *r)
{
    auto_strv struct strv titles = {0};
    auto_free char *text = NULL;

    if (r->told_cancel || !until_is_cancelled(r->until) || until_is_aborted(r->until) ||
        r->running == 0)
        return;
    r->told_cancel = true;
    for (size_t i = 0; i < r->plan->count; i++)
        if (r->state[i] == OP_STATE_STARTED && !op_is_wait(r->plan->ops[i].kind)) {
            auto_free char *title = op_title(&r->plan->ops[i]);

            strv_add(&titles, title);
        }
    text = strv_join(&titles, ", ");
    pthread_mutex_unlock(&r->mutex);
    log_warn("interrupted; what is under way is finished first (%s); Ctrl-C again stops at once",
             text);
    pthread_mutex_lock(&r->mutex);
}
