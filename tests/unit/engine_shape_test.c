/* SPDX-License-Identifier: MIT */
/* A Docker that answers 200 with a body of every other shape than the one expected. */
// fake: unix_listener
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "engine/engine.h"
#include "engine/exec.h"
#include "env/clean_images.h"
#include "fake/unix_listener.h"
#include "plan/object.h"

enum { CLIENTS_MAX = 8 };

/* One client at a time; `body` is set while nothing is asked. */
struct docker {
    struct unix_listener listener;
    pthread_t thread;
    const char *body;
    char volumes[256]; /* the path of the last request about volumes */
};

static void serve_client(struct docker *d, int fd)
{
    char request[8192];
    ssize_t n;

    while ((n = recv(fd, request, sizeof(request) - 1, 0)) > 0) {
        request[n] = '\0';
        if (strncmp(request, "GET /", 5) == 0 && strstr(request, "/volumes"))
            snprintf(d->volumes, sizeof(d->volumes), "%.*s", (int)strcspn(request + 4, " "),
                     request + 4);
        const char *body = strstr(request, "/_ping") ? "OK" : d->body;
        auto_buf struct buf answer = {.max = 1 << 20};

        buf_printf(&answer,
                   "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nApi-Version: "
                   "1.44\r\nContent-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
        /* Not dprintf: ThreadSanitizer orders the threads by send and recv. */
        send(fd, answer.data, answer.len, MSG_NOSIGNAL);
    }
    close(fd);
}

static void *serve(void *arg)
{
    struct docker *d = arg;
    int fd;

    while ((fd = accept(d->listener.fd, NULL, NULL)) >= 0)
        serve_client(d, fd);
    return NULL;
}

static void start_docker(struct docker *d)
{
    unix_listener_open(&d->listener, "shape", CLIENTS_MAX);
    assert_int_equal(pthread_create(&d->thread, NULL, serve, d), 0);
}

static void stop_docker(struct docker *d)
{
    unix_listener_end(&d->listener);
    pthread_join(d->thread, NULL);
    unix_listener_close(&d->listener);
}

/* ---- every call whose answer is read ---- */

/* What was taken can be printed. */
static int printed(int r, const struct node *n)
{
    auto_free char *text = n ? json_text(n) : NULL;

    assert_true(r < 0 || text);
    return r;
}

static int list_containers(struct engine *g, struct err *e)
{
    auto_node struct node *n = NULL;
    const struct node *c;
    int r = engine_container_list(&n, g, NULL, e);

    node_for_each (c, n) {
        (void)object_is_aside(c);
        (void)object_find_instance(n, "x-1");
    }
    return printed(r, n);
}

static int inspect_container(struct engine *g, struct err *e)
{
    auto_node struct node *n = NULL;
    int r = engine_container_inspect(&n, g, "id", e);

    return printed(r, n);
}

static int create_container(struct engine *g, struct err *e)
{
    auto_node struct node *body = node_new_map();
    auto_free char *id = NULL;

    return engine_container_create(&id, g, "c", body, e);
}

static int create_exec(struct engine *g, struct err *e)
{
    auto_node struct node *body = node_new_map();
    auto_free char *id = NULL;

    return exec_create(&id, g, "id", body, e);
}

static int ask_exec(struct engine *g, struct err *e)
{
    int status;

    return exec_status(&status, g, "id", until_in(20, NULL), e);
}

static int list_networks(struct engine *g, struct err *e)
{
    auto_node struct node *n = NULL;
    int r = engine_network_list(&n, g, NULL, e);

    return printed(r, n);
}

static int create_network(struct engine *g, struct err *e)
{
    auto_node struct node *body = node_new_map();
    auto_free char *id = NULL;

    return engine_network_create(&id, g, body, e);
}

static int list_volumes(struct engine *g, struct err *e)
{
    auto_node struct node *n = NULL;
    int r = engine_volume_list(&n, g, NULL, e);

    return printed(r, n);
}

static int create_volume(struct engine *g, struct err *e)
{
    auto_node struct node *body = node_new_map();

    return engine_volume_create(g, body, e);
}

static int list_images(struct engine *g, struct err *e)
{
    auto_node struct node *images = NULL, *items = node_new_list();
    struct strv none = {0};
    struct clean_images c = {.used = &none, .wanted = &none, .before = INT64_MAX};
    int r = engine_image_list(&images, g, NULL, e);

    c.images = images;
    if (r == 0)
        clean_images_choose(items, &c);
    return r;
}

static int inspect_image(struct engine *g, struct err *e)
{
    auto_node struct node *n = NULL;
    int r = engine_image_inspect(&n, g, "i", e);

    return printed(r, n);
}

static int ask_info(struct engine *g, struct err *e)
{
    auto_node struct node *n = NULL;
    int r = engine_info(&n, g, e);

    return printed(r, n);
}

static const struct call {
    int (*ask)(struct engine *, struct err *);
    const char *what, *good;
} calls[] = {
    {list_containers, "GET /containers/json",
     "[{\"Id\":\"1\",\"Names\":[\"/a\"],\"Image\":\"i\",\"ImageID\":\"s\",\"State\":\"running\","
     "\"Status\":\"Up\",\"Labels\":{\"slipway.instance\":\"x-1\"},\"Ports\":[{}],"
     "\"NetworkSettings\":{\"Networks\":{\"n\":{\"NetworkID\":\"2\",\"IPAddress\":\"\"}}},"
     "\"Mounts\":[{\"Name\":\"v\",\"Source\":\"/s\",\"Destination\":\"/d\"}]}]"},
    {inspect_container, "GET /containers/id/json",
     "{\"Id\":\"1\",\"Created\":\"0\",\"RestartCount\":2,\"State\":{\"StartedAt\":\"0\","
     "\"FinishedAt\":\"0\",\"ExitCode\":0,\"Status\":\"x\"},\"HostConfig\":{\"PortBindings\":"
     "{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":\"80\"}]},\"Devices\":[{}],\"CapAdd\":[\"A\"]},"
     "\"Config\":{\"Tty\":true,\"Env\":[\"A=1\"],\"Labels\":{\"a\":\"b\"}},"
     "\"NetworkSettings\":{\"Ports\":{\"80/tcp\":null},\"Networks\":{\"n\":{}}},\"Mounts\":null}"},
    {create_container, "POST /containers/create", "{\"Id\":\"1\"}"},
    {create_exec, "POST /containers/id/exec", "{\"Id\":\"1\"}"},
    {ask_exec, "GET /exec/id/json", "{\"Running\":false,\"ExitCode\":0}"},
    {list_networks, "GET /networks",
     "[{\"Id\":\"1\",\"Name\":\"n\",\"Created\":\"0\",\"Labels\":{\"a\":\"b\"},"
     "\"IPAM\":{\"Config\":[{\"Subnet\":\"10.1.0.0/24\"}]}}]"},
    {create_network, "POST /networks/create", "{\"Id\":\"1\"}"},
    {list_volumes, "GET /volumes",
     "{\"Volumes\":[{\"Name\":\"v\",\"Driver\":\"local\",\"Mountpoint\":\"/m\",\"Labels\":null}]}"},
    {create_volume, "POST /volumes/create", "{\"Name\":\"v\",\"Labels\":{\"a\":\"b\"}}"},
    {list_images, "GET /images/json",
     "[{\"Id\":\"1\",\"RepoTags\":[\"a:b\"],\"Labels\":{\"slipway.image\":\"x\"},"
     "\"Created\":1,\"Size\":2}]"},
    {inspect_image, "GET /images/i/json", "{\"Id\":\"1\",\"RootFS\":{\"Layers\":[\"a\"]}}"},
    {ask_info, "GET /info", "{\"DockerRootDir\":\"/d\",\"SecurityOptions\":[\"name=x\"]}"},
};

static const char *const garbage[] = {
    "",
    " ",
    "null",
    "true",
    "0",
    "-1e999",
    "\"\"",
    "\"x\"",
    "[]",
    "[null]",
    "[[]]",
    "[{}]",
    "{}",
    "{\"Id\":{}}",
    "{\"Id\":\"\"}",
    "{",
    "<html>",
    "OK",
    "{\"Volumes\":{}}",
    "{\"Volumes\":[3]}",
};

/* Empty lists are answers to the questions for lists. */
static bool is_fine(const struct call *c, const char *body)
{
    return strcmp(body, "[]") == 0 && c->good[0] == '[';
}

static void must_complain(const struct call *c, struct engine *g, const char *body)
{
    auto_free char *sentence = mem_printf("Docker answered %s with", c->what); /* or "without" */
    struct err e = {0};

    if (c->ask(g, &e) == 0)
        fail_msg("%s took %s", c->what, body);
    assert_int_equal(e.code, ERR_REMOTE);
    if (!strstr(e.msg, sentence))
        fail_msg("%s of %s: %s", c->what, body, e.msg);
}

static void an_answer_of_another_shape_is_an_error(void **state)
{
    struct docker d = {.body = ""};
    struct engine *g = NULL;
    struct err e = {0};

    (void)state;
    start_docker(&d);
    assert_int_equal(engine_open(&g, d.listener.url, until_in(60000, NULL), &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        d.body = calls[i].good;
        if (calls[i].ask(g, &e) < 0)
            fail_msg("%s: %s", calls[i].what, e.msg);
        for (size_t j = 0; j < ARRAY_LEN(garbage); j++) {
            d.body = garbage[j];
            if (!is_fine(&calls[i], garbage[j]))
                must_complain(&calls[i], g, garbage[j]);
        }
    }
    engine_close(g);
    stop_docker(&d);
}

/* Docker asks its plugins, of which a dead one takes 15 s, as soon as another filter stands beside
 * the driver's. */
static void volumes_are_found_by_label_without_asking_a_plugin(void **state)
{
    struct docker d = {
        .body = "{\"Volumes\":[{\"Name\":\"a\",\"Labels\":{\"k\":\"v\"}},{\"Name\":\"b\","
                "\"Labels\":{\"k\":\"w\"}},{\"Name\":\"c\",\"Labels\":null}]}"};
    static const struct {
        const char *label;
        size_t count;
    } rows[] = {{NULL, 3}, {"k", 2}, {"k=v", 1}, {"k=", 0}, {"v", 0}};
    struct engine *g = NULL;
    struct err e = {0};

    (void)state;
    start_docker(&d);
    assert_int_equal(engine_open(&g, d.listener.url, until_in(60000, NULL), &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *list = NULL;

        if (engine_volume_list(&list, g, rows[i].label, &e) < 0)
            fail_msg("%s", e.msg);
        assert_int_equal(list->count, rows[i].count);
        assert_null(strstr(d.volumes, "label"));
        assert_non_null(strstr(d.volumes, "driver"));
    }
    engine_close(g);
    stop_docker(&d);
}

/* Puts each value of `wrong` in place of `*at`, and of all that is below it. */
static void ask_with_each(const struct call *c, struct docker *d, struct engine *g,
                          const struct node *root, struct node **at)
{
    static const char *const wrong[] = {"null", "true", "7", "\"\"", "[]", "{}", "[null]", "[[7]]"};
    struct node *was = *at;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        auto_node struct node *other = NULL;
        struct err e = {0};

        assert_int_equal(json_parse(&other, "wrong", wrong[i], strlen(wrong[i]), &e), 0);
        if (was->key)
            other->key = mem_strdup(was->key);
        *at = other;
        auto_free char *body = json_text(root);
        *at = was;
        d->body = body;
        if (c->ask(g, &e) < 0 && e.code != ERR_REMOTE && e.code != ERR_TIMEOUT)
            fail_msg("%s of %s: %s", c->what, body, e.msg);
    }
    for (size_t i = 0; i < was->count; i++)
        ask_with_each(c, d, g, root, &was->items[i]);
}

static void a_wrong_value_anywhere_harms_nobody(void **state)
{
    struct docker d = {.body = ""};
    struct engine *g = NULL;
    struct err e = {0};

    (void)state;
    start_docker(&d);
    assert_int_equal(engine_open(&g, d.listener.url, until_in(60000, NULL), &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        auto_node struct node *root = NULL;

        assert_int_equal(json_parse(&root, "good", calls[i].good, strlen(calls[i].good), &e), 0);
        for (size_t j = 0; j < root->count; j++)
            ask_with_each(&calls[i], &d, g, root, &root->items[j]);
    }
    engine_close(g);
    stop_docker(&d);
}

#define CONTAINER "\"Id\":\"1\",\"Names\":[],\"Image\":\"\",\"ImageID\":\"\",\"State\":\"created\""
#define CONTAINERS "listing containers: Docker answered GET /containers/json "
#define VOLUMES "listing volumes: Docker answered GET /volumes "

static void the_error_names_the_place(void **state)
{
    static const struct {
        int (*ask)(struct engine *, struct err *);
        const char *body, *sentence;
    } cases[] = {
        {list_containers, "", CONTAINERS "with nothing"},
        {list_containers, "{}", CONTAINERS "with a map, not a list"},
        {list_containers, "[{\"Id\":\"1\",\"Names\":[3]}]",
         CONTAINERS "with a number as [0].Names[0], not a string"},
        {list_containers, "[{\"Id\":\"\"}]", CONTAINERS "with an empty string as [0].Id"},
        {list_containers, "[{}]", CONTAINERS "without [0].Id"},
        /* Without these it would be nobody's, and write nowhere. */
        {list_containers, "[{" CONTAINER ",\"Mounts\":[]}]", CONTAINERS "without [0].Labels"},
        {list_containers, "[{" CONTAINER ",\"Labels\":{}}]", CONTAINERS "without [0].Mounts"},
        {list_containers,
         "[{" CONTAINER ",\"Labels\":{},\"Mounts\":[]},{" CONTAINER
         ",\"Labels\":{},\"Mounts\":[]}]",
         CONTAINERS "with the Id 1 twice"},
        {list_containers, "[{\"Id\":\"1\"},{\"Id\":\"2\",\"Id\":\"3\"}]",
         CONTAINERS "with what is not JSON: answer:1:23: the key \"Id\" is given twice"},
        {list_volumes, "{\"Volumes\":[{}]}", VOLUMES "without Volumes[0].Name"},
        {list_volumes, "{\"Volumes\":[{\"Name\":\"v\"}]}", VOLUMES "without Volumes[0].Labels"},
        {list_volumes,
         "{\"Volumes\":[{\"Name\":\"v\",\"Labels\":null},{\"Name\":\"v\",\"Labels\":null}]}",
         VOLUMES "with the Name v twice"},
        {list_networks, "[{\"Id\":\"1\",\"Name\":\"n\"}]",
         "listing networks: Docker answered GET /networks without [0].Labels"},
        {list_images, "[{\"Id\":\"1\",\"RepoTags\":null,\"Labels\":null,\"Created\":1e400}]",
         "listing images: Docker answered GET /images/json with 1e400 as [0].Created, which is not "
         "a "
         "count"},
        {list_images,
         "[{\"Id\":\"1\",\"RepoTags\":null,\"Labels\":null,\"Created\":9223372036854775807}]",
         "listing images: Docker answered GET /images/json with 9223372036854775807 as "
         "[0].Created, which is not a count"},
        {ask_exec, "{\"Running\":false,\"ExitCode\":-1}",
         "Docker answered GET /exec/id/json with -1 as ExitCode"},
        {ask_exec, "{\"Running\":false,\"ExitCode\":4294967296}",
         "Docker answered GET /exec/id/json with 4294967296 as ExitCode"},
        {ask_exec, "{\"Running\":false,\"ExitCode\":0.5}",
         "Docker answered GET /exec/id/json with 0.5 as ExitCode, which is not a count"},
    };
    struct docker d = {.body = ""};
    struct engine *g = NULL;
    struct err e = {0};

    (void)state;
    start_docker(&d);
    assert_int_equal(engine_open(&g, d.listener.url, until_in(60000, NULL), &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        d.body = cases[i].body;
        assert_int_equal(cases[i].ask(g, &e), -1);
        assert_string_equal(e.msg, cases[i].sentence);
        assert_int_equal(e.code, ERR_REMOTE);
    }
    engine_close(g);
    stop_docker(&d);
}

static void the_time_of_an_answer_is_that_of_docker(void **state)
{
    struct docker d = {.body = "[]"};
    struct engine *g = NULL;
    struct err e = {0};

    (void)state;
    start_docker(&d);
    assert_int_equal(engine_open(&g, d.listener.url, until_in(60000, NULL), &e), 0);
    assert_int_equal(list_containers(g, &e), 0);
    assert_int_equal(engine_answered_ms(g), INT64_C(784111777000));
    engine_close(g);
    stop_docker(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_of_another_shape_is_an_error),
        cmocka_unit_test(volumes_are_found_by_label_without_asking_a_plugin),
        cmocka_unit_test(a_wrong_value_anywhere_harms_nobody),
        cmocka_unit_test(the_error_names_the_place),
        cmocka_unit_test(the_time_of_an_answer_is_that_of_docker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
