/* SPDX-License-Identifier: MIT */
/*
 * What the waits of a run look at: one range of etcd for every waiting instance, one list of
 * containers now and then. No thread waits; execute asks each round.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/applied.h"
#include "model/keys.h"
#include "plan/object.h"
#include "plan/run.h"

enum {
    CONTAINERS_EVERY_MS = 500,
    ETCD_CALL_MS = 2000,
    RESTARTS_MAX = 5,
    ETCD_DEADLINE_MS = 120000,
    DIAGNOSIS_MAX = 1400,
    PREPARE_MAX_MS = 120000, /* what hook prepare may take besides the time to get ready */
    AGENT_FIRST_MS = 10000,  /* the agent's own deadline comes first: it knows why */
    FIND_ETCD_MS = 60000,    /* what an agent may need to find an etcd that was not there */
};

/* When the container was made, or its run before this one ended; wall clock of its host. */
struct run_begin {
    int64_t begin_ms, looked_at;
};

struct waiter {
    struct run *r;
    struct etcd *c; /* of this thread; owned unless it is the run's */
    struct node *containers;
    int64_t containers_at;
    struct etcd_kvs keys;     /* status and applied of those waited for, and unread keys */
    struct run_begin *begins; /* per operation */
    int64_t *since;           /* per operation: when its wait began, 0: not yet */
    struct node **desired;    /* per component: its keys, made when first needed */
    int64_t find_etcd_ms;     /* patience with agents that have to find etcd again */
};

/* An agent that ran while etcd did not (or lost its data) has to notice, log in and read first,
 * whatever time its component needs to get ready. */
static int64_t time_to_find_etcd_ms(const struct plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->ops[i].kind == OP_KIND_ETCD_WAIT)
            return FIND_ETCD_MS;
    return 0;
}

struct waiter *waiter_new(struct run *r)
{
    struct waiter *w = mem_alloc(sizeof(*w));

    w->r = r;
    w->find_etcd_ms = time_to_find_etcd_ms(r->plan);
    w->since = mem_array(r->plan->count + 1, sizeof(*w->since));
    w->begins = mem_array(r->plan->count + 1, sizeof(*w->begins));
    if (r->plan->desired)
        w->desired = mem_array(r->plan->desired->component_count + 1, sizeof(struct node *));
    return w;
}

void waiter_free(struct waiter *w)
{
    for (size_t i = 0; w->desired && i < w->r->plan->desired->component_count; i++)
        node_free(w->desired[i]);
    free(w->desired);
    free(w->since);
    free(w->begins);
    node_free(w->containers);
    etcd_kvs_clear(&w->keys);
    if (w->c != w->r->o->etcd)
        etcd_close(w->c);
    free(w);
}

/* A wait that is under way for longer than most take. Their states change in this thread only. */
static bool somebody_is_late(const struct waiter *w)
{
    for (size_t i = 0; i < w->r->plan->count; i++)
        if (w->since[i] && w->r->state[i] == OP_STATE_STARTED &&
            clock_now_ms() - w->since[i] >= CONTAINERS_EVERY_MS)
            return true;
    return false;
}

/* Docker takes 10 ms of processor time for a list, and it says only why somebody is late. */
static void look_at_containers(struct waiter *w)
{
    struct node *list = NULL;
    struct err e;

    if (!somebody_is_late(w) ||
        (w->containers && clock_now_ms() - w->containers_at < CONTAINERS_EVERY_MS))
        return;
    if (object_containers(&list, w->r->g, w->r->o->key->uuid, &e) < 0) {
        err_drop(&e, "looking at the containers");
        return;
    }
    node_free(w->containers);
    w->containers = list;
    w->containers_at = clock_now_ms();
}

static int open_etcd(struct waiter *w, struct err *e)
{
    if (!w->c && w->r->o->etcd && etcd_is_at(w->r->o->etcd, w->r->root))
        w->c = w->r->o->etcd;
    if (!w->c && etcd_open(&w->c, w->r->root, NULL, e) < 0)
        return -1;
    etcd_set_until(w->c, until_within(w->r->until, ETCD_CALL_MS));
    return 0;
}

