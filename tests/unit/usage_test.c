/* SPDX-License-Identifier: MIT */
#include "env/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/json.h"

static struct engine_stats stats_of(const char *json)
{
    auto_node struct node *n = NULL;
    struct engine_stats s;
    struct err e;

    assert_int_equal(json_parse(&n, "test", json, strlen(json), &e), 0);
    engine_stats_of(&s, n);
    return s;
}

static void both_versions_of_cgroups_are_understood(void **state)
{
    struct engine_stats one =
        stats_of("{\"pids_stats\":{\"current\":9},\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":"
                 "889168174}},\"memory_stats\":{\"usage\":5000,\"stats\":{\"total_inactive_file\":"
                 "1000,\"inactive_file\":700},\"limit\":9000},\"blkio_stats\":{"
                 "\"io_service_bytes_recursive\":[{\"op\":\"Read\",\"value\":1},{\"op\":\"Write\","
                 "\"value\":2},{\"op\":\"Read\",\"value\":10},{\"op\":\"Total\",\"value\":13}]}}");
    struct engine_stats two =
        stats_of("{\"pids_stats\":{\"current\":2},\"memory_stats\":{\"usage\":5000,\"stats\":{"
                 "\"inactive_file\":700}},\"blkio_stats\":{\"io_service_bytes_recursive\":[{\"op\":"
                 "\"read\",\"value\":4},{\"op\":\"write\",\"value\":5}]},\"networks\":{\"eth0\":{"
                 "\"rx_bytes\":6,\"tx_bytes\":7},\"eth1\":{\"rx_bytes\":10,\"tx_bytes\":20}}}");

    (void)state;
    assert_int_equal(one.cpu_ns, 889168174);
    assert_int_equal(one.memory, 4000);
    assert_int_equal(one.memory_limit, 9000);
    assert_int_equal(one.processes, 9);
    assert_int_equal(one.block_read, 11);
    assert_int_equal(one.block_written, 2);
    assert_int_equal(one.net_received, -1);
    assert_int_equal(two.cpu_ns, -1);
    assert_int_equal(two.memory, 4300);
    assert_int_equal(two.block_read, 4);
    assert_int_equal(two.block_written, 5);
    assert_int_equal(two.net_received, 16);
    assert_int_equal(two.net_sent, 27);
}

static void what_is_no_number_or_nobodys_is_not_known(void **state)
{
    static const char *const answers[] = {
        "{}",
        "{\"pids_stats\":{},\"memory_stats\":{},\"blkio_stats\":{\"io_service_bytes_recursive\":"
        "null},\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":0}}}",
        "{\"pids_stats\":{\"current\":1},\"networks\":[{\"rx_bytes\":1}],\"blkio_stats\":{"
        "\"io_service_bytes_recursive\":{\"a\":{\"op\":\"read\",\"value\":1}}},\"cpu_stats\":{"
        "\"cpu_usage\":{\"total_usage\":18446744073709551615}},\"memory_stats\":7}",
        "{\"pids_stats\":{\"current\":1},\"blkio_stats\":{\"io_service_bytes_recursive\":[1,null,"
        "{\"op\":[],\"value\":1}]},\"networks\":{\"eth0\":null,\"eth1\":{\"rx_bytes\":-5}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct engine_stats s = stats_of(answers[i]);

        assert_int_equal(s.cpu_ns, -1);
        assert_int_equal(s.memory, -1);
        assert_int_equal(s.block_read, -1);
        assert_int_equal(s.net_received, -1);
    }
}

static void a_rate_needs_two_counters_that_grow(void **state)
{
    static const struct {
        int64_t before, now, span_ms, want;
    } table[] = {
        {0, 0, 2000, 0},      {100, 300, 2000, 100}, {100, 300, 0, -1},
        {300, 100, 2000, -1}, /* its container began again */
        {-1, 100, 2000, -1},  {100, -1, 2000, -1},   {0, INT64_MAX / 2, 1000, INT64_MAX / 2 + 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_int_equal(usage_rate(table[i].before, table[i].now, table[i].span_ms),
                         table[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_of_cgroups_are_understood),
        cmocka_unit_test(what_is_no_number_or_nobodys_is_not_known),
        cmocka_unit_test(a_rate_needs_two_counters_that_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
