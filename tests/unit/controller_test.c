/* SPDX-License-Identifier: MIT */
// wrap: clock_now_ms
#include "controller/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"
#include "controller/form.h"
#include "controller/limiter.h"
#include "controller/listing.h"
#include "controller/openapi.h"

static int64_t now = 1000000;

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
    return now;
}

static struct node *json(const char *text)
{
    struct node *n = NULL;
    struct err e;

    assert_int_equal(json_parse(&n, "test", text, strlen(text), &e), 0);
    return n;
}

/* ---- query ---- */

static void a_target_is_taken_apart_and_decoded(void **state)
{
    struct query q;
    struct err e;

    (void)state;
    assert_int_equal(query_parse(&q, "/a/b%20c/%C3%A4?x=1&y=a+b%2Bc&x=2&z", &e), 0);
    assert_int_equal(q.part_count, 3);
    assert_string_equal(q.parts[1], "b c");
    assert_string_equal(q.parts[2], "\xc3\xa4");
    assert_string_equal(query_get(&q, "x"), "1");
    assert_string_equal(query_get(&q, "y"), "a b+c");
    assert_string_equal(query_get(&q, "z"), "");
    assert_null(query_get(&q, "w"));
    query_clear(&q);
    assert_int_equal(query_parse(&q, "/", &e), 0);
    assert_int_equal(q.part_count, 0);
    query_clear(&q);
}

static void a_target_that_two_could_read_differently_is_refused(void **state)
{
    static const char *const bad[] = {
        "",         "*",     "a",       "http://a/b", "//",
        "/a//b",    "/a/",   "/./a",    "/a/..",      "/%2e%2e/a",
        "/a%2fb",   "/a%00", "/a%",     "/a%2",       "/a%zz",
        "/a\x01",   "/%0a",  "/%ff",    "/\xc0\x80",  "/a?%",
        "/a?x=%00", "/a?=1", "/a?&x=1", "/a?x=%ff",   "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct query q;
        struct err e;

        if (query_parse(&q, bad[i], &e) == 0)
            fail_msg("%s was taken", bad[i]);
    }
}

/* ---- limiter ---- */

static void who_is_wrong_waits_and_keeps_nobody_else_out(void **state)
{
    static struct limiter l;

    (void)state;
    limiter_init(&l, 3, 1000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(limiter_wait(&l, "a"), 0);
        limiter_count(&l, "a");
    }
    assert_int_equal(limiter_wait(&l, "a"), 1000);
    assert_int_equal(limiter_wait(&l, "b"), 0);
    now += 1000;
    assert_int_equal(limiter_wait(&l, "a"), 0);
    limiter_count(&l, "a");
    assert_int_equal(limiter_wait(&l, "a"), 1000);
    limiter_forget(&l, "a");
    assert_int_equal(limiter_wait(&l, "a"), 0);
    for (int i = 0; i < 4; i++)
        limiter_count(&l, "a");
    for (int i = 0; i < LIMITER_KEYS - 1; i++) {
        auto_free char *key = mem_printf("k%d", i);

        limiter_count(&l, key);
    }
    assert_true(limiter_wait(&l, "a") > 0);
    now += 3600 * 1000;
    assert_int_equal(limiter_wait(&l, "a"), 0);
}

/* ---- forms and lists ---- */

static void a_body_is_held_against_its_schema(void **state)
{
    static const struct {
        const char *schema, *body, *problem; /* NULL: it is good */
    } rows[] = {
        {"StartStop", "{}", NULL},
        {"StartStop", "{\"grace\":10,\"force\":true}", NULL},
        {"StartStop", "{\"grace\":-1}", "body.grace: must be a whole number from 0 to 3600000"},
        {"StartStop", "{\"grace\":\"1\"}", "body.grace: must be of type integer, not string"},
        {"StartStop", "{\"grase\":1}", "body.grase: there is no such field"},
        {"StartStop", "[]", "body: must be of type object, not array"},
        {"UserPut", "{\"password\":\"1234567890\"}", "body.role: is missing"},
        {"UserPut", "{\"role\":\"root\"}", "body.role: must be one of viewer, operator, admin"},
        {"UserPut", "{\"role\":\"admin\",\"password\":\"short\"}",
         "body.password: must have 10 bytes at least"},
        {"CheckStart", "{\"words\":[\"a\",1]}",
         "body.words[1]: must be of type string, not integer"},
        {"CheckStart", "{\"words\":[\"\"]}", "body.words[0]: must have 1 bytes at least"},
    };
    auto_node struct node *schemas = openapi_schemas();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *body = json(rows[i].body);
        struct problems p;

        problems_init(&p, NULL);
        form_check(schemas, rows[i].schema, body, &p);
        if (rows[i].problem) {
            assert_int_equal(p.lines.count, 1);
            assert_string_equal(p.lines.items[0], rows[i].problem);
        } else {
            assert_int_equal(p.lines.count, 0);
        }
        problems_clear(&p);
    }
}

static void secrets_of_a_body_are_not_written_down(void **state)
{
    auto_node struct node *schemas = openapi_schemas();
    auto_node struct node *body = json("{\"role\":\"admin\",\"password\":\"correct horse\"}");
    auto_node struct node *safe = form_redact(schemas, "UserPut", body);
    auto_free char *text = json_text(safe);

    (void)state;
    assert_string_equal(text, "{\"role\":\"admin\",\"password\":\"[redacted]\"}");
}

