/* SPDX-License-Identifier: MIT */
/* A Docker that answers late, half, something else, or without end: every kind of call says so,
 * with the address, and ends in its time. */
// fake: unix_listener
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "fake/unix_listener.h"

enum { DEADLINE_MS = 300, SOON_MS = 30 * 1000, PATIENT_MS = 120 * 1000, CLIENTS_MAX = 16 };

#define OK "HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\n"

/* What it does behind a reply. */
enum then { CLOSE, HOLD, REPEAT, DRIP };

struct docker;
struct client {
    const struct docker *d;
    int fd;
    pthread_t thread;
};

/* The request lines with `bad` get `reply`, the others what they ask for. */
struct docker {
    const char *bad, *reply;
    enum then then;
    struct unix_listener listener;
    pthread_t thread;
    struct client clients[CLIENTS_MAX];
    size_t count;
};

/* False when the client is gone. */
static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0;
}

static void answer_well(int fd, const char *request)
{
    const char *body =
        strstr(request, "POST ")
            ? "{\"Id\":\"1\"}"
            : "{\"Id\":\"1\",\"Created\":\"0\",\"RestartCount\":0,\"State\":{\"Status\":"
              "\"running\","
              "\"StartedAt\":\"0\",\"FinishedAt\":\"0\",\"ExitCode\":0},\"Config\":{},"
              "\"HostConfig\":{},\"Mounts\":[]}";
    auto_free char *answer = mem_printf(OK "Content-Length: %zu\r\n\r\n%s", strlen(body), body);

    say(fd, answer);
}

static void answer_badly(int fd, const struct docker *d)
{
    static const char blanks[] = "                                                              ";
    char ignored[256];

    say(fd, d->reply);
    while (d->then == HOLD && recv(fd, ignored, sizeof(ignored), 0) > 0)
        continue;
    while (d->then == REPEAT && say(fd, blanks))
        continue;
    while (d->then == DRIP && say(fd, " "))
        clock_sleep_ms(20);
}

static void *serve_client(void *arg)
{
    const struct client *c = arg;
    char request[8192];
    ssize_t n;

    while ((n = recv(c->fd, request, sizeof(request) - 1, 0)) > 0) {
        request[n] = '\0';
        request[strcspn(request, "\r")] = '\0';
        if (strstr(request, c->d->bad)) {
            answer_badly(c->fd, c->d);
            break;
        }
        answer_well(c->fd, request);
    }
    shutdown(c->fd, SHUT_RDWR);
    return NULL;
}

static void *serve(void *arg)
{
    struct docker *d = arg;
    int fd;

    while (d->count < CLIENTS_MAX && (fd = accept(d->listener.fd, NULL, NULL)) >= 0) {
        struct client *c = &d->clients[d->count++];

        *c = (struct client){.d = d, .fd = fd};
        assert_int_equal(pthread_create(&c->thread, NULL, serve_client, c), 0);
    }
    return NULL;
}

static void start_docker(struct docker *d)
{
    unix_listener_open(&d->listener, "broken", CLIENTS_MAX);
    assert_int_equal(pthread_create(&d->thread, NULL, serve, d), 0);
}

static void stop_docker(struct docker *d)
{
    unix_listener_end(&d->listener);
    pthread_join(d->thread, NULL);
    for (size_t i = 0; i < d->count; i++) {
        shutdown(d->clients[i].fd, SHUT_RDWR);
        pthread_join(d->clients[i].thread, NULL);
        close(d->clients[i].fd);
    }
    unix_listener_close(&d->listener);
}

/* ---- a call of each kind ---- */

static int list(struct engine *g, struct err *e)
{
    auto_node struct node *n = NULL;

    return engine_container_list(&n, g, NULL, e);
}

static int start(struct engine *g, struct err *e)
{
    return engine_container_start(g, "id", e);
}

