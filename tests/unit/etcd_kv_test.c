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

#define RANGE "/v3/kv/range"
#define TXN "/v3/kv/txn"
#define COMPACTED                                                                                  \
    "{\"error\":\"etcdserver: mvcc: required revision has been compacted\",\"code\":11}"

static struct etcd *open_link(const char *text)
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

static struct etcd *open_client(void)
{
    return open_link("etcd://h");
}

/* etcd waits until it is at the index of the token, which one that lost its data never is. */
static void after_a_call_without_an_answer_comes_a_new_token(void **state)
{
    (void)state;
    struct etcd *c = open_link("etcd://u:p@h");
    struct etcd_kvs kvs;
    struct err e = {0};

    fake_etcd_answer("/v3/auth/authenticate", 200, "{\"token\":\"t1\"}");
    fake_etcd_fail(ERR_TIMEOUT, true);
    assert_int_equal(etcd_range(&kvs, c, "/a", &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    fake_etcd_answer("/v3/auth/authenticate", 200, "{\"token\":\"t2\"}");
    fake_etcd_answer(RANGE, 200, "{\"header\":{\"revision\":\"7\"}}");
    assert_int_equal(etcd_range(&kvs, c, "/a", &e), 0);
    assert_string_equal(fake_etcd_token(3), "t2");
    etcd_kvs_clear(&kvs);
    etcd_close(c);
}

static void pages_are_read_at_the_first_ones_revision(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    struct etcd_kvs kvs;
    struct err e = {0};

    fake_etcd_answer(
        RANGE, 200, "{\"header\":{\"revision\":\"7\"},\"kvs\":[{\"key\":\"L2Ev\"}],\"more\":true}");
    fake_etcd_answer(RANGE, 200, "{\"header\":{\"revision\":\"9\"},\"kvs\":[{\"key\":\"L2Ei\"}]}");
    assert_int_equal(etcd_range(&kvs, c, "/a", &e), 0);
    assert_int_equal(kvs.count, 2);
    assert_int_equal(kvs.revision, 7);
    assert_string_equal(fake_etcd_body(0),
                        "{\"key\":\"L2E=\",\"range_end\":\"L2I=\",\"limit\":\"2000\"}");
    /* From the last key and a NUL on. */
    assert_string_equal(
        fake_etcd_body(1),
        "{\"key\":\"L2EvAA==\",\"range_end\":\"L2I=\",\"revision\":\"7\",\"limit\":\"2000\"}");
    etcd_kvs_clear(&kvs);
    etcd_close(c);
}

static void large_values_make_smaller_pages(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    struct etcd_kvs kvs;
    struct err e = {0};

    fake_etcd_too_big();
    fake_etcd_answer(RANGE, 200, "{\"header\":{\"revision\":\"7\"},\"kvs\":[{\"key\":\"L2Ev\"}]}");
    assert_int_equal(etcd_range(&kvs, c, "/a", &e), 0);
    assert_non_null(strstr(fake_etcd_body(1), "\"limit\":\"250\""));
    etcd_kvs_clear(&kvs);
    for (int i = 0; i < 5; i++)
        fake_etcd_too_big();
    assert_int_equal(etcd_range(&kvs, c, "/a", &e), -1);
    assert_string_equal(e.msg, "list /a: prepared failure");
    etcd_close(c);
}

static void a_compaction_between_pages_begins_again(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    struct etcd_kvs kvs;
    struct err e = {0};

    fake_etcd_answer(
        RANGE, 200, "{\"header\":{\"revision\":\"7\"},\"kvs\":[{\"key\":\"L2Ev\"}],\"more\":true}");
    fake_etcd_answer(RANGE, 400, COMPACTED);
    fake_etcd_answer(RANGE, 200, "{\"header\":{\"revision\":\"9\"},\"kvs\":[{\"key\":\"L2Ev\"}]}");
    assert_int_equal(etcd_range(&kvs, c, "/a", &e), 0);
    assert_int_equal(kvs.count, 1);
    assert_int_equal(kvs.revision, 9);
    etcd_kvs_clear(&kvs);
    etcd_close(c);
}

static void several_names_are_one_transaction_sorted_and_without_doubles(void **state)
{
    (void)state;
    static const char *const names[] = {"/b/", "/a", "/b/1"};
    struct etcd *c = open_client();
    struct etcd_kvs kvs;
    struct err e = {0};

    fake_etcd_answer(
        TXN, 200,
        "{\"header\":{\"revision\":\"7\"},\"succeeded\":true,\"responses\":["
        "{\"response_range\":{\"kvs\":[{\"key\":\"L2IvMQ==\",\"value\":\"MQ==\"}]}},"
        "{\"response_range\":{\"kvs\":[{\"key\":\"L2E=\"}]}},"
        "{\"response_range\":{\"kvs\":[{\"key\":\"L2IvMQ==\",\"value\":\"MQ==\"}]}}]}");
    assert_int_equal(etcd_range_many(&kvs, c, names, 3, &e), 0);
    assert_int_equal(kvs.count, 2);
    assert_string_equal(kvs.items[0].key, "/a");
    assert_string_equal(kvs.items[1].key, "/b/1");
    assert_ptr_equal(etcd_kvs_find(&kvs, "/b/1"), &kvs.items[1]);
    assert_null(etcd_kvs_find(&kvs, "/b/2"));
    assert_null(etcd_kvs_find(&kvs, ""));
    assert_int_equal(fake_etcd_count(), 1);
    etcd_kvs_clear(&kvs);
    etcd_close(c);
}

static void a_prefix_with_more_keys_is_read_on_by_itself(void **state)
{
    (void)state;
    static const char *const names[] = {"/b/", "/a"};
    struct etcd *c = open_client();
    struct etcd_kvs kvs;
    struct err e = {0};

    fake_etcd_answer(TXN, 200,
                     "{\"header\":{\"revision\":\"7\"},\"responses\":["
                     "{\"response_range\":{\"kvs\":[{\"key\":\"L2IvMQ==\"}],\"more\":true}},"
                     "{\"response_range\":{}}]}");
    fake_etcd_answer(RANGE, 200, "{\"kvs\":[{\"key\":\"L2IvMg==\"}]}");
    assert_int_equal(etcd_range_many(&kvs, c, names, 2, &e), 0);
    assert_int_equal(kvs.count, 2);
    assert_non_null(strstr(fake_etcd_body(1), "\"key\":\"L2IvMQA=\",\"range_end\":\"L2Iw\","
                                              "\"revision\":\"7\""));
    etcd_kvs_clear(&kvs);
    etcd_close(c);
}

static void a_reply_too_large_is_asked_for_name_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"/b/", "/a"};
    struct etcd *c = open_client();
    struct etcd_kvs kvs;
    struct err e = {0};

    fake_etcd_too_big();
    fake_etcd_answer(RANGE, 200,
                     "{\"header\":{\"revision\":\"7\"},\"kvs\":[{\"key\":\"L2IvMg==\"}]}");
    fake_etcd_answer(RANGE, 200, "{\"header\":{\"revision\":\"8\"},\"kvs\":[{\"key\":\"L2E=\"}]}");
    assert_int_equal(etcd_range_many(&kvs, c, names, 2, &e), 0);
    assert_int_equal(kvs.revision, 7);
    assert_int_equal(kvs.count, 2);
    assert_non_null(strstr(fake_etcd_body(2), "\"revision\":\"7\""));
    etcd_kvs_clear(&kvs);
    etcd_close(c);
}

