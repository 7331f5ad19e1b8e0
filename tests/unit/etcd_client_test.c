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

#include "base/mem.h"
#include "etcd/etcd.h"
#include "fake/etcd.h"

#define AUTH "/v3/auth/authenticate"
#define RANGE "/v3/kv/range"
#define FOUND "{\"header\":{\"revision\":\"7\"},\"kvs\":[{\"key\":\"L2E=\",\"value\":\"MQ==\"}]}"
#define INVALID "{\"error\":\"etcdserver: invalid auth token\",\"code\":16}"
#define NO_LEADER "{\"error\":\"etcdserver: no leader\",\"code\":14}"

static struct etcd *open_client(const char *text)
{
    struct link *l = NULL;
    struct etcd *c = NULL;
    struct err e = {0};

    fake_etcd_reset();
    if (link_parse(&l, text, &e) < 0 || etcd_open(&c, l, NULL, &e) < 0)
        fail_msg("%s", e.msg);
    link_free(l);
    return c;
}

static int get(struct etcd *c, struct err *e)
{
    struct etcd_kv kv;
    int r = etcd_get(&kv, c, "/a", e);

    etcd_kv_clear(&kv);
    return r;
}

static void a_token_is_fetched_once_and_used_raw(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://u:p\"w@h");
    struct err e = {0};

    fake_etcd_answer(AUTH, 200, "{\"token\":\"t1\"}");
    fake_etcd_answer(RANGE, 200, FOUND);
    fake_etcd_answer(RANGE, 200, FOUND);
    assert_int_equal(get(c, &e), 0);
    assert_int_equal(get(c, &e), 0);
    assert_string_equal(fake_etcd_body(0), "{\"name\":\"u\",\"password\":\"p\\u0022w\"}");
    assert_string_equal(fake_etcd_token(0), "");
    assert_string_equal(fake_etcd_token(2), "t1");
    etcd_close(c);
}

static void a_lost_token_is_renewed_and_the_call_repeated(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://u:p@h");
    struct err e = {0};

    fake_etcd_answer(AUTH, 200, "{\"token\":\"t1\"}");
    fake_etcd_answer("/v3/kv/put", 401, INVALID);
    fake_etcd_answer(AUTH, 200, "{\"token\":\"t2\"}");
    fake_etcd_answer("/v3/kv/put", 200, "{}");
    assert_int_equal(etcd_put(c, "/a", "1", 0, &e), 0);
    assert_string_equal(fake_etcd_token(3), "t2");
    etcd_close(c);
}

#define MOVED "{\"error\":\"etcdserver: revision of auth store is old\",\"code\":3}"

static void after_a_change_of_users_the_call_goes_out_again_and_then_with_a_new_login(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://u:p@h");
    struct err e = {0};

    fake_etcd_answer(AUTH, 200, "{\"token\":\"t1\"}");
    fake_etcd_answer("/v3/kv/put", 400, MOVED);
    fake_etcd_answer("/v3/kv/put", 400, MOVED);
    fake_etcd_answer(AUTH, 200, "{\"token\":\"t2\"}");
    fake_etcd_answer("/v3/kv/put", 200, "{}");
    assert_int_equal(etcd_put(c, "/a", "1", 0, &e), 0);
    assert_string_equal(fake_etcd_token(2), "t1");
    assert_string_equal(fake_etcd_token(4), "t2");
    etcd_close(c);
}

static void a_login_of_another_client_is_used_until_it_is_refused(void **state)
{
    (void)state;
    struct etcd *c = NULL;
    struct link *l = NULL;
    struct err e = {0};

    fake_etcd_reset();
    assert_int_equal(link_parse(&l, "etcd://u:p@h", &e), 0);
    l->token = mem_strdup("t1");
    assert_int_equal(etcd_open(&c, l, NULL, &e), 0);
    assert_true(etcd_is_at(c, l));
    l->endpoints[0].port++;
    assert_false(etcd_is_at(c, l));
    link_free(l);
    fake_etcd_answer(RANGE, 200, FOUND);
    fake_etcd_answer(RANGE, 401, INVALID);
    fake_etcd_answer(AUTH, 200, "{\"token\":\"t2\"}");
    fake_etcd_answer(RANGE, 200, FOUND);
    assert_int_equal(get(c, &e), 0);
    assert_string_equal(fake_etcd_token(0), "t1");
    assert_int_equal(get(c, &e), 0);
    assert_string_equal(fake_etcd_token(3), "t2");
    assert_string_equal(etcd_token(c), "t2");
    etcd_close(c);
}

