/* SPDX-License-Identifier: MIT */
/* One call of the engine layer per run, for engine.sh: prints the answer, or "CODE: sentence". */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/sig.h"
#include "conf/json.h"
#include "engine/engine.h"
#include "engine/images.h"

static int print(struct node *n)
{
    auto_free char *text = json_text(n);

    puts(text);
    node_free(n);
    return 0;
}

static int parse(struct node **out, const char *text, struct err *e)
{
    return json_parse(out, "argument", text, strlen(text), e);
}

static int cmd_version(struct engine *g, char **a, struct err *e)
{
    (void)a;
    (void)e;
    puts(engine_version(g));
    return 0;
}

static int cmd_info(struct engine *g, char **a, struct err *e)
{
    struct node *n = NULL;

    (void)a;
    return engine_info(&n, g, e) < 0 ? -1 : print(n);
}

static int cmd_list(struct engine *g, char **a, struct err *e)
{
    struct node *n = NULL;

    return engine_container_list(&n, g, a[0], e) < 0 ? -1 : print(n);
}

static int cmd_inspect(struct engine *g, char **a, struct err *e)
{
    struct node *n = NULL;

    return engine_container_inspect(&n, g, a[0], e) < 0 ? -1 : print(n);
}

static int cmd_create(struct engine *g, char **a, struct err *e)
{
    auto_node struct node *body = NULL;
    auto_free char *id = NULL;

    if (parse(&body, a[1], e) < 0 || engine_container_create(&id, g, a[0], body, e) < 0)
        return -1;
    puts(id);
    return 0;
}

static int cmd_start(struct engine *g, char **a, struct err *e)
{
    return engine_container_start(g, a[0], e);
}

/* What a plan has: an engine for reading, and its further connections. */
static int cmd_start_reading(struct engine *g, char **a, struct err *e)
{
    struct engine *clone;

    engine_set_read_only(g);
    if (engine_clone(&clone, g, e) < 0)
        return -1;
    int r = engine_container_start(clone, a[0], e);
    engine_close(clone);
    return r;
}

static int cmd_stop(struct engine *g, char **a, struct err *e)
{
    return engine_container_stop(g, a[0], 1, e);
}

static int cmd_restart(struct engine *g, char **a, struct err *e)
{
    return engine_container_restart(g, a[0], 1, e);
}

static int cmd_rename(struct engine *g, char **a, struct err *e)
{
    return engine_container_rename(g, a[0], a[1], e);
}

static int cmd_remove(struct engine *g, char **a, struct err *e)
{
    return engine_container_remove(g, a[0], true, e);
}

static int cmd_remove_gently(struct engine *g, char **a, struct err *e)
{
    return engine_container_remove(g, a[0], false, e);
}

static int cmd_put(struct engine *g, char **a, struct err *e)
{
    struct engine_file files[] = {
        {.path = a[1], .data = a[2], .len = strlen(a[2]), .mode = 0400, .uid = 7, .gid = 8},
        {.path = "/etc/empty", .data = "", .len = 0, .mode = 0755},
    };

    return engine_container_put(g, a[0], files, ARRAY_LEN(files), e);
}

static void on_line(void *arg, int stream, const char *text, size_t len)
{
    (void)arg;
    printf("%d:%zu:", stream, len);
    fwrite(text, 1, len > 100 ? 100 : len, stdout);
    putchar('\n');
    fflush(stdout);
}

/* logs ID follow|all TAIL SINCE|- [timestamps] */
static int cmd_logs(struct engine *g, char **a, struct err *e)
{
    struct engine_log_opts o = {.follow = strcmp(a[1], "follow") == 0,
                                .tail = (int)strtol(a[2], NULL, 10),
                                .since = strcmp(a[3], "-") == 0 ? NULL : a[3],
                                .timestamps = a[4] != NULL,
                                .line = on_line};

    return engine_container_logs(g, a[0], &o, e);
}

