/* SPDX-License-Identifier: MIT */
/* Two environments of different homes, opened and worked with by two threads of one process, over a
 * Docker that answers what is asked of the one and holds what is asked of the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "env/lifecycle.h"

enum { VOLUMES = 6, CLIENTS_MAX = 64, SOON_MS = 20000, TIMEOUT_MS = 60000, LOOK_MS = 10 };

#define HELD "t-held"
#define FREE "t-free"

/* ---- Docker ---- */

struct docker {
    int listener, stop[2];
    pthread_t thread;
    char url[128];
    char uuids[2][37];     /* empty: it has no volumes */
    bool removed[VOLUMES]; /* of FREE */
    atomic_int held;       /* requests that are held */
    atomic_bool release;   /* answer them now */
    atomic_int containers; /* that were asked for */
};

/* What is asked by an environment's name gets that one's only, as a filter has it. */
static void add_volumes(struct buf *b, const struct docker *d, const char *request)
{
    static const char *const names[] = {HELD, FREE};
    bool by_name = strstr(request, "slipway.name") != NULL;

    for (int env = 0; env < 2; env++)
        for (int i = 0; i < VOLUMES; i++)
            if (d->uuids[env][0] && (env == 0 || !d->removed[i]) &&
                (!by_name || strstr(request, names[env])))
                buf_printf(b,
                           "%s{\"Name\":\"%s-%d-data\",\"Labels\":{\"slipway.env\":\"%s\","
                           "\"slipway.name\":\"%s\",\"slipway.instance\":\"%d\"}}",
                           b->len ? "," : "", names[env], i, d->uuids[env], names[env], i);
}

/* False: it is held. */
static bool answer(struct buf *body, struct docker *d, const char *request)
{
    auto_buf struct buf volumes = {.max = 1 << 16};
    const char *free_volume = strstr(request, "/volumes/" FREE "-");

    if (strstr(request, "/volumes/" HELD "-") || strstr(request, "/networks/create")) {
        atomic_fetch_add(&d->held, 1);
        return false;
    }
    atomic_fetch_add(&d->containers, strstr(request, "/containers/create") != NULL);
    if (free_volume) {
        usleep(20000);
        d->removed[free_volume[strlen("/volumes/" FREE "-")] - '0'] = true;
    } else if (strstr(request, "/volumes/create")) {
        buf_puts(body, strstr(request, "\r\n\r\n") + 4);
    } else if (strstr(request, "/images/")) {
        buf_puts(body, "{\"Id\":\"x\"}");
    } else if (strstr(request, "/volumes")) {
        add_volumes(&volumes, d, request);
        buf_printf(body, "{\"Volumes\":[%s]}", buf_str(&volumes));
    } else if (!strstr(request, "/_ping")) {
        buf_puts(body, "[]");
    }
    return true;
}

static void reply(int fd, const struct buf *body)
{
    auto_buf struct buf all = {.max = 1 << 17};

    buf_printf(&all, "HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nContent-Length: %zu\r\n\r\n%s",
               body->len, buf_str(body));
    /* Not dprintf: ThreadSanitizer orders the threads by send and recv. */
    send(fd, all.data, all.len, MSG_NOSIGNAL);
}

/* True: it is held. */
static bool serve_one(struct docker *d, struct pollfd *p)
{
    auto_buf struct buf body = {.max = 1 << 16};
    char request[1 << 14] = "";
    ssize_t n = recv(p->fd, request, sizeof(request) - 1, 0);

    if (n > 4 && strstr(request, "/create") && strcmp(request + n - 4, "\r\n\r\n") == 0)
        recv(p->fd, request + n, sizeof(request) - 1 - (size_t)n, 0); /* the body */
    if (n <= 0) {
        close(p->fd);
        p->fd = -1;
    } else if (answer(&body, d, request)) {
        reply(p->fd, &body);
    } else {
        return true;
    }
    return false;
}

static void release_held(struct docker *d, const struct pollfd *fds, bool *is_held)
{
    auto_buf struct buf body = {.max = 1 << 16};

    buf_puts(&body, "{\"Id\":\"x\"}");
    for (nfds_t i = 0; atomic_load(&d->release) && i < 2 + CLIENTS_MAX; i++)
        if (is_held[i]) {
            is_held[i] = false;
            reply(fds[i].fd, &body);
        }
}

