/* SPDX-License-Identifier: MIT */
/* The state of an environment as a picture that stays up to date, and what an operator does at once
 * with what it shows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "cmd/out.h"
#include "cmd/top_keys.h"
#include "env/status.h"
#include "env/usage.h"

/* A flood of lines must not become a flood of pictures: keys are answered at once. */
enum { TICK_MS = 1000, PICTURE_MS = 100, JSON_SPAN_MS = 1000, EXIT_UNHEALTHY = 5 };

/* ---- once, for programs ---- */

static int print_json(struct cmd_context *x, struct err *e)
{
    auto_node struct node *status = NULL, *usage = NULL;
    const struct node *list;
    struct usage *u;

    if (status_read(&status, x->env, e) < 0)
        return -1;
    list = node_get(status, "instances");
    u = usage_new(x->env->engine);
    usage = usage_look(u, list);
    until_sleep_ms(x->env->until, JSON_SPAN_MS); /* rates need two looks */
    node_free(usage);
    usage = usage_look(u, list);
    usage_free(u);
    for (size_t i = 0; i < list->count; i++) {
        const struct node *of_one = node_get(usage, node_get_text(list->items[i], "instance"));

        if (of_one)
            node_set(list->items[i], "usage", node_copy(of_one));
    }
    out_json(status);
    return node_get_bool(status, "healthy", false) ? 0 : EXIT_UNHEALTHY;
}

/* ---- the picture ---- */

static void take_news(struct top *t)
{
    struct top_view *v = &t->view;

    top_feed_take(&v->news, t->feed);
    top_model_fill(&v->model, v->news.status, v->news.usage);
    if (v->news.done)
        top_notice(t, steal(v->news.done));
}

static void take_log(struct top *t)
{
    struct top_view *v = &t->view;
    size_t before = v->log.count, gone = top_logs_take(&v->log, t->logs);

    if (v->log_back) /* what somebody reads stays where it is */
        v->log_back += v->log.count + gone - before;
    if (v->log_back > v->log.count)
        v->log_back = v->log.count;
}

static void take_told(struct top *t)
{
    char *told = top_screen_told(t->screen);

    if (told)
        top_notice(t, told);
    if (t->view.notice && clock_passed(t->view.notice_until))
        free(steal(t->view.notice));
}

/* Until there is something to draw. A key is handled here. */
static void wait_and_take(struct top *t, int64_t drawn_ms)
{
    struct pollfd fds[] = {
        {.fd = until_fd(t->x->env->until), .events = POLLIN},
        {.fd = top_feed_fd(t->feed), .events = POLLIN},
        {.fd = t->logs ? top_logs_fd(t->logs) : -1, .events = POLLIN},
    };
    int64_t rest = drawn_ms + PICTURE_MS - clock_now_ms();
    int key;

    if (rest > 0 && !top_screen_wait(t->screen, fds, 1, (int)rest))
        t->leave = true;
    key = top_screen_key(t->screen);
    if (key < 0 && !t->leave && !top_screen_wait(t->screen, fds, ARRAY_LEN(fds), TICK_MS))
        t->leave = true;
    for (; key >= 0 || (key = top_screen_key(t->screen)) >= 0; key = -1)
        top_key(t, key);
    if (fds[1].revents)
        take_news(t);
    if (t->logs && fds[2].revents)
        take_log(t);
    take_told(t);
}

static void look(struct top *t)
{
    while (!t->leave && sig_interrupts() == 0) {
        int64_t drawn_ms = clock_now_ms();

        top_draw(t->screen, &t->view);
        wait_and_take(t, drawn_ms);
    }
}

/* The terminal first: what is under way may take a moment to end. */
static void leave(struct top *t)
{
    auto_free char *restarting = t->feed ? top_feed_restarting(t->feed) : NULL;

    top_screen_close(t->screen);
    if (restarting)
        out_line(stderr, "slipway: waits until %s is restarted", restarting);
    top_leave_log(t);
    top_feed_stop(t->feed);
    top_news_clear(&t->view.news);
    free(t->view.asked);
    top_model_clear(&t->view.model);
    free(t->view.notice);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    struct top t = {.x = x, .view = {.env = x->env->name}};
    int r;

    (void)options;
    (void)operands;
    if (x->json)
        return print_json(x, e);
    r = top_screen_open(&t.screen, out_has_color(x, stdout), e);
    if (r == 0)
        r = top_feed_start(&t.feed, x->env, e);
    if (r == 0)
        look(&t);
    leave(&t);
    return r;
}

static int check(const struct cmd_context *x, const void *options, const struct strv *operands,
                 struct err *e)
{
    (void)options;
    (void)operands;
    if (x->json || x->parse_only || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
        return 0;
    return err_set(e, ERR_USAGE,
                   "top needs a terminal; `slipway top --json` prints the same once, and "
                   "`slipway status --watch` goes on without one");
}

static const struct opt_example examples[] = {
    {"slipway top", "the picture; q ends it"},
    {"slipway top --json", "the status with what each instance uses, once"},
    {0},
};

const struct cmd cmd_top = {
    .help = {.name = "top",
             .summary =
                 "a live picture: health, CPU, memory, traffic, events; logs, restart, shell",
             .details =
                 "Keys: arrows or j k choose an instance; l follows its log, r restarts it "
                 "(asks first), s is a shell in it; f shows only what is not ready, o sorts, / "
                 "filters, v shows volumes in the place of events, ? explains the columns, q "
                 "ends.\n\nA volume stands with the network of its driver's container: bytes of "
                 "all volumes that this one serves, from and to storage and clients. Block bytes "
                 "are there where the kernel counts them for containers.",
             .examples = examples,
             .group = "Environments"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_ENGINE | ENV_NEEDS_KEY,
    .check = check,
    .run = run,
};
