/* SPDX-License-Identifier: MIT */
#include "env/prepare.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "plan/object.h"

/* Output is the target's, so it is not trusted to be short: of a difference the beginning counts,
 * of what went wrong the end. */
enum {
    PROGRAM_MAX = 64 << 10,
    DIFF_MAX = 64 << 10,
    REASON_MAX = 8 << 10,
    REASON_SHOWN = 600,
    STATUS_CHANGED = 110, /* of the programs */
    STATUS_UNCHANGED = 111,
};

struct target_work {
    struct prepare_result *result;
    struct node *vars; /* of templates */
    size_t at;         /* the step that is next or under way */
    struct strv argv;
    char *input;
    size_t input_len;
    struct buf diff, reason;
};

struct prepare {
    const struct prepare_opts *o;
    char *run; /* what says in front of the programs which run this is: they keep others out */
    const struct prepare_events *ev;
    char *programs[STEP_KINDS]; /* text of those that are needed */
    struct target_work *work;
};

/* ---- the programs ---- */

static int read_programs(struct prepare *p, const char *dir, struct err *e)
{
    auto_free char *common = fs_join(dir, "common"), *head = NULL;

    if (fs_read(&head, NULL, common, PROGRAM_MAX, e) < 0)
        return err_wrap(e, "the programs of the steps");
    for (size_t i = 0; i < p->o->steps->count; i++) {
        enum step_kind kind = p->o->steps->items[i].kind;
        auto_free char *path = fs_join(dir, steps_kind(kind)), *text = NULL;

        if (p->programs[kind])
            continue;
        if (fs_read(&text, NULL, path, PROGRAM_MAX, e) < 0)
            return err_wrap(e, "the programs of the steps");
        p->programs[kind] = mem_printf("%s\n%s", head, text);
    }
    return 0;
}

static void add_safe(struct buf *b, const char *text)
{
    for (; *text; text++)
        buf_putc(b, isalnum((unsigned char)*text) || strchr("._-", *text) ? *text : '_');
}

/* A word that no other run has, and who it is for whoever comes second. */
static char *name_run(const struct env *env)
{
    auto_buf struct buf b = {0};
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    buf_init(&b, 2048);
    buf_printf(&b, "run=%d-%lld who='", (int)getpid(), (long long)clock_wall_ms());
    add_safe(&b, env->user);
    buf_puts(&b, " on ");
    add_safe(&b, host);
    buf_printf(&b, " (process %d)'", (int)getpid());
    return buf_take(&b);
}

/* ---- one step ---- */

static void reset(struct target_work *w)
{
    strv_clear(&w->argv);
    mem_wipe_free(w->input, w->input_len);
    w->input = NULL;
    w->input_len = 0;
    buf_reset(&w->diff);
    w->diff.full = false;
    buf_reset(&w->reason);
}

static void tell(const struct prepare *p, size_t index)
{
    const struct target_work *w = &p->work[index];

    if (p->ev->step)
        p->ev->step(p->ev->arg, w->result, index, w->at);
}

static bool next(void *arg, size_t index, struct target_command *c)
{
    const struct prepare *p = arg;
    struct target_work *w = &p->work[index];
    const struct steps *all = p->o->steps;
    const struct step *s = &all->items[w->at];
    struct prepare_result *r = w->result;

    if (w->at == all->count || r->error.code != ERR_NONE)
        return false;
    reset(w);
    if (steps_input(&w->input, &w->input_len, all, s, w->vars, &r->error) < 0) {
        err_wrap(&r->error, "%s", s->title);
        r->steps[w->at].state = PREPARE_STATE_FAILED;
        tell(p, index);
        return false;
    }
    strv_add(&w->argv, "sh");
    strv_add(&w->argv, "-c");
    strv_addf(&w->argv, "%s last=%s\n%s", p->run, w->at + 1 == all->count ? "true" : "",
              p->programs[s->kind]);
    strv_addf(&w->argv, "slipway-step-%s", steps_kind(s->kind)); /* $0: what ps shows first */
    steps_words(&w->argv, s, p->o->look);
    *c = (struct target_command){
        .argv = (const char *const *)w->argv.items, .input = w->input, .input_len = w->input_len};
    return true;
}

static bool on_output(void *arg, size_t index, int stream, const char *text, size_t len)
{
    const struct prepare *p = arg;
    struct target_work *w = &p->work[index];

    if (stream == 1) {
        buf_add(&w->diff, text, len);
        return true;
    }
    if (len > REASON_MAX / 2) {
        text += len - REASON_MAX / 2;
        len = REASON_MAX / 2;
    }
    if (w->reason.len + len > REASON_MAX)
        buf_consume(&w->reason, w->reason.len + len - REASON_MAX);
    buf_add(&w->reason, text, len);
    return true;
}

/* The end of what was said, as one line: lines with "; " between them. */
static char *reason_of(const struct buf *b)
{
    auto_buf struct buf line = {0};
    const char *text = buf_str(b);
    size_t len = b->len;

    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    size_t start = len > REASON_SHOWN ? len - REASON_SHOWN : 0;
    buf_init(&line, REASON_SHOWN * 2 + 8);
    if (start)
        buf_puts(&line, "...");
    for (size_t i = start; i < len; i++) {
        if (text[i] == '\n')
            buf_puts(&line, "; ");
        else if (text[i] != '\0' && text[i] != '\r')
            buf_putc(&line, text[i]);
    }
    return buf_take(&line);
}

