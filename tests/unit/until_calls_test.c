/* SPDX-License-Identifier: MIT */
/* Calls to a Docker, an etcd and a port that take the request and never answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "check/port.h"
#include "engine/engine.h"
#include "etcd/etcd.h"

/* Far below what the calls allow themselves. */
enum { SOON_MS = 3000, CLIENTS_MAX = 8 };

/* Answers Docker's ping, and nothing else. */
struct silent {
    int listener, stop[2];
    pthread_t thread;
    char address[128];
};

static void answer_ping(int fd)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nContent-Length: 2\r\n\r\nOK";
    char request[4096] = "";

    if (recv(fd, request, sizeof(request) - 1, MSG_DONTWAIT) > 0 && strstr(request, "/_ping"))
        assert_true(write(fd, answer, sizeof(answer) - 1) > 0);
}

static void *serve(void *arg)
{
    const struct silent *s = arg;
    struct pollfd fds[2 + CLIENTS_MAX] = {{.fd = s->listener, .events = POLLIN},
                                          {.fd = s->stop[0], .events = POLLIN}};
    nfds_t count = 2;

    while (poll(fds, count, -1) > 0 && !fds[1].revents) {
        for (nfds_t i = 2; i < count; i++)
            if (fds[i].revents & POLLIN)
                answer_ping(fds[i].fd);
        for (nfds_t i = 2; i < count; i++)
            if (fds[i].revents & POLLHUP) {
                close(fds[i].fd);
                fds[i].fd = -1;
            }
        if (fds[0].revents && count < ARRAY_LEN(fds))
            fds[count++] = (struct pollfd){.fd = accept(s->listener, NULL, NULL), .events = POLLIN};
    }
    for (nfds_t i = 2; i < count; i++)
        if (fds[i].fd >= 0)
            close(fds[i].fd);
    return NULL;
}

static void start(struct silent *s)
{
    assert_true(s->listener >= 0);
    assert_int_equal(listen(s->listener, CLIENTS_MAX), 0);
    assert_int_equal(pipe(s->stop), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct silent *s)
{
    assert_true(write(s->stop[1], "x", 1) == 1);
    pthread_join(s->thread, NULL);
    close(s->listener);
    close(s->stop[0]);
    close(s->stop[1]);
}

static void start_docker(struct silent *s)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/slipway-until-%d", (int)getpid());
    snprintf(s->address, sizeof(s->address), "unix://%s", at.sun_path);
    unlink(at.sun_path);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    start(s);
}

static void stop_docker(struct silent *s)
{
    stop(s);
    unlink(s->address + strlen("unix://"));
}

static void start_etcd(struct silent *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &len), 0);
    snprintf(s->address, sizeof(s->address), "etcd://127.0.0.1:%d", ntohs(at.sin_port));
    start(s);
}

struct raiser {
    struct cancel *cancel;
    int times;
    pthread_t thread;
};

static void *raise_soon(void *arg)
{
    struct raiser *r = arg;

    clock_sleep_ms(100);
    for (int i = 0; i < r->times; i++)
        cancel_raise(r->cancel);
    return NULL;
}

static void cancel_soon(struct raiser *r)
{
    cancel_init(r->cancel);
    assert_int_equal(pthread_create(&r->thread, NULL, raise_soon, r), 0);
}

static void cancelled(struct raiser *r)
{
    pthread_join(r->thread, NULL);
    cancel_clear(r->cancel);
}

/* ---- Docker ---- */

static int ask_for_list(struct engine *g, struct err *e)
{
    auto_node struct node *list = NULL;

    return engine_container_list(&list, g, NULL, e);
}

static int send_input(struct engine *g, struct err *e)
{
    return engine_container_send(g, "id", "link\n", 5, e);
}

static void no_line(void *arg, int stream, const char *text, size_t len)
{
    (void)arg;
    (void)stream;
    (void)text;
    (void)len;
}

static int read_logs(struct engine *g, struct err *e)
{
    struct engine_log_opts o = {.follow = true, .tail = -1, .line = no_line};

    return engine_container_logs(g, "id", &o, e);
}

static int (*const docker_calls[])(struct engine *, struct err *) = {ask_for_list, send_input,
                                                                     read_logs};

static void an_abort_ends_a_call_of_docker_under_way(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(docker_calls); i++) {
        struct cancel c;
        struct raiser r = {.cancel = &c, .times = 2};
        struct silent s;
        struct engine *g = NULL;
        struct err e = {0};
        int64_t begin = clock_now_ms();

        start_docker(&s);
        cancel_soon(&r);
        assert_int_equal(engine_open(&g, s.address, (struct until){.cancel = &c}, &e), 0);
        assert_int_equal(docker_calls[i](g, &e), -1);
        assert_int_equal(e.code, ERR_INTERRUPTED);
        assert_in_range(clock_now_ms() - begin, 100, SOON_MS);
        engine_close(g);
        cancelled(&r);
        stop_docker(&s);
    }
    (void)state;
}

static void a_deadline_counts_for_a_call_of_docker_under_way(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(docker_calls); i++) {
        struct silent s;
        struct engine *g = NULL;
        struct err e = {0};
        int64_t begin = clock_now_ms();

        start_docker(&s);
        assert_int_equal(engine_open(&g, s.address, until_in(300, NULL), &e), 0);
        assert_int_equal(docker_calls[i](g, &e), -1);
        assert_int_equal(e.code, ERR_TIMEOUT);
        assert_in_range(clock_now_ms() - begin, 300, SOON_MS);
        engine_close(g);
        stop_docker(&s);
    }
    (void)state;
}

