/* SPDX-License-Identifier: MIT */
#include "engine/exec.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/api.h"
#include "engine/frames.h"
#include "engine/url.h"

enum { STATUS_POLL_MS = 10, STATUS_MS = 10 * 1000 };

static struct node *text_list(const char *const *items)
{
    struct node *list = node_new_list();
    for (size_t i = 0; items[i] != NULL; i++)
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
    if (x->tty) /* Docker's default, ctrl-p ctrl-q, holds back every ctrl-p of the shell's history
                 */
        node_set_text(body, "DetachKeys", "ctrl-^,ctrl-^,ctrl-^");
    node_set(body, "Cmd", text_list(x->argv));
    if (x->env != NULL)
        node_set(body, "Env", text_list(x->env));
    if (x->user != NULL)
        node_set_text(body, "User", x->user);
    return body;
}

int exec_create(char **exec, struct engine *g, const char *id, const struct node *body,
                struct err *e)
{
    auto_node struct node *answer = NULL;
    auto_free char *path = url_path("/containers/", id, "/exec");
    struct api_request r = {
        .method = "POST", .path = path, .body = body, .deadline = clock_deadline(API_READ_MS)};
    *exec = NULL;
    if (api_call(&answer, g, &r, e) < 0)
        return -1;
    if (node_get_text(answer, "Id") == NULL)
        return err_set(e, ERR_REMOTE, "Docker gave no id");
    *exec = mem_strdup(node_get_text(answer, "Id"));
    return 0;
}

int exec_status(int *status, struct engine *g, const char *exec, int64_t deadline, struct err *e)
{
    auto_free char *path = url_path("/exec/", exec, "/json");
    while (!clock_passed(deadline)) {
        auto_node struct node *seen = NULL;
        struct api_request r = {
            .method = "GET", .path = path, .deadline = clock_deadline(API_READ_MS)};
        if (api_call(&seen, g, &r, e) < 0)
            return -1;
        int64_t code = node_get_int(seen, "ExitCode", -1); /* null while it runs */
        if (!node_get_bool(seen, "Running", false) && code >= 0) {
            *status = (int)code;
            return 0;
        }
        clock_sleep_ms(STATUS_POLL_MS);
    }
    return err_set(e, ERR_TIMEOUT, "it still runs in the container");
}

struct capture {
    const struct engine_exec *x;
    struct frames frames;
};

static void on_frame(void *arg, int stream, const char *p, size_t len)
{
    const struct capture *c = arg;
    struct buf *to = stream == 1 ? c->x->out : c->x->err;
    if (to != NULL)
        buf_add(to, p, len);
}

static int on_chunk(void *arg, const char *p, size_t len, struct err *e)
{
    struct capture *c = arg;
    return frames_feed(&c->frames, p, len, e);
}

static int run(int *status, struct engine *g, const char *exec, const struct engine_exec *x,
               struct err *e)
{
    struct capture c = {.x = x};
    auto_node struct node *body = node_new_map();
    auto_free char *path = url_path("/exec/", exec, "/start");
    node_set_bool(body, "Detach", false);
    node_set_bool(body, "Tty", false);
    struct api_request r = {.method = "POST",
                            .path = path,
                            .body = body,
                            .deadline = x->deadline,
                            .chunk = on_chunk,
                            .arg = &c};
    frames_init(&c.frames, on_frame, &c);
    int rc = api_call(NULL, g, &r, e);
    frames_clear(&c.frames);
    if (rc < 0)
        return -1;
    /* Not less than a moment: a command that ended at its deadline has ended. */
    int64_t deadline = clock_deadline(STATUS_MS);
    return exec_status(status, g, exec, deadline, e);
}

int engine_exec_run(int *status, struct engine *g, const char *id, const struct engine_exec *x,
                    struct err *e)
{
    auto_free char *exec = NULL;
    struct engine_exec plain = *x;
    plain.tty = false;
    auto_node struct node *body = exec_body(&plain, false);
    *status = -1;
    if (exec_create(&exec, g, id, body, e) < 0 || run(status, g, exec, x, e) < 0)
        return err_wrap(e, "running %s in container %s", x->argv[0], id);
    return 0;
}