static void look_at_keys(struct waiter *w)
{
    auto_strv struct strv names = {0};
    const struct plan *p = w->r->plan;
    struct etcd_kvs keys = {0};
    struct err e;

    pthread_mutex_lock(&w->r->mutex);
    for (size_t i = 0; w->r->etcd_ready && i < p->count; i++) {
        if (p->ops[i].kind != OP_KIND_INSTANCE_WAIT || w->r->state[i] != OP_STATE_STARTED)
            continue;
        strv_take(&names, keys_instance_status(p->env, p->ops[i].target));
        strv_take(&names, keys_instance_applied(p->env, p->ops[i].target));
    }
    pthread_mutex_unlock(&w->r->mutex);
    if (names.count == 0)
        return;
    for (size_t i = 0; i < p->unread.count; i++)
        strv_add(&names, p->unread.items[i]);
    if (open_etcd(w, &e) < 0 ||
        etcd_range_many(&keys, w->c, (const char *const *)names.items, names.count, &e) < 0) {
        err_drop(&e, "looking at the status keys");
        return;
    }
    etcd_kvs_clear(&w->keys);
    w->keys = keys;
}

void waiter_look(struct waiter *w)
{
    look_at_containers(w);
    look_at_keys(w);
}

/* Hash of the keys the instance should have in effect; those that the plan could not read count as
 * etcd has them. */
static int desired_hash(struct waiter *w, const struct op *op, char out[65], struct err *e)
{
    const struct desired *d = w->r->plan->desired;
    const struct strv *unread = &w->r->plan->unread;
    auto_node struct node *keys = NULL;
    size_t i = 0;

    while (d->components[i].spec != op->instance->component)
        i++;
    if (!w->desired[i] && desired_keys(&w->desired[i], d, &d->components[i], e) < 0)
        return -1;
    keys = node_copy(w->desired[i]);
    for (size_t k = 0; k < unread->count; k++) {
        const struct etcd_kv *kv = etcd_kvs_find(&w->keys, unread->items[k]);

        node_remove(keys, unread->items[k]);
        if (kv)
            node_set_text(keys, kv->key, kv->value);
    }
    applied_hash(out, keys, op->instance->spec->manifest->name, op->target);
    return 0;
}

/* Parsed value of a status or applied key; NULL when there is none. Owned. */
static struct node *report(const struct waiter *w, char *key)
{
    const struct etcd_kv *kv = etcd_kvs_find(&w->keys, key);
    struct node *n = NULL;
    struct err e;

    free(key);
    if (!kv || json_parse(&n, "status", kv->value, kv->value_len, &e) < 0)
        return NULL;
    return n;
}

static int give_up(struct waiter *w, const struct op *op, const struct node *status,
                   const char *why, struct err *e)
{
    auto_buf struct buf story = {0};
    const char *reason = node_get_text(status, "reason");

    buf_init(&story, DIAGNOSIS_MAX);
    diagnose_instance(&story, w->r->g, op->object);
    return err_set(e, ERR_UNHEALTHY, "instance %s %s%s%s; %s", op->target, why,
                   reason && *reason ? ": " : "", reason ? reason : "", buf_str(&story));
}

/* A container that ends over and over will not get ready by waiting longer. */
static bool is_hopeless(struct waiter *w, const struct op *op, int64_t since)
{
    const struct node *c = object_find_instance(w->containers, op->target);
    auto_node struct node *inspect = NULL;
    struct err e;

    /* A list from before the start shows the container as it was. */
    if (!c || w->containers_at <= since)
        return false;
    if (strcmp(observed_state(c), "exited") == 0 || strcmp(observed_state(c), "dead") == 0)
        return true;
    if (strcmp(observed_state(c), "restarting") != 0)
        return false;
    if (engine_container_inspect(&inspect, w->r->g, op->object, &e) < 0)
        return false;
    return node_get_int(inspect, "RestartCount", 0) >= RESTARTS_MAX;
}

