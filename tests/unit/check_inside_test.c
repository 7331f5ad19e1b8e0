/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include "check/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "check/host.h"
#include "conf/json.h"

static struct check_inside inside(const char *said, const char *inspect)
{
    struct check_inside i = {.instance = "a-1", .said = mem_strdup(said)};
    struct err e;

    i.expected = node_new_map();
    node_set_text(i.expected, "b-1", "10.0.0.2");
    if (inspect)
        assert_int_equal(json_parse(&i.inspect, "test", inspect, strlen(inspect), &e), 0);
    return i;
}

/* "RESULT message" of the only row, or "" for none. */
static char *row(struct check *c)
{
    char *text;

    assert_true(c->rows->count <= 1);
    text = c->rows->count ? mem_printf("%s %s", node_get_text(c->rows->items[0], "result"),
                                       node_get_text(c->rows->items[0], "message"))
                          : mem_strdup("");
    node_free(c->rows);
    c->rows = node_new_list();
    return text;
}

#define GOOD "process 1 0 S slipway-init\nprocess 7 1 S slipway-agent\nprocess 9 1 S sleep\n"

static void assert_says(size_t (*test)(struct check *, const struct check_inside *),
                        const char *said, const char *want)
{
    struct check c = {.module = "containers", .rows = node_new_list()};
    struct check_inside i = inside(said, NULL);
    size_t count = test(&c, &i);
    auto_free char *got = row(&c);

    assert_string_equal(got, want);
    assert_int_equal(count, *want ? 1 : 0);
    check_inside_clear(&i);
    node_free(c.rows);
}

static void a_zombie_counts_when_it_is_seen_twice(void **state)
{
    (void)state;
    assert_says(check_inside_zombies, GOOD, "");
    assert_says(check_inside_zombies, GOOD "process 12 9 Z sh\nagain 1 0 S slipway-init\n", "");
    assert_says(check_inside_zombies, GOOD "process 12 9 Z sh\nagain 12 9 Z sh\n",
                "WARNING a-1 has 1 zombie: sh, whose parent is sleep (process 9)");
    assert_says(check_inside_zombies, GOOD "process 12 9 Z a b c\nagain 12 9 Z a b c\n",
                "WARNING a-1 has 1 zombie: a b c, whose parent is sleep (process 9)");
}

static void many_zombies_are_a_failure(void **state)
{
    struct check c = {.module = "containers", .rows = node_new_list()};
    auto_buf struct buf b = {0};
    struct check_inside i;

    (void)state;
    buf_init(&b, 1 << 20);
    buf_puts(&b, GOOD);
    for (int n = 100; n < 150; n++)
        buf_printf(&b, "process %d 9 Z x\nagain %d 9 Z x\n", n, n);
    i = inside(buf_str(&b), NULL);
    assert_int_equal(check_inside_zombies(&c, &i), 1);
    assert_string_equal(node_get_text(c.rows->items[0], "result"), "FAILED");
    check_inside_clear(&i);
    node_free(c.rows);
}

static void init_and_agent_must_run(void **state)
{
    (void)state;
    assert_says(check_inside_agent, GOOD, "");
    assert_says(check_inside_agent, "process 1 0 S slipway-init\n",
                "FAILED a-1: no slipway-agent runs");
    assert_says(check_inside_agent, "process 1 0 S bash\nprocess 7 1 Z slipway-agent\n",
                "FAILED a-1: no slipway-agent runs, and process 1 is bash");
}

static void names_must_be_found_where_they_are(void **state)
{
    (void)state;
    assert_says(check_inside_names, "name b-1 10.0.0.2\n", "");
    assert_says(check_inside_names, "name b-1 -\n",
                "FAILED a-1 does not find b-1 in the network's DNS");
    assert_says(check_inside_names, "name b-1 10.0.0.9\n",
                "FAILED a-1 finds b-1 at 10.0.0.9, which is at 10.0.0.2");
}

static void what_others_may_read_is_a_failure(void **state)
{
    (void)state;
    assert_says(check_inside_permissions, "file 400 root /run/slipway/secrets/a\n", "");
    assert_says(check_inside_permissions, "file 440 root /run/slipway/secrets/a b\n",
                "FAILED a-1: /run/slipway/secrets/a b, of root, may be read by others: mode 0440");
}

static void assert_log(const char *config, int64_t bytes, const char *want)
{
    struct check c = {.module = "containers", .rows = node_new_list()};
    auto_free char *inspect = mem_printf("{\"HostConfig\":{\"LogConfig\":%s}}", config);
    struct check_inside i = inside("", inspect);
    auto_free char *got = NULL;

    check_inside_log(&c, &i, bytes);
    got = row(&c);
    assert_string_equal(got, want);
    check_inside_clear(&i);
    node_free(c.rows);
}

