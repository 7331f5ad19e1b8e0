/* SPDX-License-Identifier: MIT */
/* Exec whose output is kept. */
#include "engine/exec.h"

#include "base/mem.h"
#include "engine/api.h"
#include "engine/frames.h"
#include "engine/url.h"

enum { STATUS_MS = 10 * 1000 };

struct capture {
    const struct engine_exec *x;
    struct frames frames;
};

static void on_frame(void *arg, int stream, const char *p, size_t len)
{
    const struct capture *c = arg;

    exec_capture(c->x, stream, p, len);
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
    struct api_request q = {.method = "POST",
                            .path = path,
                            .body = body,
                            .deadline = x->deadline,
                            .chunk = on_chunk,
                            .arg = &c};
    frames_init(&c.frames, on_frame, &c);
    int r = api_call(NULL, g, &q, e);
    if (r == 0)
        r = frames_end(&c.frames, e);
    frames_clear(&c.frames);
    if (r < 0)
        return -1;
    /* Not less than a moment: a command that ended at its deadline has ended. */
    return exec_status(status, g, exec, until_within(engine_until(g), STATUS_MS), e);
}

int engine_exec_run(int *status, struct engine *g, const char *id, const struct engine_exec *x,
                    struct err *e)
{
    auto_free char *exec = NULL;
    struct engine_exec plain = *x;

    plain.tty = false;
    auto_node struct node *body = exec_body(&plain, x->input || x->held);
    *status = -1;
    int r = exec_create(&exec, g, id, body, e);
    if (r == 0)
        r = (x->input ? exec_with_input : run)(status, g, exec, &plain, e);
    if (r < 0)
        return err_wrap(e, "running %s in container %s", x->argv[0], id);
    return 0;
}