static void a_missing_range_in_a_reply_is_an_error(void **state)
{
    (void)state;
    static const char *const names[] = {"/b/", "/a"};
    struct etcd *c = open_client();
    struct etcd_kvs kvs;
    struct err e = {0};

    fake_etcd_answer(TXN, 200, "{\"responses\":[{\"response_range\":{}}]}");
    assert_int_equal(etcd_range_many(&kvs, c, names, 2, &e), -1);
    assert_string_equal(e.msg, "list /b/ and others: etcd's reply has 1 ranges of 2");
    assert_int_equal(kvs.count, 0);
    etcd_close(c);
}

/* ---- push ---- */

static struct etcd_write *many_writes(size_t count, const char *value)
{
    struct etcd_write *w = mem_array(count, sizeof(*w));

    for (size_t i = 0; i < count; i++)
        w[i] = (struct etcd_write){mem_printf("/p/%zu", i), value};
    return w;
}

static void free_writes(struct etcd_write *w, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)w[i].key);
    free(w);
}

static size_t occurrences(const char *text, const char *word)
{
    size_t n = 0;

    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

static void a_push_is_cut_into_batches_with_the_last_key_last(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    struct etcd_write *w = many_writes(300, "v");
    struct err e = {0};
    int64_t revision;

    for (int i = 0; i < 3; i++)
        fake_etcd_answer(TXN, 200, "{\"header\":{\"revision\":\"5\"},\"succeeded\":true}");
    assert_int_equal(etcd_push(c, w, 300, &(struct etcd_push_opts){"/lock", 3, 1}, &revision, &e),
                     0);
    assert_int_equal(revision, 5);
    assert_int_equal(occurrences(fake_etcd_body(0), "request_put"), 128);
    assert_int_equal(occurrences(fake_etcd_body(1), "request_put"), 128);
    assert_int_equal(occurrences(fake_etcd_body(2), "request_put"), 44);
    assert_non_null(strstr(fake_etcd_body(2), "L3AvMjk5")); /* /p/299 */
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(fake_etcd_body(i), "\"target\":\"CREATE\",\"key\":\"L2xvY2s=\","
                                                  "\"create_revision\":\"3\""));
    free_writes(w, 300);
    etcd_close(c);
}

