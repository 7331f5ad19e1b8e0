/* SPDX-License-Identifier: MIT */
/* open: the page of the environment's controller. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "cmd/cmd.h"
#include "cmd/open.h"
#include "cmd/out.h"
#include "env/page.h"

enum { BROWSER_MS = 10000 };

struct open_options {
    bool print;
};

static const struct opt_spec options[] = {
    {"print", 0, OPT_FLAG, NULL, "open no browser", offsetof(struct open_options, print)},
    {0},
};

static const struct opt_example examples[] = {
    {"slipway open", "in the browser, and print the token that logs in"},
    {"slipway open --print", "address, token and pin alone"},
    {"slipway open --json", "the same for programs"},
    {0},
};

void open_print(const struct page *p, const char *token)
{
    out_line(stdout, "page  %s", p->url);
    if (token)
        out_line(stdout, "token %s", token);
    out_line(stdout, "pin   %s", p->pin);
}

struct node *open_json(const struct page *p, const char *token)
{
    struct node *n = node_new_map();

    node_set_text(n, "instance", p->instance);
    node_set_text(n, "url", p->url);
    if (token)
        node_set_text(n, "token", token);
    node_set_text(n, "pin", p->pin);
    return n;
}

static bool has_display(void)
{
    return getenv("DISPLAY") || getenv("WAYLAND_DISPLAY");
}

/* The token is not in the address: it would be in the list of processes, and in the history of the
 * browser. */
static void show(const char *url)
{
    /* In a session of its own: without a desktop it is the browser itself that runs there. */
    const char *const argv[] = {"setsid", "-f", "xdg-open", url, NULL};
    struct proc_opts o = {.argv = argv, .deadline = clock_deadline(BROWSER_MS)};
    struct err e;
    int status = 0;

    if (proc_run(&status, &o, &e) < 0)
        err_drop(&e, "opening the browser");
    else if (status != 0)
        log_warn("xdg-open did not open %s (status %d)", url, status);
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct open_options *o = opts;
    auto_wipe char *token = NULL;
    struct page p = {0};
    int r = page_find(&p, x->env, e);

    (void)operands;
    if (r == 0)
        r = page_token(&token, x->env, e);
    if (r == 0 && x->json) {
        auto_node struct node *n = open_json(&p, token);

        out_json(n);
    } else if (r == 0) {
        open_print(&p, token);
    }
    if (r == 0 && !o->print && !x->json && has_display())
        show(p.url);
    page_clear(&p);
    return r;
}

const struct cmd cmd_open_page = {
    .help = {.name = "open",
             .summary = "open the page of the controller, and print a token to log in with",
             .details =
                 "The token begins one session as admin, within a day; each call makes a new one. "
                 "The certificate is the environment's own, which no browser knows: compare its "
                 "key with the pin, or go on when the address is 127.0.0.1. Without a display "
                 "everything is printed and nothing opened.",
             .options = options,
             .examples = examples,
             .group = "Environments"},
    .options_size = sizeof(struct open_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS | ENV_NEEDS_KEY,
    .run = run,
};