static void a_token_that_is_refused_again_is_an_error(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://u:p@h");
    struct err e = {0};

    fake_etcd_answer(AUTH, 200, "{\"token\":\"t1\"}");
    fake_etcd_answer(RANGE, 401, INVALID);
    fake_etcd_answer(AUTH, 200, "{\"token\":\"t2\"}");
    fake_etcd_answer(RANGE, 401, INVALID);
    assert_int_equal(get(c, &e), -1);
    assert_int_equal(e.code, ERR_AUTH);
    assert_int_equal(fake_etcd_count(), 4);
    etcd_close(c);
}

static void a_wrong_password_is_said_and_not_shown(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://u:geheimnis@h");
    struct err e = {0};

    fake_etcd_answer(AUTH, 400,
                     "{\"error\":\"etcdserver: authentication failed, invalid user ID or "
                     "password\",\"code\":3}");
    assert_int_equal(get(c, &e), -1);
    assert_int_equal(e.code, ERR_AUTH);
    assert_string_equal(e.msg, "get /a: user u: etcd refuses the user or the password");
    etcd_close(c);
}

static void without_authentication_in_etcd_the_password_is_not_needed(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://u:p@h");
    struct err e = {0};

    fake_etcd_answer(AUTH, 400,
                     "{\"error\":\"etcdserver: authentication is not enabled\",\"code\":9}");
    fake_etcd_answer(RANGE, 200, FOUND);
    fake_etcd_answer(RANGE, 200, FOUND);
    assert_int_equal(get(c, &e), 0);
    assert_int_equal(get(c, &e), 0);
    assert_int_equal(fake_etcd_count(), 3);
    /* And when it is enabled meanwhile, it is. */
    fake_etcd_answer(RANGE, 400, "{\"error\":\"etcdserver: user name is empty\",\"code\":3}");
    fake_etcd_answer(AUTH, 200, "{\"token\":\"t\"}");
    fake_etcd_answer(RANGE, 200, FOUND);
    assert_int_equal(get(c, &e), 0);
    assert_string_equal(fake_etcd_token(5), "t");
    etcd_close(c);
}

static void the_next_endpoint_answers_and_is_kept(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one,two");
    struct err e = {0};

    fake_etcd_fail(ERR_NET, false);
    fake_etcd_answer(RANGE, 200, FOUND);
    fake_etcd_answer(RANGE, 200, FOUND);
    assert_int_equal(get(c, &e), 0);
    assert_int_equal(get(c, &e), 0);
    assert_string_equal(fake_etcd_host(0), "one");
    assert_string_equal(fake_etcd_host(1), "two");
    assert_string_equal(fake_etcd_host(2), "two");
    etcd_close(c);
}

static void all_endpoints_that_failed_are_named(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one,two:1");
    struct err e = {0};

    fake_etcd_fail(ERR_TIMEOUT, true);
    fake_etcd_fail(ERR_NET, false);
    assert_int_equal(get(c, &e), -1);
    assert_int_equal(e.code, ERR_NET);
    assert_string_equal(e.msg,
                        "get /a: etcd at one:2379: prepared failure; two:1: prepared failure");
    etcd_close(c);
}