static void *serve(void *arg)
{
    struct docker *d = arg;
    struct pollfd fds[2 + CLIENTS_MAX] = {{.fd = d->listener, .events = POLLIN},
                                          {.fd = d->stop[0], .events = POLLIN}};
    bool is_held[ARRAY_LEN(fds)] = {0};
    nfds_t count = 2;

    while (poll(fds, count, LOOK_MS) >= 0 && !fds[1].revents) {
        release_held(d, fds, is_held);
        for (nfds_t i = 2; i < count; i++)
            if (fds[i].revents)
                is_held[i] = serve_one(d, &fds[i]);
        if (fds[0].revents && count < ARRAY_LEN(fds))
            fds[count++] = (struct pollfd){.fd = accept(d->listener, NULL, NULL), .events = POLLIN};
    }
    for (nfds_t i = 2; i < count; i++)
        if (fds[i].fd >= 0)
            close(fds[i].fd);
    return NULL;
}

static void start_docker(struct docker *d, const char *dir)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/docker.sock", dir);
    snprintf(d->url, sizeof(d->url), "unix://%s", at.sun_path);
    d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(d->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(d->listener, CLIENTS_MAX), 0);
    assert_int_equal(pipe(d->stop), 0);
    assert_int_equal(pthread_create(&d->thread, NULL, serve, d), 0);
}

static void stop_docker(struct docker *d)
{
    assert_true(write(d->stop[1], "x", 1) == 1);
    pthread_join(d->thread, NULL);
    close(d->listener);
    close(d->stop[0]);
    close(d->stop[1]);
}

/* ---- the runs ---- */

struct one_run {
    const char *name, *url;
    char *home, *file; /* with a file it is brought up, else taken down */
    struct cancel cancel;
    pthread_t thread;
    int r;
    struct execute_result result;
    struct err e;
    atomic_int done, skipped; /* as its events have it */
    atomic_int strange;       /* what came of another run */
};

static bool is_logged_as(const char *name)
{
    struct log_fields fields;

    log_fields_get(&fields);
    for (size_t i = 0; i < ARRAY_LEN(fields.items); i++)
        if (fields.items[i].key && strcmp(fields.items[i].key, "environment") == 0)
            return strcmp(fields.items[i].value, name) == 0;
    return false;
}

static void on_change(void *arg, const struct plan *p, size_t op, enum op_state state,
                      const char *detail)
{
    struct one_run *run = arg;

    (void)op;
    (void)detail;
    atomic_fetch_add(&run->strange, strcmp(p->env, run->name) != 0 || !is_logged_as(run->name));
    atomic_fetch_add(&run->done, state == OP_STATE_DONE);
    atomic_fetch_add(&run->skipped, state == OP_STATE_SKIPPED);
}

static void *work(void *arg)
{
    struct one_run *run = arg;
    struct env_paths paths = {.components = (char[]){"components"},
                              .dockerfiles = (char[]){"dockerfiles"},
                              .init = (char[]){"Makefile"},
                              .agent = (char[]){"Makefile"}};
    struct env_opts o = {.home = run->home,
                         .file = run->file,
                         .name = run->file ? NULL : run->name,
                         .docker = run->url,
                         .paths = &paths,
                         .timeout_ms = TIMEOUT_MS,
                         .cancel = &run->cancel};
    struct env_run how = {.events = {.change = on_change, .arg = run}};
    struct env *env = NULL;

    run->r = env_open(&env, &o, ENV_NEEDS_ENGINE | (run->file ? ENV_NEEDS_SPEC : ENV_NEEDS_NAME),
                      &run->e);
    if (run->r == 0 && run->file)
        run->r = env_up(&run->result, env, &how, &run->e);
    else if (run->r == 0)
        run->r = env_down(&run->result, env, &(struct env_down){.volumes = true}, &how, &run->e);
    atomic_fetch_add(&run->strange, !is_logged_as(run->name));
    env_close(env);
    return NULL;
}

static void start(struct one_run *run)
{
    assert_int_equal(pthread_create(&run->thread, NULL, work, run), 0);
}

static bool has_journal(const struct one_run *run)
{
    auto_free char *path = mem_printf("%s/%s/journal", run->home, run->name);

    return fs_exists(path);
}

/* ---- both of them ---- */

struct two_runs {
    char dir[32];
    struct docker docker;
    struct one_run held, other;
};

