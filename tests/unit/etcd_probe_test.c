/* SPDX-License-Identifier: MIT */
// fake: etcd
// wrap: http_open http_close http_post http_stream_open http_stream_read http_stream_status
// wrap: http_stream_close
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "etcd/etcd.h"
#include "fake/etcd.h"

#define PATH "/v3/kv/compaction"
#define DENIED "{\"error\":\"etcdserver: permission denied\",\"code\":7}"

static struct etcd *open_client(void)
{
    struct link *l = NULL;
    struct etcd *c = NULL;
    struct err e = {0};

    fake_etcd_reset();
    if (link_parse(&l, "etcd://h", &e) < 0 || etcd_open(&c, l, NULL, &e) < 0)
        fail_msg("%s", e.msg);
    link_free(l);
    return c;
}

static void only_a_denied_permission_is_a_refusal(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *answer;
        bool refused;
    } rows[] = {
        {403, DENIED, true},
        {200, "{\"header\":{}}", false},
        {400, "{\"error\":\"etcdserver: mvcc: required revision has been compacted\",\"code\":11}",
         false},
        {404, "{\"error\":\"etcdserver: requested lease not found\",\"code\":5}", false},
        {404, "Not Found", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct etcd *c = open_client();
        bool refused = !rows[i].refused;
        struct err e;

        fake_etcd_answer(PATH, rows[i].status, rows[i].answer);
        assert_int_equal(etcd_probe(&refused, c, PATH, "{\"revision\":0}", &e), 0);
        assert_int_equal(refused, rows[i].refused);
        assert_string_equal(fake_etcd_body(0), "{\"revision\":0}");
        etcd_close(c);
    }
}

static void a_stream_that_goes_on_is_no_refusal(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    bool refused = true;
    struct err e;

    fake_etcd_fail(ERR_TIMEOUT, true);
    assert_int_equal(etcd_probe(&refused, c, "/v3/watch", "{}", &e), 0);
    assert_false(refused);
    etcd_close(c);
}

static void an_etcd_that_is_away_says_nothing(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    bool refused = true;
    struct err e;

    fake_etcd_fail(ERR_NET, false);
    assert_int_equal(etcd_probe(&refused, c, PATH, "{}", &e), -1);
    assert_int_equal(e.code, ERR_NET);
    etcd_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_denied_permission_is_a_refusal),
        cmocka_unit_test(a_stream_that_goes_on_is_no_refusal),
        cmocka_unit_test(an_etcd_that_is_away_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
