/* SPDX-License-Identifier: MIT */
/* What Docker answers, to each kind of question: nothing crashes or waits, no list gets shorter on
 * its way, and what is handed on can be printed and has what those who act on it take for granted.
 * The first byte is the question, the second one the status and how a stream is cut, the rest the
 * body, or what comes behind the head of a connection that becomes a raw stream. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "engine/api.h"
#include "engine/dial.h"
#include "engine/engine.h"
#include "engine/exec.h"
#include "engine/lines.h"
#include "engine/stats.h"
#include "env/clean_images.h"
#include "plan/body.h"
#include "plan/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the place of engine/api.c and engine/dial.c. */
struct engine {
    const char *body;
    size_t len, piece;
    long status;
    const char *fuzzed; /* the paths that have this get the body, others a good answer */
    bool asked;         /* from now on there is no time left */
    int peer;           /* Docker's end of a raw connection, or -1 */
};

static int good_answer(struct node **out, const char *path, struct err *e)
{
    static const char container[] = "{\"Id\":\"1\",\"Config\":{\"Tty\":false}}";
    static const char ended[] = "{\"Id\":\"1\",\"Running\":false,\"ExitCode\":0}";
    const char *text = strstr(path, "/containers/") ? container : ended;

    return json_parse(out, "answer", text, strlen(text), e);
}

static int stream(const struct engine *g, const struct api_request *q, struct err *e)
{
    for (size_t at = 0; at < g->len; at += g->piece) {
        size_t left = g->len - at;

        if (q->chunk(q->arg, g->body + at, left < g->piece ? left : g->piece, e) < 0)
            return -1;
    }
    return 0;
}

int api_call(struct node **out, struct engine *g, const struct api_request *q, struct err *e)
{
    auto_buf struct buf body = {0};

    if (out)
        *out = NULL;
    g->asked = g->asked || !strstr(q->path, "/containers/id/exec");
    if (g->fuzzed && !strstr(q->path, g->fuzzed))
        return out ? good_answer(out, q->path, e) : 0;
    if (q->chunk && api_is_success(g->status))
        return stream(g, q, e);
    buf_init(&body, API_ANSWER_MAX);
    buf_add(&body, g->body, g->len);
    return api_answer_parse(out, q, g->status, &body, e);
}

const char *api_socket(const struct engine *g)
{
    (void)g;
    return "/there";
}

bool api_is_read_only(const struct engine *g)
{
    (void)g;
    return false;
}

struct until engine_until(const struct engine *g)
{
    return (struct until){.deadline = g->asked ? 1 : CLOCK_NEVER};
}

const char *engine_version(const struct engine *g)
{
    (void)g;
    return "1.44";
}

void engine_set_until(struct engine *g, struct until until)
{
    (void)g;
    (void)until;
}

int64_t engine_answered_ms(const struct engine *g)
{
    (void)g;
    return 0;
}

int engine_open(struct engine **out, const char *url, struct until until, struct err *e)
{
    (void)out;
    (void)until;
    return err_set(e, ERR_SYS, "%s: not here", url);
}

int engine_clone(struct engine **out, const struct engine *from, struct err *e)
{
    (void)out;
    (void)from;
    return err_set(e, ERR_SYS, "not here");
}

void engine_set_read_only(struct engine *g)
{
    (void)g;
}

void engine_close(struct engine *g)
{
    (void)g;
}

int dial_parse(char **path, const char *url, struct err *e)
{
    *path = NULL;
    return err_set(e, ERR_SYS, "%s: not here", url);
}

/* The body is what comes back whatever is sent. It fits into the buffer of a socket. */
static struct engine *dialled;

int dial_unix(int *fd, const char *path, struct until until, struct err *e)
{
    int ends[2];

    (void)path;
    (void)until;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return err_sys(e, "making a socket");
    if (send(ends[1], dialled->body, dialled->len, MSG_NOSIGNAL) < 0 && dialled->len > 0)
        abort();
    shutdown(ends[1], SHUT_WR);
    dialled->asked = true;
    dialled->peer = ends[1];
    *fd = ends[0];
    return 0;
}

/* ---- what is taken for granted ---- */

/* The text says the same as the tree. */
static void check_printed(const struct node *n)
{
    auto_free char *text = json_text(n);
    auto_node struct node *again = NULL;
    struct err e;

    if (json_parse(&again, "again", text, strlen(text), &e) < 0 || !node_equal(n, again))
        abort();
}