static int exec(struct engine *g, char **a, const char *input, struct err *e)
{
    auto_buf struct buf out, err;
    const char *env[] = {"FROM_DRIVER=yes", NULL};

    buf_init(&out, 1 << 20);
    buf_init(&err, 1 << 20);
    struct engine_exec x = {.argv = (const char *const *)(a + 2),
                            .env = env,
                            .input = input,
                            .input_len = input ? strlen(input) : 0,
                            .out = &out,
                            .err = &err,
                            .deadline = clock_deadline(strtol(a[1], NULL, 10))};
    int status = -1;
    if (engine_exec_run(&status, g, a[0], &x, e) < 0)
        return -1;
    printf("status=%d out=%s err=%s\n", status, buf_str(&out), buf_str(&err));
    return 0;
}

static int cmd_exec(struct engine *g, char **a, struct err *e)
{
    return exec(g, a, NULL, e);
}

/* exec ID MS, with SIZE bytes of input in front of the words */
static int cmd_input(struct engine *g, char **a, struct err *e)
{
    size_t size = (size_t)strtol(a[2], NULL, 10);
    auto_free char *text = mem_alloc(size + 1);

    memset(text, 'i', size);
    a[2] = a[1];
    a[1] = a[0];
    return exec(g, a + 1, text, e);
}

static int cmd_interactive(struct engine *g, char **a, struct err *e)
{
    struct engine_exec x = {.argv = (const char *const *)(a + 2), .tty = strcmp(a[1], "tty") == 0};
    struct engine_stdio io = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
    int status = -1;

    if (engine_exec_interactive(&status, g, a[0], &x, io, e) < 0)
        return -1;
    printf("status=%d\n", status);
    return 0;
}

static void on_progress(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "  %s\n", text);
}

static int cmd_image(struct engine *g, char **a, struct err *e)
{
    struct node *n = NULL;

    return engine_image_inspect(&n, g, a[0], e) < 0 ? -1 : print(n);
}

static int cmd_pull(struct engine *g, char **a, struct err *e)
{
    struct engine_progress p = {.line = on_progress,
                                .deadline = clock_deadline(strtol(a[1], NULL, 10))};

    return engine_image_pull(g, a[0], &p, e);
}

/* build DOCKERFILES INIT AGENT BASE NAME IMAGE DIR */
static int cmd_build(struct engine *g, char **a, struct err *e)
{
    struct images_opts o = {.dockerfiles = a[0], .init = a[1], .agent = a[2], .base = a[3]};
    struct images_component c = {.name = a[4], .image = a[5], .dir = a[6]};
    struct engine_progress p = {.line = on_progress, .deadline = clock_deadline(600 * 1000)};
    auto_free char *ref = NULL;

    if (images_ref(&ref, &o, &c, e) < 0 || images_build(g, &o, &c, &p, e) < 0)
        return -1;
    puts(ref);
    return 0;
}

static int cmd_network_list(struct engine *g, char **a, struct err *e)
{
    struct node *n = NULL;

    return engine_network_list(&n, g, a[0], e) < 0 ? -1 : print(n);
}

static int cmd_network_create(struct engine *g, char **a, struct err *e)
{
    auto_node struct node *body = NULL;
    auto_free char *id = NULL;

    if (parse(&body, a[0], e) < 0 || engine_network_create(&id, g, body, e) < 0)
        return -1;
    puts(id);
    return 0;
}

static int cmd_network_remove(struct engine *g, char **a, struct err *e)
{
    return engine_network_remove(g, a[0], e);
}

static int cmd_volume_list(struct engine *g, char **a, struct err *e)
{
    struct node *n = NULL;

    return engine_volume_list(&n, g, a[0], e) < 0 ? -1 : print(n);
}

static int cmd_volume_create(struct engine *g, char **a, struct err *e)
{
    auto_node struct node *body = NULL;

    return parse(&body, a[0], e) < 0 ? -1 : engine_volume_create(g, body, e);
}

static int cmd_volume_remove(struct engine *g, char **a, struct err *e)
{
    return engine_volume_remove(g, a[0], e);
}

static void on_event(void *arg, const struct node *event)
{
    (void)arg;
    printf("%s %s\n", node_get_text(event, "Action"),
           node_get_text(node_find(event, "Actor.Attributes"), "name"));
    fflush(stdout);
}

static bool deadline_stop(void *arg)
{
    const int64_t *deadline = arg;

    return clock_passed(*deadline);
}