static void a_log_has_a_limit_and_keeps_to_it(void **state)
{
    static const char limited[] =
        "{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"10m\",\"max-file\":\"3\"}}";
    static const char endless[] = "{\"Type\":\"json-file\",\"Config\":{}}";

    (void)state;
    assert_log(limited, -1, "");
    assert_log(limited, 31 << 20, "");
    assert_log(limited, 60 << 20, "WARNING the log of a-1 has 60 MiB, more than its limit");
    assert_log(limited, (int64_t)1 << 30,
               "FAILED the log of a-1 has 1024 MiB, more than its limit");
    assert_log(endless, -1, "WARNING the log of a-1 has no limit and may fill the disk");
    assert_log(endless, 200 << 20, "WARNING the log of a-1 has 200 MiB and no limit");
    assert_log("{\"Type\":\"local\",\"Config\":{}}", 1 << 20, "");
    assert_log("{\"Type\":\"local\",\"Config\":{\"max-size\":\"1g\"}}", 200 << 20, "");
    assert_log("{\"Type\":\"local\",\"Config\":{\"max-size\":\"512k\"}}", 2 << 20,
               "WARNING the log of a-1 has 2 MiB, more than its limit");
    assert_log("{\"Type\":\"local\",\"Config\":{\"max-size\":\"99999999999g\"}}", 2 << 20, "");
    assert_log("{\"Type\":\"journald\",\"Config\":{}}", -1, "");
}

static void only_a_start_of_late_is_told(void **state)
{
    static const struct {
        const char *inspect, *want;
    } table[] = {
        {"{\"RestartCount\":0,\"State\":{\"StartedAt\":\"2026-01-31T12:00:00.1Z\"}}", ""},
        {"{\"RestartCount\":2,\"State\":{\"StartedAt\":\"2026-01-31T11:55:00.1Z\"}}", ""},
        {"{\"RestartCount\":3,\"State\":{\"StartedAt\":\"2026-01-31T11:40:00.1Z\"}}", ""},
        {"{\"RestartCount\":3,\"State\":{\"StartedAt\":\"2026-01-31T11:55:00.1Z\"}}",
         "WARNING a-1 ended by itself and was started again by Docker, 3 times so far, last at "
         "2026-01-31T11:55:00.1Z"},
        {"{\"State\":{\"OOMKilled\":true}}",
         "FAILED a-1 ran out of its memory, and the kernel killed a process of it"},
    };

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(table); n++) {
        struct check c = {.module = "containers", .rows = node_new_list()};
        struct check_inside i = inside("", table[n].inspect);
        auto_free char *got = NULL;

        check_inside_starts(&c, &i, 1769860800000); /* 2026-01-31T12:00:00Z */
        got = row(&c);
        assert_string_equal(got, table[n].want);
        check_inside_clear(&i);
        node_free(c.rows);
    }
}

static void space_is_judged_by_share_and_size(void **state)
{
    static const struct {
        struct statvfs v;
        enum check_result want;
    } table[] = {
        {{.f_frsize = 1 << 20, .f_blocks = 1000, .f_bavail = 500}, CHECK_SUCCESS},
        {{.f_frsize = 1 << 20, .f_blocks = 1000, .f_bavail = 90}, CHECK_WARNING},
        {{.f_frsize = 1 << 20, .f_blocks = 1000, .f_bavail = 20}, CHECK_FAILED},
        {{.f_frsize = 1 << 30, .f_blocks = 1000, .f_bavail = 20}, CHECK_SUCCESS},
        {{.f_frsize = 1 << 20, .f_blocks = 9, .f_bavail = 9, .f_files = 1000, .f_favail = 5},
         CHECK_FAILED},
        {{.f_frsize = 1 << 20, .f_blocks = 9, .f_bavail = 9, .f_files = 1000, .f_favail = 40},
         CHECK_WARNING},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        assert_int_equal(check_host_space(&table[i].v), table[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zombie_counts_when_it_is_seen_twice),
        cmocka_unit_test(many_zombies_are_a_failure),
        cmocka_unit_test(init_and_agent_must_run),
        cmocka_unit_test(names_must_be_found_where_they_are),
        cmocka_unit_test(what_others_may_read_is_a_failure),
        cmocka_unit_test(a_log_has_a_limit_and_keeps_to_it),
        cmocka_unit_test(only_a_start_of_late_is_told),
        cmocka_unit_test(space_is_judged_by_share_and_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