static void a_first_cancel_lets_a_call_of_docker_go_on(void **state)
{
    struct cancel c;
    struct raiser r = {.cancel = &c, .times = 1};
    struct silent s;
    struct engine *g = NULL, *clone = NULL;
    struct err e = {0};

    start_docker(&s);
    cancel_soon(&r);
    assert_int_equal(engine_open(&g, s.address, until_in(500, &c), &e), 0);
    assert_int_equal(engine_clone(&clone, g, &e), 0);
    assert_int_equal(ask_for_list(clone, &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    engine_close(clone);
    engine_close(g);
    cancelled(&r);
    stop_docker(&s);
    (void)state;
}

/* ---- etcd ---- */

static int get_key(struct etcd *c, struct err *e)
{
    struct etcd_kv kv;

    return etcd_get(&kv, c, "/a", e);
}

static int write_key(struct etcd *c, struct err *e)
{
    return etcd_put(c, "/a", "1", 0, e);
}

static int take_lock(struct etcd *c, struct err *e)
{
    struct etcd_lock l;

    return etcd_lock_take(&l, c, "/lock", "{}", 10, e);
}

static int (*const etcd_calls[])(struct etcd *, struct err *) = {get_key, write_key, take_lock};

static struct etcd *open_etcd(const char *address, struct until until)
{
    struct etcd_opts o = {.timeout_ms = 60000};
    struct link *l = NULL;
    struct etcd *c = NULL;
    struct err e = {0};

    if (link_parse(&l, address, &e) < 0 || etcd_open(&c, l, &o, &e) < 0)
        fail_msg("%s", e.msg);
    link_free(l);
    etcd_set_until(c, until);
    return c;
}

static void an_abort_ends_a_call_of_etcd_under_way(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(etcd_calls); i++) {
        struct cancel c;
        struct raiser r = {.cancel = &c, .times = 2};
        struct silent s;
        struct err e = {0};
        int64_t begin = clock_now_ms();

        start_etcd(&s);
        cancel_soon(&r);
        struct etcd *client = open_etcd(s.address, (struct until){.cancel = &c});
        assert_int_equal(etcd_calls[i](client, &e), -1);
        assert_int_equal(e.code, ERR_INTERRUPTED);
        assert_in_range(clock_now_ms() - begin, 100, SOON_MS);
        etcd_close(client);
        cancelled(&r);
        stop(&s);
    }
    (void)state;
}

static void a_deadline_counts_for_a_call_of_etcd_under_way(void **state)
{
    struct silent s;
    struct err e = {0};
    int64_t begin = clock_now_ms();

    start_etcd(&s);
    struct etcd *c = open_etcd(s.address, until_in(300, NULL));
    assert_int_equal(get_key(c, &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_in_range(clock_now_ms() - begin, 300, SOON_MS);
    etcd_close(c);
    stop(&s);
    (void)state;
}

static int no_event(void *arg, const struct etcd_event *ev, int64_t revision)
{
    (void)arg;
    (void)ev;
    (void)revision;
    return 0;
}

static void a_first_cancel_ends_a_watch(void **state)
{
    static const char *const prefixes[] = {"/a/"};
    struct cancel c;
    struct raiser r = {.cancel = &c, .times = 1};
    struct etcd_watch_opts o = {.prefixes = prefixes,
                                .prefix_count = 1,
                                .event = no_event,
                                .deadline = clock_deadline(60000)};
    struct silent s;
    struct err e = {0};
    int64_t begin = clock_now_ms();

    start_etcd(&s);
    cancel_soon(&r);
    struct etcd *client = open_etcd(s.address, (struct until){.cancel = &c});
    assert_int_equal(etcd_watch_run(client, &o, &e), 0);
    assert_in_range(clock_now_ms() - begin, 100, SOON_MS);
    etcd_close(client);
    cancelled(&r);
    stop(&s);
    (void)state;
}

/* Its queue of connections is full, so the kernel answers no further one. */
static void a_first_cancel_ends_a_wait_for_a_port(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    struct cancel c;
    struct raiser r = {.cancel = &c, .times = 1};
    int fds[4] = {socket(AF_INET, SOCK_STREAM, 0)};
    struct err e = {0};
    int64_t begin;

    assert_int_equal(bind(fds[0], (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&at, &len), 0);
    for (size_t i = 1; i < ARRAY_LEN(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&at, sizeof(at));
    }
    begin = clock_now_ms();
    assert_int_equal(check_port_connect("127.0.0.1", ntohs(at.sin_port), until_in(50, NULL), &e),
                     -1);
    assert_string_equal(e.msg, "no answer before the deadline");
    cancel_soon(&r);
    assert_int_equal(check_port_connect("127.0.0.1", ntohs(at.sin_port), until_in(60000, &c), &e),
                     -1);
    assert_int_equal(e.code, ERR_INTERRUPTED);
    assert_in_range(clock_now_ms() - begin, 100, SOON_MS);
    cancelled(&r);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_abort_ends_a_call_of_docker_under_way),
        cmocka_unit_test(a_deadline_counts_for_a_call_of_docker_under_way),
        cmocka_unit_test(a_first_cancel_lets_a_call_of_docker_go_on),
        cmocka_unit_test(an_abort_ends_a_call_of_etcd_under_way),
        cmocka_unit_test(a_deadline_counts_for_a_call_of_etcd_under_way),
        cmocka_unit_test(a_first_cancel_ends_a_watch),
        cmocka_unit_test(a_first_cancel_ends_a_wait_for_a_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