static int cmd_events(struct engine *g, char **a, struct err *e)
{
    int64_t deadline = clock_deadline(strtol(a[1], NULL, 10));
    struct engine_event_opts o = {
        .label = a[0], .event = on_event, .stop = deadline_stop, .arg = &deadline};

    return engine_events(g, &o, e);
}

/* bench IMAGE PREFIX COUNT THREADS: create and start, seconds. */
struct bench {
    struct engine *g[16];
    char **a;
    struct node *body;
    atomic_int next;
};

static void bench_job(void *arg, size_t i)
{
    struct bench *b = arg;
    struct engine *g = b->g[i];
    int n, count = (int)strtol(b->a[2], NULL, 10);

    while ((n = atomic_fetch_add(&b->next, 1)) <= count) {
        auto_free char *name = mem_printf("%s-%d", b->a[1], n);
        auto_free char *id = NULL;
        struct err e = {0};

        if (engine_container_create(&id, g, name, b->body, &e) < 0 ||
            engine_container_start(g, id, &e) < 0)
            fprintf(stderr, "%s\n", e.msg);
    }
}

static int cmd_send(struct engine *g, char **a, struct err *e)
{
    return engine_container_send(g, a[0], a[1], strlen(a[1]), e);
}

static int cmd_bench(struct engine *g, char **a, struct err *e)
{
    struct bench b = {.a = a, .body = node_new_map(), .next = 1};
    long threads = strtol(a[3], NULL, 10);

    node_set_text(b.body, "Image", a[0]);
    struct node *entry = node_set(b.body, "Entrypoint", node_new_list());
    node_add_text(entry, "sleep");
    node_add_text(entry, "1000");
    int64_t start = clock_now_ms();
    for (long i = 0; i < threads && i < 16; i++)
        if (engine_clone(&b.g[i], g, e) < 0)
            return -1;
    pool_run((size_t)threads, (unsigned)threads, bench_job, &b);
    printf("%.3f\n", (double)(clock_now_ms() - start) / 1000);
    for (long i = 0; i < threads && i < 16; i++)
        engine_close(b.g[i]);
    node_free(b.body);
    return 0;
}

static const struct verb {
    const char *name;
    int args;
    int (*run)(struct engine *g, char **a, struct err *e);
} verbs[] = {
    {"version", 0, cmd_version},
    {"info", 0, cmd_info},
    {"list", 1, cmd_list},
    {"inspect", 1, cmd_inspect},
    {"create", 2, cmd_create},
    {"start", 1, cmd_start},
    {"start-reading", 1, cmd_start_reading},
    {"stop", 1, cmd_stop},
    {"restart", 1, cmd_restart},
    {"rename", 2, cmd_rename},
    {"remove", 1, cmd_remove},
    {"remove-gently", 1, cmd_remove_gently},
    {"put", 3, cmd_put},
    {"send", 2, cmd_send},
    {"logs", 4, cmd_logs},
    {"exec", 3, cmd_exec},
    {"input", 4, cmd_input},
    {"interactive", 3, cmd_interactive},
    {"image", 1, cmd_image},
    {"pull", 2, cmd_pull},
    {"build", 7, cmd_build},
    {"bench", 4, cmd_bench},
    {"network-list", 1, cmd_network_list},
    {"network-create", 1, cmd_network_create},
    {"network-remove", 1, cmd_network_remove},
    {"volume-list", 1, cmd_volume_list},
    {"volume-create", 1, cmd_volume_create},
    {"volume-remove", 1, cmd_volume_remove},
    {"events", 2, cmd_events},
};

int main(int argc, char **argv)
{
    struct err e = {0};
    struct engine *g = NULL;

    sig_setup();
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) != 0 || argc - 2 < verbs[i].args)
            continue;
        int r = engine_open(&g, getenv("DOCKER_HOST"), (struct until){.cancel = sig_cancel()}, &e);
        if (r == 0)
            r = verbs[i].run(g, argv + 2, &e);
        engine_close(g);
        if (r < 0)
            printf("%s: %s\n", err_code_name(e.code), e.msg);
        return r < 0;
    }
    fputs("usage: engine_driver VERB ARGUMENT...\n", stderr);
    return 2;
}