/*
 * Whether a report is of this run of the container: the agent of the one it replaces, or of its run
 * before, may have left one that looks just as well. All clocks here are the host's.
 */
static bool is_of_this_run(struct waiter *w, size_t i, int64_t at_ms)
{
    struct run_begin *b = &w->begins[i];
    auto_node struct node *inspect = NULL;
    int64_t made, ended;
    struct err e;

    if (w->r->plan->ops[i].never_reported)
        return true;
    if (b->looked_at && clock_now_ms() - b->looked_at < CONTAINERS_EVERY_MS)
        return at_ms >= b->begin_ms;
    if (engine_container_inspect(&inspect, w->r->g, w->r->plan->ops[i].object, &e) < 0) {
        err_drop(&e, "looking at a container that reports");
        return false;
    }
    made = object_time_ms(node_get_text(inspect, "Created"));
    ended = object_time_ms(node_get_text(node_get(inspect, "State"), "FinishedAt"));
    b->begin_ms = made > ended ? made : ended;
    b->looked_at = clock_now_ms();
    return at_ms >= b->begin_ms;
}

static int64_t patience_ms(const struct waiter *w, const struct op *op, const struct node *status)
{
    const struct manifest *m = op->instance->spec->manifest;
    int64_t find_etcd = op->never_reported ? 0 : w->find_etcd_ms;
    int64_t prepare = m->hook_deadline_ms < PREPARE_MAX_MS ? m->hook_deadline_ms : PREPARE_MAX_MS;

    if (node_text_is(status, "state", "ready"))
        return m->ready_deadline_ms + find_etcd;
    return m->ready_deadline_ms + prepare + AGENT_FIRST_MS + find_etcd;
}

/* A sentence without the space around it and without the hook that said it. */
static const char *bare(char *sentence)
{
    size_t len;
    char *said;

    sentence += strspn(sentence, " ");
    for (len = strlen(sentence); len && sentence[len - 1] == ' ';)
        sentence[--len] = 0;
    said = strncmp(sentence, "hook ", 5) == 0 ? strstr(sentence, ": ") : NULL;
    return said ? said + 2 : sentence;
}

/* Whether every sentence of `text` was said before already, as a hook's error or as a reason. */
static bool was_said(const char *text, const struct node *before)
{
    auto_strv struct strv sentences = {0};
    const char *error = node_get_text(before, "error"), *reason = node_get_text(before, "reason");

    if (!text || !*text)
        return false;
    strv_split(&sentences, text, "\n|");
    for (size_t i = 0; i < sentences.count; i++) {
        const char *sentence = bare(sentences.items[i]);

        if (!(error && strstr(error, sentence)) && !(reason && strstr(reason, sentence)))
            return false;
    }
    return true;
}

/*
 * Whether it got ready and complains of nothing but what was wrong before the change: that is not
 * a reason to go back. The health hook has had two turns since.
 */
static bool is_still_unhealthy(struct waiter *w, size_t i, const char *hash,
                               const struct node *status, const struct node *applied)
{
    const struct op *op = &w->r->plan->ops[i];
    bool failed = node_text_is(applied, "result", "failed");
    bool unhealthy = node_text_is(status, "health", "unhealthy");
    int64_t turns = 2 * op->instance->spec->manifest->health_every_ms;

    if (!node_text_is(status, "state", "ready") || (!failed && !unhealthy) ||
        !node_text_is(applied, "hash", hash) || clock_now_ms() - w->since[i] < turns ||
        !is_of_this_run(w, i, node_get_int(applied, "at", 0)))
        return false;
    if (failed && !was_said(node_get_text(applied, "error"), op->before))
        return false;
    if (unhealthy && !was_said(node_get_text(status, "reason"), op->before))
        return false;
    log_warn("instance %s runs as asked and is no better than before: %s", op->target,
             node_get_text(unhealthy ? status : applied, unhealthy ? "reason" : "error"));
    if (w->r->o->still_unhealthy)
        strv_add(w->r->o->still_unhealthy, op->target);
    return true;
}

