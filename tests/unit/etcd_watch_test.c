/* SPDX-License-Identifier: MIT */
// fake: etcd
// wrap: http_open http_close http_post http_stream_open http_stream_read
// wrap: http_stream_close
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "etcd/etcd.h"
#include "fake/etcd.h"

#define AUTH "/v3/auth/authenticate"
#define CREATED                                                                                    \
    "{\"result\":{\"header\":{\"revision\":\"5\"},\"watch_id\":\"1\",\"created\":true}}\n"
/* /w/a = 1 at revision 6; /w/b gone at 7 */
#define PUT_6                                                                                      \
    "{\"result\":{\"header\":{\"revision\":\"6\"},\"watch_id\":\"1\",\"events\":[{\"kv\":{"        \
    "\"key\":"                                                                                     \
    "\"L3cvYQ==\",\"value\":\"MQ==\",\"mod_revision\":\"6\"}}]}}\n"
#define DELETE_7                                                                                   \
    "{\"result\":{\"header\":{\"revision\":\"7\"},\"watch_id\":\"1\",\"events\":[{\"type\":"       \
    "\"DELETE\",\"kv\":{\"key\":\"L3cvYg==\",\"mod_revision\":\"7\"}}]}}\n"
#define DENIED                                                                                     \
    "{\"result\":{\"header\":{},\"watch_id\":\"-1\",\"created\":true,\"canceled\":true,"           \
    "\"cancel_reason\":\"rpc error: code = PermissionDenied desc = etcdserver: permission "        \
    "denied\""                                                                                     \
    "}}\n"

struct seen {
    struct buf text; /* what happened, one word each */
    size_t left;     /* events until the end */
};

static int on_event(void *arg, const struct etcd_event *ev, int64_t revision)
{
    struct seen *s = arg;

    buf_printf(&s->text, "%s%s=%s@%d ", ev->deleted ? "-" : "", ev->kv.key, ev->kv.value,
               (int)revision);
    return --s->left == 0;
}

static int on_reset(void *arg, const struct etcd_kvs *all)
{
    buf_printf(&((struct seen *)arg)->text, "reset:%zu ", all->count);
    return 0;
}

static void on_state(void *arg, bool connected, const char *why)
{
    (void)why;
    buf_puts(&((struct seen *)arg)->text, connected ? "up " : "down ");
}

static const char *const one_prefix[] = {"/w/"};

/* Runs a watch on the prepared answers until `events` have come; the words of what happened. */
static char *watched(const char *text, size_t events, int64_t from, int *rc, struct err *e)
{
    struct seen s = {.text = {.max = 10000}, .left = events};
    struct etcd_watch_opts o = {.prefixes = one_prefix,
                                .prefix_count = 1,
                                .from_revision = from,
                                .event = on_event,
                                .reset = on_reset,
                                .state = on_state,
                                .arg = &s,
                                .deadline = clock_deadline(20000)};
    struct link *l = NULL;
    struct etcd *c = NULL;

    if (link_parse(&l, text, e) < 0 || etcd_open(&c, l, NULL, e) < 0)
        fail_msg("%s", e->msg);
    link_free(l);
    *rc = etcd_watch_run(c, &o, e);
    etcd_close(c);
    return buf_take(&s.text);
}

static void events_come_in_order_however_the_stream_is_cut(void **state)
{
    (void)state;
    struct err e = {0};
    int rc;

    fake_etcd_reset();
    fake_etcd_piece("{\"result\":{\"header\":{\"revision\":\"5\"},\"watch_id\":\"1\",\"crea");
    fake_etcd_piece(
        "ted\":true}}\n{\"result\":{\"header\":{\"revision\":\"6\"},\"watch_id\":\"1\",");
    fake_etcd_piece("\"events\":[{\"kv\":{\"key\":\"L3cvYQ==\",\"value\":\"MQ==\",\"mod_revision\":"
                    "\"6\"}}]}}\n" DELETE_7);
    auto_free char *seen = watched("etcd://h", 2, 0, &rc, &e);
    assert_int_equal(rc, 0);
    assert_string_equal(seen, "up /w/a=1@6 -/w/b=@7 ");
    assert_string_equal(fake_etcd_body(0), "{\"create_request\":{\"key\":\"L3cv\",\"range_end\":"
                                           "\"L3cw\",\"watch_id\":\"1\"}}");
}