static void names_become_camel_case_and_values_stay(void **state)
{
    auto_node struct node *n =
        json("{\"db_size\":1,\"a\":[{\"b_c_d\":{\"e_f\":2}}],\"value\":{\"x_y\":1},\"_z_\":1}");
    auto_free char *text = NULL;

    (void)state;
    form_camel(n);
    text = json_text(n);
    assert_string_equal(
        text, "{\"dbSize\":1,\"a\":[{\"bCD\":{\"eF\":2}}],\"value\":{\"x_y\":1},\"_z_\":1}");
}

static void a_list_is_filtered_sorted_and_cut(void **state)
{
    static const struct {
        const char *target, *expected;
    } rows[] = {
        {"/l", "{\"items\":[{\"n\":\"osd-2\",\"c\":\"x\"},{\"n\":\"osd-10\",\"c\":\"y\"}],"
               "\"total\":2,\"limit\":1000,\"offset\":0}"},
        {"/l?sort=-n&limit=1", "{\"items\":[{\"n\":\"osd-10\",\"c\":\"y\"}],\"total\":2,"
                               "\"limit\":1,\"offset\":0}"},
        {"/l?c=x", "{\"items\":[{\"n\":\"osd-2\",\"c\":\"x\"}],\"total\":1,\"limit\":1000,"
                   "\"offset\":0}"},
        {"/l?q=OSD-1", "{\"items\":[{\"n\":\"osd-10\",\"c\":\"y\"}],\"total\":1,\"limit\":1000,"
                       "\"offset\":0}"},
        {"/l?offset=5", "{\"items\":[],\"total\":2,\"limit\":1000,\"offset\":5}"},
        {"/l?limit=0", NULL},
        {"/l?limit=x", NULL},
        {"/l?offset=-1", NULL},
        {"/l?sort=z", NULL},
    };
    auto_node struct node *list =
        json("[{\"n\":\"osd-2\",\"c\":\"x\"},{\"n\":\"osd-10\",\"c\":\"y\"}]");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *page = NULL;
        auto_free char *text = NULL;
        struct query q;
        struct err e;
        int r;

        assert_int_equal(query_parse(&q, rows[i].target, &e), 0);
        r = listing_make(&page, list, &q, "c n q sort limit offset", &e);
        query_clear(&q);
        assert_int_equal(r, rows[i].expected ? 0 : -1);
        if (r == 0) {
            text = json_text(page);
            assert_string_equal(text, rows[i].expected);
        }
    }
}

/* ---- routes ---- */

static void every_route_is_found_by_its_path_and_has_its_schemas(void **state)
{
    auto_node struct node *schemas = openapi_schemas();

    (void)state;
    for (const struct route *r = ROUTES; r->id; r++) {
        const char *args[ROUTE_ARGS_MAX];
        unsigned allowed;
        struct query q;
        struct err e;
        auto_free char *path = mem_strdup(r->path);

        for (char *at = path; *at; at++)
            if (*at == '{' || *at == '}')
                *at = 'x';
        assert_int_equal(query_parse(&q, path, &e), 0);
        assert_ptr_equal(route_find(args, &allowed, &q, r->method), r);
        assert_true(allowed & (1U << r->method));
        query_clear(&q);
        assert_true(!r->body || node_get(schemas, r->body));
        assert_true(!r->reply || node_get(schemas, r->reply));
        assert_true(route_body_max(r) <= (r->role == ACCESS_ROLE_ANYBODY ? 4096 : ROUTE_BODY_MAX));
        /* Whoever changes something is somebody; a GET has no body; a task is one. */
        assert_true(r->method == METHOD_GET || r->role >= ACCESS_ROLE_VIEWER ||
                    strcmp(r->id, "login") == 0);
        assert_true(r->method != METHOD_GET || !r->body);
        assert_true((r->status == 202) == (r->reply && strcmp(r->reply, "Task") == 0 &&
                                           r->method != METHOD_GET && r->status != 200));
        /* The audit is written where waiting is allowed. */
        assert_true(r->method == METHOD_GET || r->where == ROUTE_WORK);
    }
}

static void a_path_of_nothing_has_no_route_and_no_method(void **state)
{
    static const char *const paths[] = {"/",
                                        "/api",
                                        "/api/v1",
                                        "/api/v1/instance",
                                        "/api/v1/instances/a/b/c",
                                        "/api/v1/instances/a/startx",
                                        "/metrics/x"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const char *args[ROUTE_ARGS_MAX];
        unsigned allowed;
        struct query q;
        struct err e;

        assert_int_equal(query_parse(&q, paths[i], &e), 0);
        assert_null(route_find(args, &allowed, &q, METHOD_GET));
        assert_int_equal(allowed, 0);
        query_clear(&q);
    }
}

static void the_openapi_document_has_every_route(void **state)
{
    auto_node struct node *schemas = openapi_schemas(), *document = NULL;
    auto_free char *text = openapi_text(schemas);
    size_t count = 0, found = 0;
    const struct node *path;

    (void)state;
    document = json(text);
    for (const struct route *r = ROUTES; r->id; r++)
        count++;
    node_for_each (path, node_get(document, "paths")) {
        found += path->count;
    }
    assert_int_equal(found, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_taken_apart_and_decoded),
        cmocka_unit_test(a_target_that_two_could_read_differently_is_refused),
        cmocka_unit_test(who_is_wrong_waits_and_keeps_nobody_else_out),
        cmocka_unit_test(a_body_is_held_against_its_schema),
        cmocka_unit_test(secrets_of_a_body_are_not_written_down),
        cmocka_unit_test(names_become_camel_case_and_values_stay),
        cmocka_unit_test(a_list_is_filtered_sorted_and_cut),
        cmocka_unit_test(every_route_is_found_by_its_path_and_has_its_schemas),
        cmocka_unit_test(a_path_of_nothing_has_no_route_and_no_method),
        cmocka_unit_test(the_openapi_document_has_every_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