static void no_line(void *arg, int stream, const char *text, size_t len)
{
    (void)arg;
    (void)stream;
    (void)text;
    (void)len;
}

static int logs(struct engine *g, struct err *e)
{
    struct engine_log_opts o = {.tail = -1, .line = no_line};

    return engine_container_logs(g, "id", &o, e);
}

static int execute(struct engine *g, struct err *e)
{
    static const char *const argv[] = {"true", NULL};
    struct engine_exec x = {.argv = argv, .deadline = CLOCK_NEVER};
    int status;

    return engine_exec_run(&status, g, "id", &x, e);
}

static int execute_with_input(struct engine *g, struct err *e)
{
    static const char *const argv[] = {"cat", NULL};
    struct engine_exec x = {.argv = argv, .input = "a", .input_len = 1, .deadline = CLOCK_NEVER};
    int status;

    return engine_exec_run(&status, g, "id", &x, e);
}

static int give(struct engine *g, struct err *e)
{
    return engine_container_send(g, "id", "text", 4, e);
}

static int pull(struct engine *g, struct err *e)
{
    struct engine_progress p = {.deadline = CLOCK_NEVER};

    return engine_image_pull(g, "debian:1", &p, e);
}

static void no_event(void *arg, const struct node *event)
{
    (void)arg;
    (void)event;
}

static int watch(struct engine *g, struct err *e)
{
    struct engine_event_opts o = {.event = no_event};

    return engine_events(g, &o, e);
}

static const struct call {
    int (*ask)(struct engine *, struct err *);
    const char *bad, *doing;
    bool raw; /* not through libcurl */
} calls[] = {
    {list, "/containers/json", "listing containers: ", false},
    {start, "/start", "starting container id: ", false},
    {logs, "/logs", "reading logs of container id: ", false},
    {execute, "/start", "running true in container id: ", false},
    {execute_with_input, "/start", "running cat in container id: ", true},
    {give, "/attach", "writing to the input of container id: ", true},
    {pull, "/images/create", "pulling image debian:1: ", false},
    {watch, "/events", "watching events: ", false},
};

/* The error of a call to such a Docker, which comes at `least` ms or later, and before `most`. */
struct expected {
    enum err_code code;
    int64_t deadline, least, most;
    char text[200];
};

static void must_fail(const struct call *c, struct docker *d, const struct expected *x)
{
    struct engine *g = NULL;
    struct err e = {0};
    int64_t begin = clock_now_ms();

    start_docker(d);
    if (engine_open(&g, d->listener.url, until_in(x->deadline, NULL), &e) == 0 &&
        c->ask(g, &e) == 0)
        fail_msg("%s took %s", c->doing, d->reply);
    engine_close(g);
    stop_docker(d);
    if (!strstr(e.msg, x->text) || (g && strncmp(e.msg, c->doing, strlen(c->doing)) != 0))
        fail_msg("%s\"%s\": %s; not %s", c->doing, d->reply, e.msg, x->text);
    assert_int_equal(e.code, x->code);
    assert_in_range(clock_now_ms() - begin, x->least, x->most);
}