static void a_broken_stream_goes_on_after_the_last_whole_revision(void **state)
{
    (void)state;
    struct err e = {0};
    int rc;

    fake_etcd_reset();
    fake_etcd_piece(CREATED PUT_6
                    "{\"result\":{\"header\":{\"revision\":\"7\"},\"watch_id\":\"1\",");
    fake_etcd_piece(NULL);
    fake_etcd_piece(
        "{\"result\":{\"header\":{\"revision\":\"7\"},\"watch_id\":\"1\",\"created\":true}"
        "}\n" PUT_6 DELETE_7); /* 6 again is not told again */
    auto_free char *seen = watched("etcd://h", 2, 0, &rc, &e);
    assert_int_equal(rc, 0);
    assert_non_null(strstr(fake_etcd_body(1), "\"start_revision\":\"7\""));
    assert_string_equal(seen, "up /w/a=1@6 down up -/w/b=@7 ");
}

static void a_failure_without_a_line_end_is_read_too(void **state)
{
    (void)state;
    struct err e = {0};
    int rc;

    fake_etcd_reset();
    fake_etcd_piece(CREATED "{\"error\":{\"grpc_code\":14,\"message\":\"closing\"}}");
    fake_etcd_piece(NULL);
    fake_etcd_piece(CREATED PUT_6);
    auto_free char *seen = watched("etcd://h", 1, 0, &rc, &e);
    assert_string_equal(seen, "up down up /w/a=1@6 ");
}

static void a_refusal_is_believed_after_a_fresh_token(void **state)
{
    (void)state;
    struct err e = {0};
    int rc;

    fake_etcd_reset();
    fake_etcd_answer(AUTH, 200, "{\"token\":\"t1\"}");
    fake_etcd_piece(DENIED);
    fake_etcd_answer(AUTH, 200, "{\"token\":\"t2\"}");
    fake_etcd_piece(CREATED PUT_6);
    auto_free char *seen = watched("etcd://u:p@h", 1, 0, &rc, &e);
    assert_int_equal(rc, 0);
    assert_string_equal(seen, "up /w/a=1@6 ");
    assert_string_equal(fake_etcd_token(3), "t2");

    fake_etcd_reset();
    fake_etcd_answer(AUTH, 200, "{\"token\":\"t1\"}");
    fake_etcd_piece(DENIED);
    fake_etcd_answer(AUTH, 200, "{\"token\":\"t2\"}");
    fake_etcd_piece(DENIED);
    auto_free char *again = watched("etcd://u:p@h", 1, 0, &rc, &e);
    assert_int_equal(rc, -1);
    assert_int_equal(e.code, ERR_AUTH);
    assert_string_equal(e.msg, "watching /w/: etcd denies the permission");
    assert_string_equal(again, "");
}

/* One member keeps its tokens in memory: what is there now does not know
 * them, or waits for ever. */
static void a_stream_that_broke_is_opened_with_a_new_login_where_there_is_one_member(void **state)
{
    (void)state;
    struct err e = {0};
    int rc;

    for (unsigned members = 1; members <= 2; members++) {
        fake_etcd_reset();
        fake_etcd_answer(AUTH, 200, "{\"token\":\"t1\"}");
        fake_etcd_piece(CREATED PUT_6);
        fake_etcd_piece(NULL);
        if (members == 1)
            fake_etcd_answer(AUTH, 200, "{\"token\":\"t2\"}");
        fake_etcd_piece("{\"result\":{\"header\":{\"revision\":\"7\"},\"watch_id\":\"1\","
                        "\"created\":true}}\n" DELETE_7);
        auto_free char *seen =
            watched(members == 1 ? "etcd://u:pw@h" : "etcd://u:pw@h,i", 2, 0, &rc, &e);
        assert_int_equal(rc, 0);
        assert_string_equal(seen, "up /w/a=1@6 down up -/w/b=@7 ");
        assert_string_equal(fake_etcd_token(1), "t1");
        assert_string_equal(fake_etcd_token(fake_etcd_count() - 1), members == 1 ? "t2" : "t1");
    }
}