static enum wait_result check_instance(struct waiter *w, size_t i, struct err *e)
{
    const struct op *op = &w->r->plan->ops[i];
    const char *env = w->r->plan->env;
    auto_node struct node *status = report(w, keys_instance_status(env, op->target));
    auto_node struct node *applied = report(w, keys_instance_applied(env, op->target));
    int64_t waited = clock_now_ms() - w->since[i];
    char hash[65] = "";

    /* Nothing to compare until the agent has spoken; this is asked often. */
    if (applied && desired_hash(w, op, hash, e) < 0)
        return WAIT_RESULT_FAILED;
    if (node_text_is(status, "state", "ready") && node_text_is(status, "health", "healthy") &&
        node_text_is(applied, "hash", hash) && node_text_is(applied, "result", "ok") &&
        is_of_this_run(w, i, node_get_int(status, "since", 0)))
        return WAIT_RESULT_DONE;
    if (op->before && is_still_unhealthy(w, i, hash, status, applied))
        return WAIT_RESULT_DONE;
    if (node_text_is(applied, "hash", hash) && node_text_is(applied, "result", "failed") &&
        !was_said(node_get_text(applied, "error"), op->before) &&
        node_get_int(applied, "at", 0) != op->heard_at &&
        is_of_this_run(w, i, node_get_int(applied, "at", 0))) {
        node_set_text(applied, "reason", node_get_text(applied, "error"));
        give_up(w, op, applied, "could not apply its configuration", e);
        return WAIT_RESULT_FAILED;
    }
    if (is_hopeless(w, op, w->since[i])) {
        give_up(w, op, status, "does not stay up", e);
        return WAIT_RESULT_FAILED;
    }
    if (waited > patience_ms(w, op, status)) {
        give_up(w, op, status,
                node_text_is(status, "state", "ready") ? "is not healthy"
                                                       : "did not get ready in time",
                e);
        return WAIT_RESULT_FAILED;
    }
    return WAIT_RESULT_NOT_YET;
}

static enum wait_result check_etcd(struct waiter *w, size_t i, struct err *e)
{
    auto_free char *key = keys_spec(w->r->plan->env);
    struct etcd_kv kv = {0};
    const struct node *c;

    if (open_etcd(w, e) == 0 && (etcd_get(&kv, w->c, key, e) == 0 || e->code == ERR_NOTFOUND)) {
        etcd_kv_clear(&kv);
        return WAIT_RESULT_DONE;
    }
    if (e->code == ERR_AUTH)
        return WAIT_RESULT_FAILED;
    node_for_each (c, w->containers) {
        const char *component = object_label(c, LABEL_COMPONENT);
        struct op probe = {.target = NULL};

        if (!component || strcmp(component, ETCD_COMPONENT) != 0)
            continue;
        probe.target = mem_strdup(object_label(c, LABEL_INSTANCE));
        probe.object = mem_strdup(node_get_text(c, "Id"));
        if (is_hopeless(w, &probe, w->since[i]) ||
            clock_now_ms() - w->since[i] > ETCD_DEADLINE_MS) {
            give_up(w, &probe, NULL, "does not answer", e);
            free(probe.target);
            free(probe.object);
            return WAIT_RESULT_FAILED;
        }
        free(probe.target);
        free(probe.object);
    }
    return WAIT_RESULT_NOT_YET;
}

enum wait_result waiter_check(struct waiter *w, size_t op, struct err *e)
{
    if (w->since[op] == 0)
        w->since[op] = clock_now_ms();
    if (w->r->plan->ops[op].kind == OP_KIND_ETCD_WAIT)
        return check_etcd(w, op, e);
    return check_instance(w, op, e);
}
