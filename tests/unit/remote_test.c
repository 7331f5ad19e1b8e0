/* SPDX-License-Identifier: MIT */
// wrap: talk_open talk_close talk_ask
#include "remote/remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/camel.h"
#include "conf/json.h"
#include "remote/call.h"
#include "remote/reply.h"
#include "remote/target.h"

static struct node *json(const char *text)
{
    struct node *n = NULL;
    struct err e;

    assert_int_equal(json_parse(&n, "test", text, strlen(text), &e), 0);
    return n;
}

/* ---- names ---- */

static void names_of_fields_go_to_camel_case_and_back(void **state)
{
    static const char *const both[][2] = {
        {"{\"desired_revision\":1,\"etcd\":{\"db_size\":2},\"rows\":[{\"read_only\":true}]}",
         "{\"desiredRevision\":1,\"etcd\":{\"dbSize\":2},\"rows\":[{\"readOnly\":true}]}"},
        {"{\"value\":{\"a_b\":1},\"old\":{\"cD\":1}}",
         "{\"value\":{\"a_b\":1},\"old\":{\"cD\":1}}"},
        {"{\"snapshots\":{\"my_snap\":{\"data_pool\":1},\"MySnap\":{}}}",
         "{\"snapshots\":{\"my_snap\":{\"dataPool\":1},\"MySnap\":{}}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        auto_node struct node *n = json(both[i][0]);
        auto_free char *camel = NULL, *back = NULL;

        camel_names(n);
        camel = json_text(n);
        assert_string_equal(camel, both[i][1]);
        camel_undo(n);
        back = json_text(n);
        assert_string_equal(back, both[i][0]);
    }
}

static void a_target_is_one_part_of_a_path(void **state)
{
    static const char *const both[][2] = {
        {"ceph-osd", "ceph-osd"},     {"ceph-osd-1", "ceph-osd-1"},
        {"ceph-osd/1", "ceph-osd-1"}, {"ceph-osd/ceph-osd-1", "ceph-osd-1"},
        {"echo/osd-1", "echo-osd-1"}, {"echo/", "echo-"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        auto_free char *name = target_name(both[i][0]);

        assert_string_equal(name, both[i][1]);
    }
}

static void a_path_is_filled_in_and_encoded(void **state)
{
    auto_strv struct strv words = strv_of("echo", "a&b=c");
    const struct call snapshot = {.route = CALL_snapshot_delete, .args = {"di/sk", "s 1"}};
    const struct call logs = {
        .route = CALL_logs, .params = {{"tail", NULL}, {"since", "10 min"}}, .words = &words};
    auto_free char *one = call_path(&snapshot), *two = call_path(&logs);

    (void)state;
    assert_string_equal(one, "/api/v1/volumes/di%2Fsk/snapshots/s%201");
    assert_string_equal(two, "/api/v1/logs?since=10%20min&instance=echo&instance=a%26b%3Dc");
}

/* ---- what a server says ---- */

static int said(struct strv *problems, long status, const char *type, const char *text,
                struct err *e)
{
    const struct reply a = {status, type, text, strlen(text)};
    auto_node struct node *n = NULL;

    return reply_read(&n, &a, problems, e);
}

static void an_error_has_the_servers_code_and_sentence(void **state)
{
    static const struct {
        long status;
        const char *code;
        enum err_code want;
    } rows[] = {{409, "locked", ERR_LOCKED},
                {404, "notfound", ERR_NOTFOUND},
                {412, "precondition", ERR_CONFLICT},
                {503, "busy", ERR_NET},
                {429, "limit", ERR_NET},
                {400, "request", ERR_REMOTE},
                {400, "no such", ERR_REMOTE},
                {401, "auth", ERR_AUTH},
                {403, "auth", ERR_AUTH},
                {409, "none", ERR_REMOTE}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_strv struct strv problems = {0};
        auto_free char *text =
            mem_printf("{\"type\":\"about:blank\",\"code\":\"%s\",\"detail\":\"why it is\","
                       "\"problems\":[\"one\",{},\"two\"]}",
                       rows[i].code);
        struct err e = {0};

        assert_int_equal(said(&problems, rows[i].status, "application/problem+json", text, &e), -1);
        assert_int_equal(e.code, rows[i].want);
        assert_non_null(strstr(e.msg, "why it is"));
        assert_int_equal(problems.count, 2);
    }
}

static void what_no_slipwayd_says_is_one_error(void **state)
{
    static const struct {
        long status;
        const char *type, *text;
    } rows[] = {
        {200, "text/html", "<h1>It works</h1>"},
        {200, "", "{}"},
        {200, "application/json", ""},
        {200, "application/json", "[1]"},
        {200, "application/json", "{\"a\":"},
        {302, "text/html", ""},
        {500, "application/json", "{}"},
        {500, "application/problem+json", "{}"},
        {500, "application/problem+json", "{\"code\":[],\"detail\":\"x\"}"},
        {0, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_strv struct strv problems = {0};
        struct err e = {0};

        assert_int_equal(said(&problems, rows[i].status, rows[i].type, rows[i].text, &e), -1);
        assert_int_equal(e.code, ERR_REMOTE);
    }
}

static void rows_have_what_printing_takes_for_granted(void **state)
{
    static const struct {
        const char *text;
        int r;
    } rows[] = {
        {"[]", 0},
        {"[{\"name\":\"a\",\"x\":[]}]", 0},
        {"[{\"name\":true}]", 0},
        {"[{\"name\":null}]", -1},
        {"[{\"name\":[]}]", -1},
        {"[{\"name\":\"a\\u001b[2J\"}]", -1},
        {"[{\"name\":\"a\\nb\"}]", -1},
        {"[{\"name\":\"\\u009b2J\"}]", -1},
        {"[null]", -1},
        {"[1]", -1},
        {"{\"name\":\"a\"}", -1},
        {"\"a\"", -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *n = json(rows[i].text);
        struct err e = {0};

        assert_int_equal(reply_rows(n, "name", &e), rows[i].r);
    }
}

/* ---- opening ---- */

static struct talk_target opened;

int __wrap_talk_open(struct talk **out, const struct talk_target *target, struct err *e);
int __wrap_talk_open(struct talk **out, const struct talk_target *target, struct err *e)
{
    (void)e;
    opened = *target;
    *out = NULL;
    return 0;
}

void __wrap_talk_close(struct talk *t);
void __wrap_talk_close(struct talk *t)
{
    (void)t;
}

/* What a server answers. */
static const char *answered;
static const char *const *answers; /* one after the other; NULL: `answered` each time */
static char requests[1000];
static int asked;

int __wrap_talk_ask(struct talk_answer *a, struct talk *t, const struct talk_request *q,
                    struct err *e);
int __wrap_talk_ask(struct talk_answer *a, struct talk *t, const struct talk_request *q,
                    struct err *e)
{
    size_t len = strlen(requests);
    const char *text = answers ? answers[asked] : answered;

    (void)t;
    asked++;
    snprintf(requests + len, sizeof(requests) - len, "%s %s %s\n", q->method, q->path,
             q->body ? q->body : "-");
    *a = (struct talk_answer){.status = 200, .type = "application/json", .sent = true};
    buf_init(&a->body, TALK_BODY_MAX);
    if (!text)
        return err_set(e, ERR_NET, "the connection broke");
    buf_puts(&a->body, text);
    return 0;
}

#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static char *token_file(const char *text)
{
    char *path = mem_strdup("/tmp/slipway-remote-test.XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static int try_open(const char *url, const char *pin, const char *token, struct err *e)
{
    auto_free char *path = token ? token_file(token) : NULL;
    const struct remote_opts o = {.url = url, .token_file = path, .pin = pin};
    struct remote *there = NULL;
    int r = remote_open(&there, &o, e);

    remote_close(there);
    if (path)
        unlink(path);
    return r;
}

static void words_that_cannot_be_right_are_refused_before_anything(void **state)
{
    static const struct {
        const char *url, *pin, *token;
        int r;
    } rows[] = {
        {"https://a.example:8443", NULL, "slw_12345678\n", 0},
        {"https://[::1]:8443/", PIN, "slw_12345678", 0},
        {"http://a.example", NULL, "slw_12345678", -1},
        {"https://", NULL, "slw_12345678", -1},
        {"https://ann:secret@a.example", NULL, "slw_12345678", -1},
        {"https://a.example/path", NULL, "slw_12345678", -1},
        {"https://a.example#x", NULL, "slw_12345678", -1},
        {"https://a.example\r\nX: y", NULL, "slw_12345678", -1},
        {"https://a.example", "/etc/passwd", "slw_12345678", -1},
        {"https://a.example", "sha256//short", "slw_12345678", -1},
        {"https://a.example", PIN ";" PIN, "slw_12345678", -1},
        {"https://a.example", NULL, "short", -1},
        {"https://a.example", NULL, "slw_12345678\nslw_87654321\n", -1},
        {"https://a.example", NULL, "slw 12345678", -1},
        {"https://a.example", NULL, NULL, -1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        assert_int_equal(try_open(rows[i].url, rows[i].pin, rows[i].token, &e), rows[i].r);
        assert_int_equal(e.code, rows[i].r ? ERR_USAGE : ERR_NONE);
    }
}

/* ---- answers in pages ---- */

static struct remote *fake_remote(void)
{
    struct remote *r = mem_alloc(sizeof(*r));

    r->url = mem_strdup("https://a.example");
    r->token = mem_strdup("slw_12345678");
    return r;
}

static void a_list_that_has_no_end_is_not_read_for_ever(void **state)
{
    struct remote *r = fake_remote();
    struct node *rows = NULL;
    struct err e = {0};

    (void)state;
    asked = 0;
    answered = "{\"items\":[{\"name\":\"a\",\"attached\":[]}],\"total\":1000000000000}";
    assert_int_equal(remote_volume_list(&rows, r, &e), 0);
    assert_in_range(asked, 2, 100);
    node_free(rows);
    asked = 0;
    answered = "{\"items\":[],\"total\":5}";
    assert_int_equal(remote_volume_list(&rows, r, &e), 0);
    assert_int_equal(asked, 1);
    node_free(rows);
    remote_close(r);
}

/* ---- volumes are tasks ---- */

#define TASK(state, more)                                                                          \
    "{\"id\":\"t-1\",\"kind\":\"volume.create\",\"target\":\"a\",\"state\":\"" state "\"" more "}"

static int create(struct strv *already, struct err *e)
{
    auto_strv struct strv names = strv_of("a", "b");
    const struct volume_new n = {.size = "1GiB", .data_pool = "ec"};
    const struct volume_options o = {.already = already};
    struct remote *there = fake_remote();
    int r;

    asked = 0;
    requests[0] = '\0';
    r = remote_volume_create(there, &names, &n, "qemu", &o, e);
    assert_int_equal(remote_has_changed(there), asked > 2);
    remote_close(there);
    answers = NULL;
    return r;
}

static void several_volumes_are_a_task_each_that_is_waited_for(void **state)
{
    static const char *const good[] = {
        TASK("queued", ""), TASK("running", ""), NULL, /* the server is restarted */
        TASK("succeeded", ",\"result\":{\"already\":[\"a\"],\"partly\":[]}"),
        TASK("succeeded", "")};
    auto_strv struct strv already = {0};
    struct err e = {0};

    (void)state;
    answers = good;
    assert_int_equal(create(&already, &e), 0);
    assert_string_equal(
        requests, "POST /api/v1/volumes {\"name\":\"a\",\"size\":\"1GiB\",\"dataPool\":\"ec\","
                  "\"attach\":\"qemu\"}\n"
                  "GET /api/v1/tasks/t-1 -\nGET /api/v1/tasks/t-1 -\n"
                  "GET /api/v1/tasks/t-1 -\n"
                  "POST /api/v1/volumes {\"name\":\"b\",\"size\":\"1GiB\",\"dataPool\":\"ec\","
                  "\"attach\":\"qemu\"}\n");
    assert_int_equal(already.count, 1);
    assert_string_equal(already.items[0], "a");
}

static void a_task_that_fails_has_its_own_code_and_sentence(void **state)
{
    static const char *const failed[] = {
        TASK("failed", ",\"error\":{\"code\":\"unhealthy\",\"detail\":\"no space\"}")};
    static const char *const second[] = {
        TASK("running", ""), TASK("succeeded", ""),
        TASK("failed", ",\"error\":{\"code\":\"unhealthy\",\"detail\":\"no space\"}")};
    static const char *const lost[] = {TASK("interrupted", "")};
    static const char *const doubtful[] = {NULL};
    auto_strv struct strv already = {0};
    struct err e = {0};

    (void)state;
    answers = failed;
    assert_int_equal(create(&already, &e), -1);
    assert_int_equal(e.code, ERR_UNHEALTHY);
    assert_string_equal(e.msg, "no space");
    answers = second;
    assert_int_equal(create(&already, &e), -1);
    assert_int_equal(e.code, ERR_PARTIAL);
    answers = lost;
    assert_int_equal(create(&already, &e), -1);
    assert_string_equal(e.msg, "the server's task t-1 is interrupted");
    answers = doubtful;
    assert_int_equal(create(&already, &e), -1);
    assert_int_equal(e.code, ERR_NET);
    assert_non_null(strstr(e.msg, "; the server may have begun it all the same"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_fields_go_to_camel_case_and_back),
        cmocka_unit_test(a_target_is_one_part_of_a_path),
        cmocka_unit_test(a_path_is_filled_in_and_encoded),
        cmocka_unit_test(an_error_has_the_servers_code_and_sentence),
        cmocka_unit_test(what_no_slipwayd_says_is_one_error),
        cmocka_unit_test(rows_have_what_printing_takes_for_granted),
        cmocka_unit_test(words_that_cannot_be_right_are_refused_before_anything),
        cmocka_unit_test(several_volumes_are_a_task_each_that_is_waited_for),
        cmocka_unit_test(a_task_that_fails_has_its_own_code_and_sentence),
        cmocka_unit_test(a_list_that_has_no_end_is_not_read_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