/* Nothing of what Docker listed is left out, and each has a name to act on. */
static void check_list(const struct node *list, const struct engine *g, const char *name)
{
    auto_node struct node *answer = NULL;
    const struct node *said, *row;
    struct err e;

    if (json_parse(&answer, "answer", g->body, g->len, &e) < 0)
        abort();
    said = answer->kind == NODE_KIND_LIST ? answer : node_get(answer, "Volumes");
    if (!said || list->count != said->count)
        abort();
    node_for_each (row, list) {
        const char *text = node_get_text(row, name);

        if (!text || text[0] == '\0')
            abort();
    }
}

static void check_containers(struct node *list, struct engine *g)
{
    auto_node struct node *instances = node_new_list(), *strays = node_new_list();
    auto_node struct node *others = node_new_list();
    struct object_lists lists = {instances, strays, others};
    size_t count = list->count;
    const struct node *c;
    struct err e;

    node_for_each (c, list) {
        if (!node_get_text(c, "State"))
            abort();
        (void)object_address(c);
        (void)object_writes_to(c, "v");
    }
    g->fuzzed = "nothing"; /* images are as they should be */
    if (object_sort(&lists, list, g, "u", &e) == 0 &&
        instances->count + strays->count + others->count != count)
        abort();
}

static void check_inspected(const struct node *n)
{
    static const char made[] = "{\"HostConfig\":{\"Memory\":1,\"PortBindings\":{\"80/tcp\":[{}]}}}";
    auto_node struct node *body = NULL;
    auto_strv struct strv changes = {0};
    struct err e;

    if (!node_find(n, "State.StartedAt") || node_get_int(n, "RestartCount", INT64_MAX) == INT64_MAX)
        abort();
    if (json_parse(&body, "body", made, strlen(made), &e) == 0)
        body_changes(&changes, body, n);
}

static void check_images(const struct node *list)
{
    auto_node struct node *items = node_new_list();
    struct strv none = {0};
    struct clean_images c = {list, &none, &none, INT64_MAX};

    clean_images_choose(items, &c);
    check_printed(items);
}

static void on_event(void *arg, const struct node *event)
{
    (void)arg;
    if (!node_get_text(event, "Action") || !node_get(event, "Actor"))
        abort();
    check_printed(event);
}

static void on_line(void *arg, int stream, const char *text, size_t len)
{
    (void)arg;
    if ((stream != 1 && stream != 2) || len > LINES_LINE_MAX || memchr(text, '\n', len))
        abort();
}

static void on_step(void *arg, const char *text)
{
    *(size_t *)arg += strlen(text);
}

/* ---- the questions ---- */

static int ask_containers(struct node **n, struct engine *g, struct err *e)
{
    int r = engine_container_list(n, g, "k=v", e);

    if (r == 0) {
        check_list(*n, g, "Id");
        check_printed(*n);
        check_containers(*n, g);
    }
    return r;
}

static int ask_container(struct node **n, struct engine *g, struct err *e)
{
    int r = engine_container_inspect(n, g, "id", e);

    if (r == 0)
        check_inspected(*n);
    return r;
}

static int ask_networks(struct node **n, struct engine *g, struct err *e)
{
    int r = engine_network_list(n, g, NULL, e);

    if (r == 0) {
        check_list(*n, g, "Id");
        check_list(*n, g, "Name");
    }
    return r;
}

static int ask_volumes(struct node **n, struct engine *g, struct err *e)
{
    int r = engine_volume_list(n, g, NULL, e);

    if (r == 0)
        check_list(*n, g, "Name");
    return r;
}

static int ask_images(struct node **n, struct engine *g, struct err *e)
{
    int r = engine_image_list(n, g, NULL, e);

    if (r == 0) {
        check_list(*n, g, "Id");
        check_images(*n);
    }
    return r;
}

static int ask_image(struct node **n, struct engine *g, struct err *e)
{
    return engine_image_inspect(n, g, "i", e);
}

static int ask_info(struct node **n, struct engine *g, struct err *e)
{
    return engine_info(n, g, e);
}

static int ask_stats(struct node **n, struct engine *g, struct err *e)
{
    struct engine_stats s;

    (void)n;
    return engine_container_stats(&s, g, "id", e);
}

static int create_container(struct node **n, struct engine *g, struct err *e)
{
    auto_node struct node *body = node_new_map();
    auto_free char *id = NULL;
    int r = engine_container_create(&id, g, "c", body, e);

    (void)n;
    if ((r == 0) != (id && id[0]))
        abort();
    return r;
}