static void large_values_make_more_batches(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    auto_free char *value = mem_alloc(200001);
    memset(value, 'x', 200000);
    struct etcd_write *w = many_writes(5, value);
    struct err e = {0};

    for (int i = 0; i < 3; i++)
        fake_etcd_answer(TXN, 200, "{\"succeeded\":true}");
    assert_int_equal(etcd_push(c, w, 5, &(struct etcd_push_opts){NULL, 0, 1}, NULL, &e), 0);
    assert_int_equal(fake_etcd_count(), 3);
    free_writes(w, 5);
    etcd_close(c);
}

static void a_lost_lock_ends_a_push_before_its_last_batch(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    struct etcd_write *w = many_writes(300, "v");
    struct err e = {0};

    fake_etcd_answer(TXN, 200, "{\"succeeded\":true}");
    fake_etcd_answer(TXN, 200, "{}");
    assert_int_equal(etcd_push(c, w, 300, &(struct etcd_push_opts){"/lock", 3, 1}, NULL, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    assert_string_equal(e.msg, "the lock /lock is not ours any more");
    assert_int_equal(fake_etcd_count(), 2);
    free_writes(w, 300);
    etcd_close(c);
}

static void a_batch_whose_answer_is_lost_is_sent_again(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    struct etcd_write w[] = {{"/a", "1"}, {"/b/", NULL}};
    struct err e = {0};

    fake_etcd_answer(TXN, 503, "{\"error\":\"etcdserver: request timed out\",\"code\":14}");
    fake_etcd_answer(TXN, 200, "{\"succeeded\":true}");
    assert_int_equal(etcd_push(c, w, 2, &(struct etcd_push_opts){NULL, 0, 4}, NULL, &e), 0);
    assert_string_equal(fake_etcd_body(1),
                        "{\"compare\":[],\"success\":[{\"request_put\":{\"key\":\"L2E=\",\"value\":"
                        "\"MQ==\"}},{\"request_delete_range\":{\"key\":\"L2Iv\",\"range_end\":"
                        "\"L2Iw\"}}]}");
    etcd_close(c);
}

static void a_key_given_twice_is_refused(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    struct etcd_write w[] = {{"/a", "1"}, {"/b", "1"}, {"/a", "2"}};
    struct err e = {0};

    assert_int_equal(etcd_push(c, w, 3, &(struct etcd_push_opts){NULL, 0, 4}, NULL, &e), -1);
    assert_int_equal(e.code, ERR_USAGE);
    assert_string_equal(e.msg, "/a is written twice in one push");
    assert_int_equal(fake_etcd_count(), 0);
    etcd_close(c);
}

static void too_many_operations_are_refused_before_they_are_sent(void **state)
{
    (void)state;
    struct etcd *c = open_client();
    struct etcd_txn *t = etcd_txn_new();
    struct err e = {0};

    for (int i = 0; i < ETCD_TXN_MAX + 1; i++)
        etcd_txn_delete(t, "/a");
    assert_int_equal(etcd_txn_count(t), 129);
    assert_int_equal(etcd_txn_run(c, t, NULL, &e), -1);
    assert_int_equal(e.code, ERR_USAGE);
    assert_int_equal(fake_etcd_count(), 0);
    etcd_txn_free(t);
    etcd_close(c);
}

static void those_below_a_prefix_follow_each_other(void **state)
{
    char keys[][8] = {"/a", "/b", "/b/1", "/b/2", "/b1", "/c/1"};
    struct etcd_kv sorted[ARRAY_LEN(keys)] = {{0}};
    static const struct {
        const char *prefix;
        size_t first, count;
    } rows[] = {{"/b/", 2, 2}, {"/a", 0, 1}, {"/c/", 5, 1}, {"/", 0, 6},
                {"/aa", 1, 0}, {"/d", 6, 0}, {"", 0, 6}};
    const struct etcd_kvs kvs = {.items = sorted, .count = ARRAY_LEN(sorted)}, none = {0};
    size_t count;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        sorted[i].key = keys[i];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(etcd_kvs_below(&count, &kvs, rows[i].prefix), rows[i].first);
        assert_int_equal(count, rows[i].count);
        assert_int_equal(etcd_kvs_below(&count, &none, rows[i].prefix), 0);
        assert_int_equal(count, 0);
    }
    assert_ptr_equal(etcd_kvs_find(&kvs, "/b1"), &sorted[4]);
    assert_null(etcd_kvs_find(&kvs, "/b/"));
    assert_null(etcd_kvs_find(&kvs, "/d"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_call_without_an_answer_comes_a_new_token),
        cmocka_unit_test(pages_are_read_at_the_first_ones_revision),
        cmocka_unit_test(large_values_make_smaller_pages),
        cmocka_unit_test(a_compaction_between_pages_begins_again),
        cmocka_unit_test(several_names_are_one_transaction_sorted_and_without_doubles),
        cmocka_unit_test(a_prefix_with_more_keys_is_read_on_by_itself),
        cmocka_unit_test(a_reply_too_large_is_asked_for_name_by_name),
        cmocka_unit_test(a_missing_range_in_a_reply_is_an_error),
        cmocka_unit_test(a_push_is_cut_into_batches_with_the_last_key_last),
        cmocka_unit_test(large_values_make_more_batches),
        cmocka_unit_test(a_lost_lock_ends_a_push_before_its_last_batch),
        cmocka_unit_test(a_batch_whose_answer_is_lost_is_sent_again),
        cmocka_unit_test(a_key_given_twice_is_refused),
        cmocka_unit_test(too_many_operations_are_refused_before_they_are_sent),
        cmocka_unit_test(those_below_a_prefix_follow_each_other),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);

    fake_etcd_reset();
    return r;
}