static void one_that_answers_late_is_given_up_at_the_deadline(void **state)
{
    static const struct {
        const char *reply;
        enum then then;
    } rows[] = {
        {"", HOLD}, {"HTTP/1.1 200 OK\r\nContent-Le", HOLD}, {"HTTP/1.1 200 OK\r\nX:", DRIP}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        for (size_t j = 0; j < ARRAY_LEN(rows); j++) {
            struct docker d = {.bad = calls[i].bad, .reply = rows[j].reply, .then = rows[j].then};
            struct expected x = {ERR_TIMEOUT, DEADLINE_MS, DEADLINE_MS, SOON_MS, ""};

            snprintf(x.text, sizeof(x.text),
                     "Docker at /tmp/slipway-broken-%d did not answer before the deadline",
                     (int)getpid());
            must_fail(&calls[i], &d, &x);
        }
}

static void one_that_hangs_up_is_named(void **state)
{
    static const char *const replies[] = {"", "HTTP/1.1 200 OK\r\nContent-Le"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        for (size_t j = 0; j < ARRAY_LEN(replies); j++) {
            struct docker d = {.bad = calls[i].bad, .reply = replies[j], .then = CLOSE};
            struct expected x = {ERR_NET, PATIENT_MS, 0, SOON_MS, ""};

            snprintf(x.text, sizeof(x.text),
                     calls[i].raw ? "Docker at /tmp/slipway-broken-%d closed the connection"
                                  : "the connection to Docker at /tmp/slipway-broken-%d broke: ",
                     (int)getpid());
            must_fail(&calls[i], &d, &x);
        }
}

static void what_does_not_speak_http_is_not_docker(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct docker d = {.bad = calls[i].bad, .reply = "SSH-2.0-x\r\n\r\n\r\n", .then = CLOSE};
        struct expected x = {ERR_REMOTE, PATIENT_MS, 0, SOON_MS, ""};

        snprintf(x.text, sizeof(x.text),
                 "what answers at /tmp/slipway-broken-%d is not a Docker Engine: no HTTP",
                 (int)getpid());
        must_fail(&calls[i], &d, &x);
    }
}

static void the_first_word_is_looked_at_in_the_same_way(void **state)
{
    static const struct {
        const char *reply;
        enum then then;
        enum err_code code;
        const char *text; /* behind it the path */
    } rows[] = {
        {"", CLOSE, ERR_NET, "the connection to Docker at /tmp/"},
        {"", HOLD, ERR_TIMEOUT, "Docker at /tmp/"},
        {"+OK\r\n", CLOSE, ERR_REMOTE, "what answers at /tmp/"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", CLOSE, ERR_REMOTE, "unix:///tmp/"},
        {"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", CLOSE, ERR_REMOTE,
         "HTTP 500 without a message"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct docker d = {.bad = "/_ping", .reply = rows[i].reply, .then = rows[i].then};
        struct expected x = {rows[i].code, rows[i].then == HOLD ? DEADLINE_MS : PATIENT_MS, 0,
                             SOON_MS, ""};

        snprintf(x.text, sizeof(x.text), "%s", rows[i].text);
        must_fail(&calls[0], &d, &x);
    }
}

/* NULL: refused. */
static void the_version_is_one_that_both_speak(void **state)
{
    static const struct {
        const char *theirs, *ours, *text;
    } rows[] = {
        {"1.41", "1.41", ""},
        {"1.44", "1.44", ""},
        {"1.99999999999999999999", "1.44", ""},
        {"1.40", NULL, "this Docker is too old: API 1.40, but 1.41"},
        {"1.", NULL, "this Docker is too old"},
        {"-1.44", NULL, "it names no API version"},
        {"2.44", NULL, "it names no API version"},
        {"1.44.2", NULL, "it names no API version"},
        {"", NULL, "it names no API version"},
        {"one", NULL, "it names no API version"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *reply = mem_printf(
            "HTTP/1.1 200 OK\r\nApi-Version: %s\r\nContent-Length: 0\r\n\r\n", rows[i].theirs);
        struct docker d = {.bad = "/_ping", .reply = reply, .then = CLOSE};
        struct engine *g = NULL;
        struct err e = {0};

        start_docker(&d);
        if ((engine_open(&g, d.listener.url, until_in(PATIENT_MS, NULL), &e) == 0) !=
            (rows[i].ours != NULL))
            fail_msg("%s: %s", rows[i].theirs, e.msg);
        if (g)
            assert_string_equal(engine_version(g), rows[i].ours);
        assert_non_null(strstr(e.msg, rows[i].text));
        engine_close(g);
        stop_docker(&d);
    }
}

#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define UNTIL_CLOSED OK "Connection: close\r\n\r\n"
#define BROKE "the connection to Docker at /tmp/slipway-broken-"

struct row {
    size_t call;
    const char *reply;
    enum err_code code;
    const char *text;
};

/* Soon, however long they may take. */
static void each_must_fail(const struct row *rows, size_t count, enum then then)
{
    for (size_t i = 0; i < count; i++) {
        const struct call *c = &calls[rows[i].call];
        struct docker d = {.bad = c->bad, .reply = rows[i].reply, .then = then};
        struct expected x = {rows[i].code, PATIENT_MS, 0, SOON_MS, ""};

        snprintf(x.text, sizeof(x.text), "%s", rows[i].text);
        must_fail(c, &d, &x);
    }
}

static void a_half_answer_does_not_count(void **state)
{
    static const struct row rows[] = {
        {0, OK "Content-Length: 100\r\n\r\n[", ERR_NET, BROKE},
        {0, CHUNKED "5\r\n[ ]  \r\n", ERR_NET, BROKE},
        {0, CHUNKED "zz\r\n", ERR_NET, BROKE},
        {0, UNTIL_CLOSED "[", ERR_REMOTE,
         "Docker answered GET /containers/json with what is not JSON"},
        {0, UNTIL_CLOSED, ERR_REMOTE, "Docker answered GET /containers/json with nothing"},
        {2, CHUNKED "5\r\n\1\r\n", ERR_NET, BROKE},
        {2, UNTIL_CLOSED "\1", ERR_NET, "Docker's stream ended in the middle of a message"},
        {3, UNTIL_CLOSED "\2", ERR_NET, "Docker's stream ended in the middle of a message"},
        {3, UNTIL_CLOSED "12345678", ERR_REMOTE, "Docker's stream is broken: no frame header"},
        {4, UNTIL_CLOSED "\1", ERR_NET, "Docker's stream ended in the middle of a message"},
        {4, UNTIL_CLOSED "12345678", ERR_REMOTE, "Docker's stream is broken: no frame header"},
        {6, CHUNKED "5\r\n{", ERR_NET, BROKE},
        {6, UNTIL_CLOSED "{", ERR_REMOTE, "Docker's stream is broken: line:1:2"},
        {7, CHUNKED "5\r\n{", ERR_NET, BROKE},
        {7, UNTIL_CLOSED "{", ERR_NET, "Docker ended the stream"},
    };

    (void)state;
    each_must_fail(rows, ARRAY_LEN(rows), CLOSE);
}

/* Long before the deadline, and without keeping all of it. */
static void an_answer_without_end_is_ended(void **state)
{
    static const struct row rows[] = {
        {0, UNTIL_CLOSED "[", ERR_REMOTE,
         "Docker's answer to GET /containers/json is larger than 32 MiB"},
        {0, "HTTP/1.1 500 No\r\nConnection: close\r\n\r\nlong story", ERR_REMOTE,
         "HTTP 500: long story"},
        {1, "HTTP/1.1 409 No\r\nConnection: close\r\n\r\nlong story", ERR_CONFLICT,
         "HTTP 409: long story"},
        {5, OK "X:", ERR_REMOTE, "has no end"},
        {6, UNTIL_CLOSED "{", ERR_REMOTE, "a line of Docker's stream is larger than 4 MiB"},
        {7, UNTIL_CLOSED "{", ERR_REMOTE, "a line of Docker's stream is larger than 4 MiB"},
    };

    (void)state;
    each_must_fail(rows, ARRAY_LEN(rows), REPEAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_answers_late_is_given_up_at_the_deadline),
        cmocka_unit_test(one_that_hangs_up_is_named),
        cmocka_unit_test(what_does_not_speak_http_is_not_docker),
        cmocka_unit_test(the_first_word_is_looked_at_in_the_same_way),
        cmocka_unit_test(the_version_is_one_that_both_speak),
        cmocka_unit_test(a_half_answer_does_not_count),
        cmocka_unit_test(an_answer_without_end_is_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