static void fail(struct target_work *w, const struct step *s, const struct target_end *end)
{
    auto_free char *reason = reason_of(&w->reason);
    struct err *e = &w->result->error;

    if (end->error.code != ERR_NONE) {
        *e = end->error;
        err_wrap(e, "%s", s->title);
    } else if (*reason) {
        err_set(e, ERR_REMOTE, "%s: %s", s->title, reason);
    } else if (end->status == 126 || end->status == 127) {
        err_set(e, ERR_REMOTE, "%s: there is no shell (sh) to do it with", s->title);
    } else if (end->status > 128) {
        err_set(e, ERR_REMOTE, "%s: signal %d ended it", s->title, end->status - 128);
    } else {
        err_set(e, ERR_REMOTE, "%s: it ended with status %d and without a reason", s->title,
                end->status);
    }
}

/* Tools may compare any bytes as lines; one character may be cut in two at the end. */
static bool is_text(const struct buf *b)
{
    const char *p = buf_str(b), *end = p + b->len;
    uint32_t c;
    size_t len = 1;

    for (; p < end && len; p += len)
        len = *p ? utf8_decode(&c, p, (size_t)(end - p)) : 0;
    return len || (b->full && end - p < 4 && !memchr(p, '\0', (size_t)(end - p)));
}

static void keep_diff(struct prepare_step *step, struct target_work *w)
{
    if (w->diff.len && !is_text(&w->diff)) {
        buf_reset(&w->diff);
        w->diff.full = false;
        buf_puts(&w->diff, "what is in it differs; it is not text\n");
    }
    step->cut = w->diff.full;
    step->diff_len = w->diff.len;
    step->diff = w->diff.len ? buf_take(&w->diff) : NULL;
}

static bool on_ended(void *arg, size_t index, const struct target_end *end)
{
    const struct prepare *p = arg;
    struct target_work *w = &p->work[index];
    struct prepare_result *r = w->result;
    struct prepare_step *step = &r->steps[w->at];

    if (!end->via) { /* it was not begun */
        r->error = end->error;
        return !p->o->fail_fast;
    }
    r->via = end->via;
    r->took_ms += end->took_ms;
    step->took_ms = end->took_ms;
    if (end->error.code == ERR_NONE && end->status == STATUS_UNCHANGED) {
        step->state = PREPARE_STATE_UNCHANGED;
        r->unchanged++;
    } else if (end->error.code == ERR_NONE && end->status == STATUS_CHANGED) {
        step->state = PREPARE_STATE_CHANGED;
        r->changed++;
    } else {
        step->state = PREPARE_STATE_FAILED;
        fail(w, &p->o->steps->items[w->at], end);
    }
    keep_diff(step, w);
    tell(p, index);
    w->at++;
    return r->error.code == ERR_NONE || !p->o->fail_fast;
}

/* ---- all ---- */

static void open_target(struct target *t, struct target_work *w, const struct env *env,
                        const struct prepare_opts *o)
{
    const char *name = w->result->target;
    const struct node *c = object_find_instance(env->containers, name);

    target_of_instance(t, env, name);
    w->vars = steps_target(name, object_label(c, LABEL_COMPONENT), env->name, object_address(c));
    w->result->steps = mem_array(o->steps->count, sizeof(*w->result->steps));
    buf_init(&w->diff, DIFF_MAX);
    buf_init(&w->reason, REASON_MAX);
}

static void close_target(struct target *t, struct target_work *w)
{
    reset(w);
    buf_clear(&w->diff);
    buf_clear(&w->reason);
    node_free(w->vars);
    target_clear(t);
}

static int run(struct prepare *p, struct env *env, const struct targets_opts *how, struct err *e)
{
    const struct target_events events = {
        .next = next, .output = on_output, .ended = on_ended, .arg = p};

    if (read_programs(p, env->o.paths->steps, e) < 0)
        return -1;
    return targets_run(env, how, &events, e);
}

int prepare_many(struct prepare_result **results, struct env *env, const struct strv *names,
                 const struct prepare_opts *o, const struct prepare_events *ev, struct err *e)
{
    auto_free struct target *targets = mem_array(names->count, sizeof(*targets));
    auto_free struct target_work *work = mem_array(names->count, sizeof(*work));
    struct prepare p = {.o = o, .ev = ev, .work = work};
    const struct targets_opts how = {.targets = targets,
                                     .count = names->count,
                                     .parallel = o->parallel,
                                     .timeout_ms = PREPARE_TIMEOUT_MS};
    int r;

    *results = mem_array(names->count, sizeof(**results));
    for (size_t i = 0; i < names->count; i++) {
        work[i].result = &(*results)[i];
        work[i].result->target = names->items[i];
        open_target(&targets[i], &work[i], env, o);
    }
    p.run = name_run(env);
    r = run(&p, env, &how, e);
    free(p.run);
    for (size_t i = 0; i < names->count; i++)
        close_target(&targets[i], &work[i]);
    for (int k = 0; k < STEP_KINDS; k++)
        free(p.programs[k]);
    if (r < 0) {
        prepare_free(*results, names->count, o->steps);
        *results = NULL;
    }
    return r;
}

void prepare_free(struct prepare_result *results, size_t count, const struct steps *steps)
{
    for (size_t i = 0; results && i < count; i++) {
        for (size_t k = 0; results[i].steps && k < steps->count; k++)
            free(results[i].steps[k].diff);
        free(results[i].steps);
    }
    free(results);
}