static void set_up_run(struct two_runs *t, struct one_run *run, const char *name)
{
    run->name = name;
    run->url = t->docker.url;
    run->home = mem_printf("%s/home-of-%s", t->dir, name);
    cancel_init(&run->cancel);
}

/* A key that an earlier run made. */
static void make_key(struct one_run *run, char uuid[37])
{
    auto_free char *folder = fs_join(run->home, run->name);
    struct env_key key;
    struct err e;

    assert_int_equal(secret_make_key(&key, folder, NULL, &e), 0);
    memcpy(uuid, key.uuid, sizeof(key.uuid));
}

static void set_up(struct two_runs *t)
{
    memcpy(t->dir, "/tmp/slipway-two-runs-XXXXXX", sizeof("/tmp/slipway-two-runs-XXXXXX"));
    assert_non_null(mkdtemp(t->dir));
    set_up_run(t, &t->held, HELD);
    set_up_run(t, &t->other, FREE);
    make_key(&t->other, t->docker.uuids[1]);
}

static void tear_down_run(struct one_run *run)
{
    cancel_clear(&run->cancel);
    free(run->home);
    free(run->file);
}

static void tear_down(struct two_runs *t)
{
    struct err e;

    tear_down_run(&t->held);
    tear_down_run(&t->other);
    stop_docker(&t->docker);
    assert_int_equal(fs_remove_tree(t->dir, &e), 0);
}

/* The one is held by Docker when the other one begins, and is told to stop `times`. */
static void run_both(struct two_runs *t, int times)
{
    int64_t begin;

    start_docker(&t->docker, t->dir);
    start(&t->held);
    begin = clock_now_ms();
    while (atomic_load(&t->docker.held) == 0) {
        assert_in_range(clock_now_ms() - begin, 0, SOON_MS);
        usleep(1000);
    }
    start(&t->other);
    begin = clock_now_ms();
    for (int i = 0; i < times; i++)
        cancel_raise(&t->held.cancel);
    atomic_store(&t->docker.release, times == 1);
    pthread_join(t->held.thread, NULL);
    assert_in_range(clock_now_ms() - begin, 0, SOON_MS);
    pthread_join(t->other.thread, NULL);
    assert_int_equal(t->held.r, -1);
    if (t->held.e.code != ERR_INTERRUPTED)
        fail_msg("%s", t->held.e.msg);
    assert_int_equal(t->held.strange, 0);
    assert_true(has_journal(&t->held));
}

static void assert_unharmed(const struct one_run *run)
{
    if (run->r < 0)
        fail_msg("%s", run->e.msg);
    assert_true(run->done >= VOLUMES);
    assert_int_equal(run->skipped, 0);
    assert_int_equal(run->strange, 0);
    assert_false(has_journal(run));
}

static void an_abort_of_one_run_leaves_the_other_one_alone(void **state)
{
    struct two_runs t = {0};

    (void)state;
    set_up(&t);
    make_key(&t.held, t.docker.uuids[0]);
    run_both(&t, 2);
    assert_non_null(strstr(t.held.e.msg, "stopped at once"));
    assert_int_equal(t.held.done, 0);
    assert_true(t.held.skipped >= VOLUMES);
    assert_unharmed(&t.other);
    tear_down(&t);
}

static void an_up_that_is_cancelled_ends_its_calls_while_another_environment_goes_on(void **state)
{
    static const char document[] = "name: " HELD "\nnetwork: {subnet: 10.90.1.0/24}\n"
                                   "components: {etcd: {instances: 1}}\n";
    struct fs_write_opts mode = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct two_runs t = {0};
    struct err e;

    (void)state;
    set_up(&t);
    t.held.file = mem_printf("%s/document.yaml", t.dir);
    assert_int_equal(fs_write(t.held.file, document, strlen(document), &mode, &e), 0);
    run_both(&t, 1);
    assert_non_null(strstr(t.held.e.msg, "what was running is finished"));
    assert_true(t.held.done >= 1);
    assert_true(t.held.skipped >= 1);
    assert_int_equal(t.held.result.done, (size_t)t.held.done);
    assert_int_equal(t.docker.containers, 0);
    assert_unharmed(&t.other);
    tear_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_abort_of_one_run_leaves_the_other_one_alone),
        cmocka_unit_test(an_up_that_is_cancelled_ends_its_calls_while_another_environment_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
