/* SPDX-License-Identifier: MIT */
#include "engine/exec.h"

#include <limits.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/api.h"
#include "engine/url.h"

static const struct shape state_members[] = {
    {.name = "Running", .kind = NODE_KIND_BOOL, .need = SHAPE_MUST},
    {.name = "ExitCode", .kind = NODE_KIND_NUMBER, .need = SHAPE_OR_NULL},
    {0},
};
static const struct shape state = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = state_members};

enum { STATUS_POLL_MS = 10 };

static struct node *text_list(const char *const *items)
{
    struct node *list = node_new_list();

    for (size_t i = 0; items[i]; i++)
        node_add_text(list, items[i]);
    return list;
}

struct node *exec_body(const struct engine_exec *x, bool with_stdin)
{
    struct node *body = node_new_map();

    node_set_bool(body, "AttachStdin", with_stdin);
    node_set_bool(body, "AttachStdout", true);
    node_set_bool(body, "AttachStderr", true);
    node_set_bool(body, "Tty", x->tty);
    if (x->tty) /* Docker's default, ctrl-p ctrl-q, delays every ctrl-p of the shell's history */
        node_set_text(body, "DetachKeys", "ctrl-^,ctrl-^,ctrl-^");
    node_set(body, "Cmd", text_list(x->argv));
    if (x->env)
        node_set(body, "Env", text_list(x->env));
    if (x->user)
        node_set_text(body, "User", x->user);
    return body;
}

int exec_create(char **exec, struct engine *g, const char *id, const struct node *body,
                struct err *e)
{
    auto_node struct node *answer = NULL;
    auto_free char *path = url_path("/containers/", id, "/exec");
    struct api_request r = {.method = "POST",
                            .path = path,
                            .shape = &shape_created,
                            .body = body,
                            .deadline = clock_deadline(API_READ_MS)};

    *exec = NULL;
    if (api_call(&answer, g, &r, e) < 0)
        return -1;
    *exec = mem_strdup(node_get_text(answer, "Id"));
    return 0;
}

int exec_status(int *status, struct engine *g, const char *exec, struct until until, struct err *e)
{
    auto_free char *path = url_path("/exec/", exec, "/json");

    for (;;) {
        auto_node struct node *seen = NULL;
        struct api_request r = {.method = "GET",
                                .path = path,
                                .shape = &state,
                                .deadline = clock_deadline(API_READ_MS)};

        if (api_call(&seen, g, &r, e) < 0)
            return -1;
        int64_t code;
        bool ended = node_to_int(node_get(seen, "ExitCode"), &code); /* null while it runs */
        if (ended && (code < 0 || code > INT_MAX))
            return err_set(e, ERR_REMOTE, "Docker answered GET %s with %lld as ExitCode", path,
                           (long long)code);
        if (ended && !node_get_bool(seen, "Running", false)) {
            *status = (int)code;
            return 0;
        }
        if (until_is_aborted(until))
            return err_set(e, ERR_INTERRUPTED, "interrupted");
        if (until_passed(until))
            return err_set(e, ERR_TIMEOUT, "it still runs in the container");
        until_sleep_ms(until, STATUS_POLL_MS);
    }
}

void exec_capture(const struct engine_exec *x, int stream, const char *p, size_t len)
{
    struct buf *to = stream == 1 ? x->out : x->err;

    if (to)
        buf_add(to, p, len);
    if (x->heard)
        x->heard(x->arg, p, len);
}