static void a_compaction_lists_everything_and_goes_on(void **state)
{
    (void)state;
    struct err e = {0};
    int rc;

    fake_etcd_reset();
    fake_etcd_piece(
        "{\"result\":{\"header\":{\"revision\":\"5\"},\"watch_id\":\"1\",\"created\":true}"
        "}\n{\"result\":{\"header\":{\"revision\":\"5\"},\"watch_id\":\"1\",\"canceled\":"
        "true,\"compact_revision\":\"4\"}}\n");
    fake_etcd_answer(
        "/v3/kv/txn", 200,
        "{\"header\":{\"revision\":\"5\"},\"responses\":[{\"response_range\":{\"kvs\":[{"
        "\"key\":\"L3cvYQ==\"}]}}]}");
    fake_etcd_piece(CREATED PUT_6);
    auto_free char *seen = watched("etcd://h", 1, 2, &rc, &e);
    assert_int_equal(rc, 0);
    assert_string_equal(seen, "up reset:1 /w/a=1@6 ");
    assert_non_null(strstr(fake_etcd_body(0), "\"start_revision\":\"2\""));
    assert_non_null(strstr(fake_etcd_body(2), "\"start_revision\":\"6\""));
}

static void a_restored_store_is_listed_again(void **state)
{
    (void)state;
    struct err e = {0};
    int rc;

    fake_etcd_reset();
    fake_etcd_piece(CREATED);
    fake_etcd_answer("/v3/kv/txn", 200,
                     "{\"header\":{\"revision\":\"5\"},\"responses\":[{\"response_range\":{}}]}");
    fake_etcd_piece(CREATED PUT_6);
    auto_free char *seen = watched("etcd://h", 1, 1000, &rc, &e);
    assert_int_equal(rc, 0);
    assert_string_equal(seen, "reset:0 up /w/a=1@6 ");
}

static void another_cluster_is_listed_again(void **state)
{
    (void)state;
    struct err e = {0};
    int rc;

    fake_etcd_reset();
    fake_etcd_piece(
        "{\"result\":{\"header\":{\"cluster_id\":\"1\",\"revision\":\"5\"},\"watch_id\":"
        "\"1\",\"created\":true}}\n");
    fake_etcd_piece(NULL);
    fake_etcd_piece(
        "{\"result\":{\"header\":{\"cluster_id\":\"2\",\"revision\":\"9\"},\"watch_id\":"
        "\"1\",\"created\":true}}\n");
    fake_etcd_answer("/v3/kv/txn", 200,
                     "{\"header\":{\"revision\":\"5\"},\"responses\":[{\"response_range\":{}}]}");
    fake_etcd_piece(CREATED PUT_6);
    auto_free char *seen = watched("etcd://h", 1, 0, &rc, &e);
    assert_int_equal(rc, 0);
    assert_string_equal(seen, "up down reset:0 up /w/a=1@6 ");
}

static void what_is_no_watch_is_left_and_tried_again(void **state)
{
    (void)state;
    struct err e = {0};
    int rc;

    fake_etcd_reset();
    fake_etcd_piece("<html>busy</html>\n");
    fake_etcd_piece(CREATED PUT_6);
    auto_free char *seen = watched("etcd://one,two", 1, 0, &rc, &e);
    assert_string_equal(seen, "down up /w/a=1@6 ");
    assert_string_equal(fake_etcd_host(1), "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_in_order_however_the_stream_is_cut),
        cmocka_unit_test(a_broken_stream_goes_on_after_the_last_whole_revision),
        cmocka_unit_test(a_failure_without_a_line_end_is_read_too),
        cmocka_unit_test(a_refusal_is_believed_after_a_fresh_token),
        cmocka_unit_test(a_stream_that_broke_is_opened_with_a_new_login_where_there_is_one_member),
        cmocka_unit_test(a_compaction_lists_everything_and_goes_on),
        cmocka_unit_test(a_restored_store_is_listed_again),
        cmocka_unit_test(another_cluster_is_listed_again),
        cmocka_unit_test(what_is_no_watch_is_left_and_tried_again),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);

    fake_etcd_reset();
    return r;
}
