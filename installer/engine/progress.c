/* SPDX-License-Identifier: MIT */
#include "engine/progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "engine/ndjson.h"

enum { KEEP_LINES = 20, OUTPUT_LINE_MAX = 4096 };

struct progress_stream {
    const struct engine_progress *p;
    const char *what; /* was asked, for errors */
    struct ndjson values;
    struct buf part;        /* of a build's output: a line not ended yet */
    char *last[KEEP_LINES]; /* ring */
    size_t lines;
    bool heard, late;
};

static void tell(const struct progress_stream *s, const char *text)
{
    if (s->p->line)
        s->p->line(s->p->arg, text);
}

/* Lines that say nothing about a failure. */
static bool is_builder_talk(const char *text)
{
    static const char removing[] = "Removing intermediate container ";

    return strncmp(text, " ---> ", 6) == 0 || strncmp(text, removing, sizeof(removing) - 1) == 0;
}

static void end_line(struct progress_stream *s)
{
    if (s->part.len == 0)
        return;
    const char *text = buf_str(&s->part);
    tell(s, text);
    if (!is_builder_talk(text)) {
        size_t slot = s->lines++ % KEEP_LINES;

        free(s->last[slot]);
        s->last[slot] = mem_strdup(text);
    }
    buf_reset(&s->part);
}

/* A build's output in pieces that end anywhere; "\r" redraws are lines of their own. */
static void output(struct progress_stream *s, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n' || *text == '\r')
            end_line(s);
        else if (s->part.len < OUTPUT_LINE_MAX)
            buf_putc(&s->part, *text);
    }
}

static int failure(struct progress_stream *s, const char *message, struct err *e)
{
    auto_buf struct buf tail;

    buf_init(&tail, ERR_MSG_MAX / 2);
    end_line(s);
    api_error_text(500, message, e);
    /* The newest lines count when not all fit; the oldest shown is found from the end. */
    size_t count = s->lines < KEEP_LINES ? s->lines : KEEP_LINES, shown = 0, bytes = 0;
    while (shown < count) {
        bytes += strlen(s->last[(s->lines - 1 - shown) % KEEP_LINES]) + 3;
        if (bytes > tail.max)
            break;
        shown++;
    }
    for (size_t i = shown; i > 0; i--)
        buf_printf(&tail, "\n  %s", s->last[(s->lines - i) % KEEP_LINES]);
    if (shown > 0) {
        auto_free char *head = mem_strdup(e->msg);

        err_set(e, e->code, "%.900s; its last output:%s", head, buf_str(&tail));
    }
    return -1;
}

static const struct shape detail_members[] = {
    {.name = "message", .kind = NODE_KIND_STRING},
    {0},
};
static const struct shape step_members[] = {
    {.name = "error", .kind = NODE_KIND_STRING},
    {.name = "errorDetail", .kind = NODE_KIND_MAP, .members = detail_members},
    {.name = "stream", .kind = NODE_KIND_STRING},
    {.name = "status", .kind = NODE_KIND_STRING},
    {.name = "id", .kind = NODE_KIND_STRING},
    {.name = "progress", .kind = NODE_KIND_STRING},
    {0},
};
static const struct shape step = {
    .kind = NODE_KIND_MAP, .need = SHAPE_MUST, .members = step_members};

static int on_value(void *arg, const struct node *n, struct err *e)
{
    struct progress_stream *s = arg;

    if (shape_check(n, &step, s->what, e) < 0)
        return -1;
    const char *error = node_get_text(n, "error");

    if (!error)
        error = node_get_text(node_get(n, "errorDetail"), "message");
    if (error)
        return failure(s, error, e);
    const char *stream = node_get_text(n, "stream");
    if (stream)
        output(s, stream);
    const char *status = node_get_text(n, "status");
    if (!status)
        return 0;
    const char *id = node_get_text(n, "id"), *bar = node_get_text(n, "progress");
    auto_free char *text = mem_printf("%s%s%s%s%s", id ? id : "", id ? ": " : "", status,
                                      bar ? " " : "", bar ? bar : "");
    tell(s, text);
    return 0;
}

static int on_chunk(void *arg, const char *p, size_t len, struct err *e)
{
    struct progress_stream *s = arg;

    s->heard = true;
    return ndjson_feed(&s->values, p, len, e);
}

static bool on_stop(void *arg)
{
    struct progress_stream *s = arg;

    s->late = !s->heard && s->p->first_deadline != 0 && clock_passed(s->p->first_deadline);
    return s->late;
}

/* Also what is cut between two lines ends without an error. */
static int must_have(struct engine *g, const char *image, const char *what, struct err *e)
{
    int there = engine_image_has(g, image, e);

    if (there == 0)
        return err_set(e, ERR_REMOTE, "Docker answered %s without an error, and has no such image",
                       what);
    return there < 0 ? -1 : 0;
}

int progress_call(struct engine *g, struct api_request *q, const char *image,
                  const struct engine_progress *p, struct err *e)
{
    int path_len = (int)strcspn(q->path, "?");
    auto_free char *what = mem_printf("%s %.*s", q->method, path_len, q->path);
    struct progress_stream s = {.p = p, .what = what};

    ndjson_init(&s.values, on_value, &s);
    buf_init(&s.part, OUTPUT_LINE_MAX + 1);
    q->chunk = on_chunk;
    q->stop = on_stop;
    q->arg = &s;
    int r = api_call(NULL, g, q, e);
    if (r == 0 && s.late)
        r = err_set(e, ERR_TIMEOUT, "the registry does not answer");
    if (r == 0)
        r = ndjson_end(&s.values, e);
    if (r == 0)
        end_line(&s);
    for (size_t i = 0; i < KEEP_LINES; i++)
        free(s.last[i]);
    ndjson_clear(&s.values);
    buf_clear(&s.part);
    return r < 0 ? -1 : must_have(g, image, what, e);
}
