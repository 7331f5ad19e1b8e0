/* SPDX-License-Identifier: MIT */
#include "engine/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/dial.h"
#include "engine/distribution.h"
#include "engine/labels.h"
#include "engine/url.h"

/* Bodies as dockerd 20.10 sends them. */
static const struct {
    long status;
    const char *body;
    enum err_code code;
    const char *message;
} answers[] = {
    {404, "{\"message\":\"No such container: x\"}\n", ERR_NOTFOUND, "No such container: x"},
    {409, "{\"message\":\"Container x is not running\"}", ERR_CONFLICT,
     "Container x is not running"},
    {409,
     "{\"message\":\"Conflict. The container name \\\"/a\\\" is already in use by container "
     "\\\"b\\\".\"}",
     ERR_CONFLICT,
     "a container of that name exists (Docker: Conflict. The container name \"/a\" is already in "
     "use "
     "by container \"b\".)"},
    {500,
     "{\"message\":\"driver failed programming external connectivity on endpoint a (b): Bind for "
     "0.0.0.0:8080 failed: port is already allocated\"}",
     ERR_CONFLICT,
     "port 0.0.0.0:8080 is taken on the Docker host: free it (ss -ltnp shows who has it) or "
     "publish "
     "another"},
    {500,
     "{\"message\":\"driver failed programming external connectivity on endpoint a (b): Error "
     "starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use\"}",
     ERR_CONFLICT,
     "port 0.0.0.0:80 is taken on the Docker host: free it (ss -ltnp shows who has it) or publish "
     "another"},
    {500, "{\"message\":\"write /var/lib/docker/x: no space left on device\"}", ERR_REMOTE,
     "the disk of the Docker host is full: make room (docker system df shows what takes it) and "
     "run "
     "the same command again (Docker: write /var/lib/docker/x: no space left on device)"},
    {500, "{\"message\":\"dial unix /run/containerd.sock: connection refused\"}", ERR_REMOTE,
     "dial unix /run/containerd.sock: connection refused"},
    {500, "{\"message\":\"x: Get \\\"https://r/v2/\\\": dial tcp: lookup r: no such host\"}",
     ERR_NET,
     "the registry's name is not known (Docker: x: Get \"https://r/v2/\": dial tcp: lookup r: no "
     "such host)"},
    {400, "{\"message\":\"client version 1.99 is too new. Maximum supported API version is 1.41\"}",
     ERR_REMOTE,
     "this Docker and Slipway have no API version in common: upgrade the older one (Docker: client "
     "version 1.99 is too new. Maximum supported API version is 1.41)"},
    {400, "{\"message\":\"No command specified\"}", ERR_CONFIG, "No command specified"},
    {502, "<html>bad gateway</html>", ERR_REMOTE, "HTTP 502: <html>bad gateway</html>"},
    {500, "", ERR_REMOTE, "HTTP 500 without a message"},
    {500, "{\"message\":\"\"}", ERR_REMOTE, "HTTP 500: {\"message\":\"\"}"},
    {500, "[1", ERR_REMOTE, "HTTP 500: [1"},
};

static void answers_become_sentences_that_say_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct err e = {0};
        const char *body = answers[i].body;

        assert_int_equal(api_error(answers[i].status, body, strlen(body), &e), -1);
        assert_string_equal(e.msg, answers[i].message);
        assert_int_equal(e.code, answers[i].code);
    }
}

static void names_in_targets_are_escaped(void **state)
{
    (void)state;
    auto_free char *path = url_path("/containers/", "a/../b?x=1 \xC3\xA4", "/json");
    auto_free char *image = url_image("/images/", "reg:5000/a/b@sha256:1", "/json");
    auto_free char *list = url_filtered("/containers/json", "all=1", "k=v");
    auto_free char *plain = url_filtered("/networks", NULL, NULL);
    assert_string_equal(path, "/containers/a%2F..%2Fb%3Fx%3D1%20%C3%A4/json");
    assert_string_equal(image, "/images/reg:5000/a/b@sha256:1/json");
    assert_string_equal(list,
                        "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22k%3Dv%22%5D%7D");
    assert_string_equal(plain, "/networks");
}

static void an_address_that_is_no_socket_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"tcp://1.2.3.4:2375", "unix://relative", "/var/run/x", ""};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        char *path;

        assert_int_equal(dial_parse(&path, bad[i], &e), -1);
        assert_int_equal(e.code, ERR_CONFIG);
    }
    struct err e = {0};
    auto_free char *path = NULL;
    assert_int_equal(dial_parse(&path, "unix:///run/d.sock", &e), 0);
    assert_string_equal(path, "/run/d.sock");
}

static void labels_of_a_stranger_are_named(void **state)
{
    (void)state;
    auto_node struct node *ours = node_new_map(), *theirs = node_new_map();
    struct err e = {0};
    node_set_text(ours, "slipway.env", "a");
    assert_int_equal(labels_match(ours, NULL, &e), -1);
    assert_string_equal(e.msg, "it has no label slipway.env");
    node_set_text(theirs, "slipway.env", "b");
    assert_int_equal(labels_match(ours, theirs, &e), -1);
    assert_string_equal(e.msg, "its label slipway.env is b, not a");
    node_set_text(theirs, "slipway.env", "a");
    node_set_text(theirs, "other", "x");
    assert_int_equal(labels_match(ours, theirs, &e), 0);
}

static void a_suite_is_read_from_the_image_name(void **state)
{
    (void)state;
    static const struct {
        const char *image, *suite;
    } cases[] = {
        {"debian:trixie-slim", "trixie"},
        {"debian:bookworm", "bookworm"},
        {"docker.io/library/debian:trixie", "trixie"},
        {"debian:13", NULL},
        {"debian", NULL},
        {"ubuntu:noble", NULL},
        {"debian:", NULL},
        {"mydebian:trixie", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        auto_free char *suite = distribution_suite(cases[i].image);

        if (!cases[i].suite)
            assert_null(suite);
        else
            assert_string_equal(suite, cases[i].suite);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_become_sentences_that_say_what_to_do),
        cmocka_unit_test(names_in_targets_are_escaped),
        cmocka_unit_test(an_address_that_is_no_socket_is_refused),
        cmocka_unit_test(labels_of_a_stranger_are_named),
        cmocka_unit_test(a_suite_is_read_from_the_image_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