static void a_put_that_may_have_arrived_is_not_repeated(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one,two");
    struct err e = {0};

    fake_etcd_fail(ERR_TIMEOUT, true);
    assert_int_equal(etcd_put(c, "/a", "1", 0, &e), -1);
    assert_int_equal(fake_etcd_count(), 1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_string_equal(e.msg, "put /a: etcd at one:2379: prepared failure; whether it was done is "
                               "not known");
    /* One that has not is. */
    fake_etcd_fail(ERR_NET, false);
    fake_etcd_answer("/v3/kv/put", 200, "{}");
    assert_int_equal(etcd_put(c, "/a", "1", 0, &e), 0);
    etcd_close(c);
}

static void a_guarded_transaction_is_repeated_and_says_so_when_it_fails(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one,two");
    struct etcd_txn *t = etcd_txn_new();
    struct err e = {0};

    etcd_txn_if(t, "/a", ETCD_CMP_MOD_EQ, 3);
    etcd_txn_put(t, "/a", "1", 0);
    fake_etcd_fail(ERR_NET, true);
    fake_etcd_answer("/v3/kv/txn", 200, "{\"header\":{\"revision\":\"9\"}}");
    assert_int_equal(etcd_txn_run(c, t, NULL, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(e.msg,
                        "what the transaction expects is not so; an earlier try, whose answer "
                        "was lost, may have done it");
    assert_string_equal(fake_etcd_body(1),
                        "{\"compare\":[{\"result\":\"EQUAL\",\"target\":\"MOD\",\"key\":\"L2E=\","
                        "\"mod_revision\":\"3\"}],\"success\":[{\"request_put\":{\"key\":\"L2E=\","
                        "\"value\":\"MQ==\"}}]}");
    etcd_txn_free(t);
    etcd_close(c);
}

static void no_leader_is_waited_for_by_reads_and_not_by_puts(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one,two");
    struct err e = {0};

    fake_etcd_answer(RANGE, 503, NO_LEADER);
    fake_etcd_answer(RANGE, 200, FOUND);
    assert_int_equal(get(c, &e), 0);
    assert_string_equal(fake_etcd_host(1), "two");
    fake_etcd_answer("/v3/kv/put", 503, NO_LEADER);
    assert_int_equal(etcd_put(c, "/a", "1", 0, &e), -1);
    assert_int_equal(e.code, ERR_NET);
    assert_string_equal(e.msg, "put /a: the etcd cluster has no leader");
    etcd_close(c);
}

static void what_a_learner_cannot_do_goes_to_another_member(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one,two");
    struct err e = {0};

    fake_etcd_answer("/v3/kv/put", 503,
                     "{\"error\":\"etcdserver: rpc not supported for learner\",\"code\":14}");
    fake_etcd_answer("/v3/kv/put", 200, "{}");
    assert_int_equal(etcd_put(c, "/a", "1", 0, &e), 0);
    assert_string_equal(fake_etcd_host(1), "two");
    etcd_close(c);
}

static void asking_one_member_for_its_state_moves_nothing(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one,two");
    struct etcd_status s;
    struct err e = {0};

    fake_etcd_answer("/v3/maintenance/status", 200,
                     "{\"header\":{\"member_id\":\"7\",\"revision\":\"3\"},\"version\":"
                     "\"3.4.23\",\"leader\":\"7\",\"dbSize\":\"9\",\"errors\":[\"memberID:7 "
                     "alarm:NOSPACE \"]}");
    fake_etcd_answer(RANGE, 200, FOUND);
    assert_int_equal(etcd_status_get(&s, c, 1, &e), 0);
    assert_string_equal(s.version, "3.4.23");
    assert_true(s.alarm_nospace);
    assert_false(s.alarm_corrupt);
    assert_true(s.leader == 7 && s.member == 7);
    etcd_status_clear(&s);
    assert_int_equal(get(c, &e), 0);
    assert_string_equal(fake_etcd_host(0), "two");
    assert_string_equal(fake_etcd_host(1), "one");
    etcd_close(c);
}

/* ---- roles and users ---- */

static void a_role_gets_what_is_missing_and_loses_what_is_too_much(void **state)
{
    (void)state;
    static const struct etcd_role_grant grants[] = {
        {"/a/", true, false}, {"/b", true, true}, {"/c", false, true}};
    struct etcd *c = open_client("etcd://one");
    struct err e = {0};

    /* READ is left out in replies; /b may only be read yet; /old goes; /c is missing. */
    fake_etcd_answer("/v3/auth/role/add", 400,
                     "{\"error\":\"etcdserver: role name already exists\",\"code\":9}");
    fake_etcd_answer("/v3/auth/role/get", 200,
                     "{\"perm\":[{\"key\":\"L2Ev\",\"range_end\":\"L2Ew\"},{\"key\":\"L2I=\"},"
                     "{\"permType\":\"READWRITE\",\"key\":\"L29sZA==\"}]}");
    fake_etcd_answer("/v3/auth/role/revoke", 200, "{}");
    fake_etcd_answer("/v3/auth/role/grant", 200, "{}");
    fake_etcd_answer("/v3/auth/role/grant", 200, "{}");
    assert_int_equal(etcd_role_ensure(c, "r", grants, 3, &e), 0);
    assert_int_equal(fake_etcd_count(), 5);
    assert_string_equal(fake_etcd_body(2),
                        "{\"role\":\"r\",\"key\":\"L29sZA==\",\"range_end\":\"\"}");
    assert_string_equal(fake_etcd_body(3),
                        "{\"name\":\"r\",\"perm\":{\"permType\":\"READWRITE\",\"key\":\"L2I=\"}}");
    assert_string_equal(fake_etcd_body(4),
                        "{\"name\":\"r\",\"perm\":{\"permType\":\"WRITE\",\"key\":\"L2M=\"}}");
    etcd_close(c);
}

static void what_is_new_is_not_asked_for(void **state)
{
    (void)state;
    static const struct etcd_role_grant grants[] = {{"/a/", true, false}};
    static const char *const roles[] = {"r"};
    struct etcd *c = open_client("etcd://one");
    struct err e = {0};

    fake_etcd_answer("/v3/auth/role/add", 200, "{}");
    fake_etcd_answer("/v3/auth/role/grant", 200, "{}");
    assert_int_equal(etcd_role_ensure(c, "r", grants, 1, &e), 0);
    fake_etcd_answer("/v3/auth/user/add", 200, "{}");
    fake_etcd_answer("/v3/auth/user/grant", 200, "{}");
    assert_int_equal(etcd_user_ensure(c, "u", "pw", roles, 1, &e), 0);
    fake_etcd_answer("/v3/auth/user/get", 400,
                     "{\"error\":\"etcdserver: user name not found\",\"code\":9}");
    assert_int_equal(etcd_user_ensure(c, "nobody", NULL, roles, 1, &e), -1);
    assert_int_equal(e.code, ERR_USAGE);
    etcd_close(c);
}

static void a_users_roles_are_made_the_wanted_ones(void **state)
{
    (void)state;
    static const char *const roles[] = {"new", "kept"};
    struct etcd *c = open_client("etcd://one");
    struct err e = {0};

    fake_etcd_answer("/v3/auth/user/add", 400,
                     "{\"error\":\"etcdserver: user name already exists\",\"code\":9}");
    fake_etcd_answer("/v3/auth/user/get", 200, "{\"roles\":[\"kept\",\"old\"]}");
    fake_etcd_answer(AUTH, 400,
                     "{\"error\":\"etcdserver: authentication failed, invalid user ID or "
                     "password\",\"code\":3}");
    fake_etcd_answer("/v3/auth/user/changepw", 200, "{}");
    fake_etcd_answer("/v3/auth/user/grant", 200, "{}");
    fake_etcd_answer("/v3/auth/user/revoke", 200, "{}");
    assert_int_equal(etcd_user_ensure(c, "u", "pw", roles, 2, &e), 0);
    assert_string_equal(fake_etcd_body(4), "{\"user\":\"u\",\"role\":\"new\"}");
    assert_string_equal(fake_etcd_body(5), "{\"name\":\"u\",\"role\":\"old\"}");
    etcd_close(c);
}

static void what_is_no_etcd_is_told(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://h");
    struct err e = {0};

    fake_etcd_answer(RANGE, 404, "404 page not found\n");
    assert_int_equal(get(c, &e), -1);
    assert_string_equal(e.msg, "get /a: HTTP status 404: 404 page not found");
    fake_etcd_answer(RANGE, 200, "<html>");
    assert_int_equal(get(c, &e), -1);
    assert_string_equal(e.msg, "get /a: etcd's reply is not JSON");
    etcd_close(c);
}

static void a_deadline_in_the_past_sends_nothing_twice(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one,two");
    struct err e = {0};

    etcd_set_deadline(c, 1);
    fake_etcd_fail(ERR_TIMEOUT, false);
    assert_int_equal(get(c, &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_int_equal(fake_etcd_count(), 1);
    etcd_close(c);
}

static void a_lock_taken_by_a_lost_try_is_ours(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one,two");
    struct etcd_lock l;
    struct err e = {0};

    fake_etcd_answer("/v3/lease/grant", 200, "{\"ID\":\"42\",\"TTL\":\"9\"}");
    fake_etcd_fail(ERR_NET, true);
    fake_etcd_answer(
        "/v3/kv/txn", 200,
        "{\"header\":{\"revision\":\"12\"},\"responses\":[{\"response_range\":{\"kvs\":"
        "[{\"key\":\"L2w=\",\"value\":\"bWU=\",\"lease\":\"42\",\"create_revision\":"
        "\"11\"}]}}]}");
    assert_int_equal(etcd_lock_take(&l, c, "/l", "me", 9, &e), 0);
    assert_int_equal(l.create_revision, 11);
    fake_etcd_answer("/v3/lease/revoke", 404,
                     "{\"error\":\"etcdserver: requested lease not found\",\"code\":5}");
    assert_int_equal(etcd_lock_release(c, &l, &e), 0);
    assert_null(l.key);
    etcd_close(c);
}

static void a_held_lock_names_its_holder_and_gives_back_the_lease(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one");
    struct etcd_lock l;
    struct err e = {0};

    fake_etcd_answer("/v3/lease/grant", 200, "{\"ID\":\"-42\",\"TTL\":\"9\"}");
    fake_etcd_answer("/v3/kv/txn", 200,
                     "{\"responses\":[{\"response_range\":{\"kvs\":[{\"key\":\"L2w=\",\"value\":"
                     "\"bWU=\",\"lease\":\"41\"}]}}]}");
    fake_etcd_answer("/v3/lease/revoke", 200, "{}");
    assert_int_equal(etcd_lock_take(&l, c, "/l", "you", 9, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    assert_string_equal(e.msg, "lock /l: held by me");
    assert_string_equal(fake_etcd_body(2), "{\"ID\":\"-42\"}");
    etcd_close(c);
}

static void a_lease_without_time_left_is_gone(void **state)
{
    (void)state;
    struct etcd *c = open_client("etcd://one");
    struct err e = {0};

    fake_etcd_answer("/v3/lease/keepalive", 200, "{\"result\":{\"ID\":\"42\"}}");
    assert_int_equal(etcd_lease_keepalive(c, 42, &e), -1);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_string_equal(e.msg, "keeping lease 2a: it has run out");
    etcd_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_fetched_once_and_used_raw),
        cmocka_unit_test(a_lost_token_is_renewed_and_the_call_repeated),
        cmocka_unit_test(after_a_change_of_users_the_call_goes_out_again_and_then_with_a_new_login),
        cmocka_unit_test(a_login_of_another_client_is_used_until_it_is_refused),
        cmocka_unit_test(a_token_that_is_refused_again_is_an_error),
        cmocka_unit_test(a_wrong_password_is_said_and_not_shown),
        cmocka_unit_test(without_authentication_in_etcd_the_password_is_not_needed),
        cmocka_unit_test(the_next_endpoint_answers_and_is_kept),
        cmocka_unit_test(all_endpoints_that_failed_are_named),
        cmocka_unit_test(a_put_that_may_have_arrived_is_not_repeated),
        cmocka_unit_test(a_guarded_transaction_is_repeated_and_says_so_when_it_fails),
        cmocka_unit_test(no_leader_is_waited_for_by_reads_and_not_by_puts),
        cmocka_unit_test(what_a_learner_cannot_do_goes_to_another_member),
        cmocka_unit_test(asking_one_member_for_its_state_moves_nothing),
        cmocka_unit_test(a_role_gets_what_is_missing_and_loses_what_is_too_much),
        cmocka_unit_test(what_is_new_is_not_asked_for),
        cmocka_unit_test(a_users_roles_are_made_the_wanted_ones),
        cmocka_unit_test(what_is_no_etcd_is_told),
        cmocka_unit_test(a_deadline_in_the_past_sends_nothing_twice),
        cmocka_unit_test(a_lock_taken_by_a_lost_try_is_ours),
        cmocka_unit_test(a_held_lock_names_its_holder_and_gives_back_the_lease),
        cmocka_unit_test(a_lease_without_time_left_is_gone),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);

    fake_etcd_reset();
    return r;
}