static int create_network(struct node **n, struct engine *g, struct err *e)
{
    auto_node struct node *body = node_new_map();
    auto_free char *id = NULL;

    node_set_text(body, "Name", "n");
    (void)n;
    return engine_network_create(&id, g, body, e);
}

static int create_volume(struct node **n, struct engine *g, struct err *e)
{
    auto_node struct node *body = node_new_map();

    node_set_text(body, "Name", "v");
    (void)n;
    return engine_volume_create(g, body, e);
}

static int remove_container(struct node **n, struct engine *g, struct err *e)
{
    (void)n;
    return engine_container_remove(g, "id", true, e);
}

static int watch_events(struct node **n, struct engine *g, struct err *e)
{
    struct engine_event_opts o = {.event = on_event};

    (void)n;
    return engine_events(g, &o, e);
}

static int pull_image(struct node **n, struct engine *g, struct err *e)
{
    size_t told = 0;
    struct engine_progress p = {.line = on_step, .arg = &told, .deadline = CLOCK_NEVER};

    (void)n;
    g->fuzzed = "/images/create";
    return engine_image_pull(g, "debian:1", &p, e);
}

static int build_image(struct node **n, struct engine *g, struct err *e)
{
    size_t told = 0;
    struct engine_build b = {.tag = "x:1", .context_fd = -1, .progress = {on_step, &told, 0, 0}};

    (void)n;
    g->fuzzed = "/build";
    return engine_image_build(g, &b, e);
}

static int read_logs(struct node **n, struct engine *g, struct err *e)
{
    struct engine_log_opts o = {.tail = -1, .timestamps = true, .line = on_line};

    (void)n;
    g->fuzzed = "/logs";
    return engine_container_logs(g, "id", &o, e);
}

static int execute(struct engine *g, const char *input, struct err *e)
{
    static const char *const argv[] = {"true", NULL};
    auto_buf struct buf out;
    struct engine_exec x = {.argv = argv, .out = &out, .input = input, .deadline = CLOCK_NEVER};
    int status, r;

    buf_init(&out, 1 << 20);
    x.input_len = input ? strlen(input) : 0;
    g->fuzzed = "/start";
    r = engine_exec_run(&status, g, "id", &x, e);
    if (r == 0 && status != 0)
        abort();
    return r;
}

static int run_command(struct node **n, struct engine *g, struct err *e)
{
    (void)n;
    return execute(g, NULL, e);
}

static int run_command_with_input(struct node **n, struct engine *g, struct err *e)
{
    (void)n;
    return execute(g, "input", e);
}

static int ask_status(struct node **n, struct engine *g, struct err *e)
{
    int status = -1, r = exec_status(&status, g, "id", (struct until){.deadline = 1}, e);

    (void)n;
    if (r == 0 && status < 0)
        abort();
    return r;
}

static int send_text(struct node **n, struct engine *g, struct err *e)
{
    (void)n;
    return engine_container_send(g, "id", "text", 4, e);
}

static int (*const questions[])(struct node **, struct engine *, struct err *) = {
    ask_containers,
    ask_container,
    ask_networks,
    ask_volumes,
    ask_images,
    ask_image,
    ask_info,
    ask_stats,
    ask_status,
    create_container,
    create_network,
    create_volume,
    watch_events,
    pull_image,
    build_image,
    read_logs,
    run_command,
    remove_container,
    run_command_with_input,
    send_text,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 200, 201, 304, 404, 409, 500, 302};
    auto_node struct node *n = NULL;
    struct engine g = {.peer = -1};
    struct err e = {0};
    int r;

    if (size < 2)
        return 0;
    g.body = (const char *)data + 2;
    g.len = size - 2;
    g.status = statuses[data[1] % ARRAY_LEN(statuses)];
    g.piece = data[1] / ARRAY_LEN(statuses) + 1U;
    dialled = &g;
    r = questions[data[0] % ARRAY_LEN(questions)](&n, &g, &e);
    if (g.peer >= 0)
        close(g.peer);
    if (r < 0 && (e.code == ERR_NONE || !e.msg[0] || e.code == ERR_USAGE || e.code == ERR_SYS))
        abort();
    /* What Docker said well and we do not understand is not the fault of who asked. */
    if (r < 0 && g.peer < 0 && api_is_success(g.status) && e.code == ERR_CONFIG)
        abort();
    if (r == 0 && n)
        check_printed(n);
    return 0;
}
