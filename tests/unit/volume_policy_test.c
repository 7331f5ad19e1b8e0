/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include "volumes/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "volumes/volume.h"
#include "conf/json.h"

static void a_policy_is_read_and_written_or_says_why_not(void **state)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        {"4+2", "4+2"},
        {"4+2 c=5 x=1", "4+2 c=5 x=1"},
        {"4+2,x=2,c=4", "4+2 c=4 x=2"},
        {"1+2", "1+2"},
        {"1+0", "1+0"},
        {"1+2 x=1", "1+2 x=1"},
        {"", "\"\" is not a policy; write it like 4+2, or \"4+2 c=5 x=1\""},
        {"4", "\"4\" is not a policy; write it like 4+2, or \"4+2 c=5 x=1\""},
        {"4+", "\"4+\" is not a policy; write it like 4+2, or \"4+2 c=5 x=1\""},
        {"4+2x", "\"4+2x\" is not a policy; write it like 4+2, or \"4+2 c=5 x=1\""},
        {"-4+2", "\"-4+2\" is not a policy; write it like 4+2, or \"4+2 c=5 x=1\""},
        {"400+2", "\"400+2\" is not a policy; write it like 4+2, or \"4+2 c=5 x=1\""},
        {"4+2 d=1", "policy \"4+2 d=1\": \"d=1\" is neither c=N nor x=N"},
        {"4+2 c=5 c=6", "policy \"4+2 c=5 c=6\": \"c=6\" is neither c=N nor x=N"},
        {"4+2 c=", "policy \"4+2 c=\": \"c=\" is neither c=N nor x=N"},
        {"4+2 c", "policy \"4+2 c\": \"c\" is neither c=N nor x=N"},
        {"4+2 c=3", "policy \"4+2 c=3\": c is 3; 4 to 6 are allowed"},
        {"4+2 c=7", "policy \"4+2 c=7\": c is 7; 4 to 6 are allowed"},
        {"4+0", "policy \"4+0\": k and m are 1 or more, together at most 32"},
        {"30+3", "policy \"30+3\": k and m are 1 or more, together at most 32"},
        {"1+2 x=2", "policy \"1+2 x=2\": x of copies is 1, or 3 and more"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct volume_policy p;
        struct err e;
        auto_free char *got = volume_policy_parse(&p, table[i].text, &e) == 0
                                  ? volume_policy_format(&p)
                                  : mem_strdup(e.msg);

        assert_string_equal(got, table[i].want);
    }
}

/* What a pool becomes in the configuration, or why it is refused. */
static char *made(const struct volume_pool *p)
{
    auto_node struct node *pools = node_new_map();
    struct volume_maps m = {.pools = pools};
    auto_buf struct buf b = {0};
    struct err e;

    node_set(pools, "preset", node_new_map());
    buf_init(&b, 1 << 16);
    if (volume_pool_create(&m, "new", p, &e) < 0)
        return mem_strdup(e.msg);
    json_format(&b, node_get(pools, "new"), 0);
    return buf_take(&b);
}

static void a_pool_may_have_a_list_of_policies(void **state)
{
    char *texts[] = {(char[]){"4+2,c=5"}, (char[]){"1+1"}, NULL};
    char *copies[] = {(char[]){"1+2 x=1"}, NULL}, *wrong[] = {(char[]){"2"}, NULL};
    const struct strv cut = {.items = texts, .count = 2}, whole = {.items = copies, .count = 1};
    const struct strv bad = {.items = wrong, .count = 1};
    const struct {
        struct volume_pool pool;
        const char *want;
    } table[] = {
        {{.policies = &cut, .compression = "zstd", .compression_mode = "force"},
         "{\"kind\":\"erasure\",\"policies\":[\"4+2 c=5\",\"1+1\"],\"compression\":\"zstd\","
         "\"compression_mode\":\"force\",\"application\":\"rbd\"}"},
        {{.policies = &whole, .data_pool = "preset"},
         "{\"policies\":[\"1+2 x=1\"],\"data_pool\":\"preset\",\"application\":\"rbd\"}"},
        {{.policies = &cut, .data_pool = "preset"},
         "pool new: an erasure-coded pool has no data pool"},
        {{.policies = &cut, .size = 2}, "either policies, or size, min-size, k and m"},
        {{.policies = &bad}, "\"2\" is not a policy; write it like 4+2, or \"4+2 c=5 x=1\""},
        {{.compression_mode = "force"}, "--compression-mode needs --compression"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        auto_free char *got = made(&table[i].pool);

        assert_string_equal(got, table[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_is_read_and_written_or_says_why_not),
        cmocka_unit_test(a_pool_may_have_a_list_of_policies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
