/* SPDX-License-Identifier: MIT */
// fake: text
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"
#include "plan/address.h"
#include "plan/object.h"
#include "fake/text.h"

static const char UUID[] = "11111111-2222-8333-8444-555555555555";

/* A snapshot with these lists; an empty text is an empty list. */
static struct observed *observed_of(const char *containers, const char *networks,
                                    const char *volumes)
{
    struct observed *w = mem_alloc(sizeof(*w));

    w->containers = *containers ? from_json(containers) : node_new_list();
    w->others = node_new_list();
    w->networks = *networks ? from_json(networks) : node_new_list();
    w->volumes = *volumes ? from_json(volumes) : node_new_list();
    return w;
}

static struct env_key key_of(void)
{
    struct env_key k = {.bytes = {0, 7}};

    memcpy(k.uuid, UUID, sizeof(UUID));
    return k;
}

static void a_subnet_that_is_no_subnet_is_refused(void **state)
{
    static const char *const BAD[] = {"",          "10.0.0.0", "10.0.0.0/",  "10.0.0.0/33",
                                      "10.0.0/24", "x/8",      "10.0.0.0/8x"};
    struct cidr c;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
        assert_int_equal(cidr_parse(&c, BAD[i], &e), -1);
    assert_int_equal(cidr_parse(&c, "10.1.2.3/24", &e), 0);
    assert_int_equal(c.base, 0x0a010200);
}

static void overlap_is_seen_from_both_sides(void **state)
{
    struct cidr a, b, other;
    struct err e;

    (void)state;
    cidr_parse(&a, "10.1.0.0/16", &e);
    cidr_parse(&b, "10.1.2.0/24", &e);
    cidr_parse(&other, "10.2.0.0/24", &e);
    assert_true(cidr_overlaps(&a, &b));
    assert_true(cidr_overlaps(&b, &a));
    assert_false(cidr_overlaps(&a, &other));
}

static void the_first_free_subnet_skips_networks_and_routes(void **state)
{
    auto_observed struct observed *w = observed_of(
        "", "[{\"Name\":\"x\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.64.7.0/24\"}]}}]", "");
    struct spec s = {.name = mem_strdup("demo")};
    struct env_key k = key_of();
    auto_free char *subnet = NULL;
    struct err e;

    (void)state;
    strv_add(&w->routes, "10.64.8.0/24");
    assert_int_equal(address_subnet(&subnet, w, &s, &k, &e), 0);
    assert_string_equal(subnet, "10.64.9.0/24");
    free(s.name);
}

static void the_halves_of_a_default_route_take_nothing(void **state)
{
    auto_observed struct observed *w = observed_of("", "", "");
    struct spec s = {.name = mem_strdup("demo")};
    struct env_key k = key_of();
    auto_free char *subnet = NULL, *none = NULL;
    struct err e;

    (void)state;
    strv_add(&w->routes, "0.0.0.0/1");
    strv_add(&w->routes, "128.0.0.0/1");
    assert_int_equal(address_subnet(&subnet, w, &s, &k, &e), 0);
    assert_string_equal(subnet, "10.64.7.0/24");
    strv_add(&w->routes, "10.0.0.0/8");
    assert_int_equal(address_subnet(&none, w, &s, &k, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    free(s.name);
}

static void a_wanted_subnet_that_is_taken_says_by_whom(void **state)
{
    auto_observed struct observed *w = observed_of(
        "", "[{\"Name\":\"bridge\",\"IPAM\":{\"Config\":[{\"Subnet\":\"172.17.0.0/16\"}]}}]", "");
    struct spec s = {.name = mem_strdup("demo"), .subnet = mem_strdup("172.17.5.0/24")};
    struct env_key k = key_of();
    auto_free char *subnet = NULL;
    struct err e;

    (void)state;
    assert_int_equal(address_subnet(&subnet, w, &s, &k, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(e.msg, "taken by bridge"));
    free(s.name);
    free(s.subnet);
}

static void a_volume_keeps_subnet_and_address_of_its_instance(void **state)
{
    auto_observed struct observed *w =
        observed_of("", "",
                    "[{\"Name\":\"demo-ceph-mon-1-data\",\"Labels\":{\"slipway.env\":"
                    "\"11111111-2222-8333-8444-555555555555\",\"slipway.instance\":\"ceph-mon-1\","
                    "\"slipway.address\":\"10.70.1.9\",\"slipway.subnet\":\"10.70.1.0/24\"}}]");
    struct spec s = {.name = mem_strdup("demo")};
    struct env_key k = key_of();
    auto_strv struct strv names = {0}, out = {0};
    auto_free char *subnet = NULL;
    struct address_request r = {.env = "demo", .uuid = UUID, .instances = &names};
    struct err e;

    (void)state;
    assert_int_equal(address_subnet(&subnet, w, &s, &k, &e), 0);
    assert_string_equal(subnet, "10.70.1.0/24");
    strv_add(&names, "etcd-1");
    strv_add(&names, "ceph-mon-1");
    strv_add(&names, "ceph-mon-2");
    r.subnet = subnet;
    assert_int_equal(address_assign(&out, w, &r, &e), 0);
    assert_string_equal(out.items[0], "10.70.1.2");
    assert_string_equal(out.items[1], "10.70.1.9");
    assert_string_equal(out.items[2], "10.70.1.3");
    free(s.name);
}

static void an_address_that_a_container_holds_is_given_to_nobody_else(void **state)
{
    auto_observed struct observed *w = observed_of(
        "[{\"Id\":\"a\",\"Names\":[\"/demo-x-2\"],\"Labels\":{\"slipway.instance\":\"x-2\","
        "\"slipway.address\":\"10.70.1.2\"}}]",
        "", "");
    auto_strv struct strv names = {0}, out = {0};
    struct address_request r = {
        .env = "demo", .uuid = UUID, .subnet = "10.70.1.0/24", .instances = &names};
    struct err e;

    (void)state;
    strv_add(&names, "x-1");
    assert_int_equal(address_assign(&out, w, &r, &e), 0);
    assert_string_equal(out.items[0], "10.70.1.3");
}

static void of_two_networks_of_one_name_the_used_one_counts_else_the_older(void **state)
{
    static const char NETWORKS[] =
        "[{\"Name\":\"t-net\",\"Id\":\"young\",\"Created\":\"2026-01-02T00:00:00Z\","
        "\"IPAM\":{\"Config\":[{\"Subnet\":\"10.99.9.0/24\"}]}},"
        "{\"Name\":\"t-net\",\"Id\":\"old\",\"Created\":\"2026-01-01T00:00:00Z\","
        "\"IPAM\":{\"Config\":[{\"Subnet\":\"10.99.8.0/24\"}]}}]";
    static const char CONTAINERS[] = "[{\"Labels\":{\"" LABEL_ADDRESS "\":\"10.99.9.5\"}}]";
    auto_observed struct observed *unused = observed_of("", NETWORKS, "");
    auto_observed struct observed *used = observed_of(CONTAINERS, NETWORKS, "");

    (void)state;
    assert_string_equal(node_get_text(address_network(unused, "t-net", UUID), "Id"), "old");
    assert_string_equal(node_get_text(address_network(used, "t-net", UUID), "Id"), "young");
    assert_null(address_network(used, "other-net", UUID));
}

static void data_is_bound_to_the_subnet_it_was_made_in(void **state)
{
    auto_observed struct observed *w = observed_of(
        "", "",
        "[{\"Name\":\"demo-etcd-1-data\",\"Labels\":{\"" LABEL_ENV
        "\":\"11111111-2222-8333-8444-555555555555\",\"" LABEL_SUBNET "\":\"10.99.9.0/24\"}}]");
    struct spec s = {.name = mem_strdup("demo"), .subnet = mem_strdup("10.99.8.0/24")};
    struct env_key k = key_of();
    auto_free char *subnet = NULL;
    struct err e;

    (void)state;
    assert_int_equal(address_subnet(&subnet, w, &s, &k, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(e.msg, "bound to the subnet 10.99.9.0/24 (demo-etcd-1-data"));
    assert_non_null(strstr(e.msg, "`network: {subnet: 10.99.9.0/24}`"));
    free(s.subnet);
    s.subnet = mem_strdup("10.99.9.7/24"); /* the same one */
    assert_int_equal(address_subnet(&subnet, w, &s, &k, &e), 0);
    free(s.subnet);
    free(s.name);
}

static void guests_of_the_network_are_at_its_end(void **state)
{
    static const char *const ROWS[][2] = {{"10.99.9.0/24", "10.99.9.224/27"},
                                          {"10.64.16.0/20", "10.64.30.0/23"},
                                          {"10.99.9.64/26", "10.99.9.120/29"},
                                          {"10.99.9.64/27", NULL}};
    struct cidr c;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        auto_free char *guests = NULL;

        assert_int_equal(cidr_parse(&c, ROWS[i][0], &e), 0);
        guests = cidr_guests(&c);
        assert_int_equal(guests != NULL, ROWS[i][1] != NULL);
        if (guests)
            assert_string_equal(guests, ROWS[i][1]);
    }
}

static void a_container_that_lost_its_place_is_seen(void **state)
{
#define PLACED(networks)                                                                           \
    "[{\"Labels\":{\"" LABEL_ENV "\":\"11111111-2222-8333-8444-555555555555\",\"" LABEL_ADDRESS    \
    "\":\"10.99.9.5\"},\"Networks\":" networks "}]"
    static const char *const ROWS[][2] = {
        {PLACED("{\"t-net\":{\"NetworkID\":\"n\",\"IPAddress\":\"10.99.9.5\"}}"), NULL},
        {PLACED("{\"t-net\":{\"NetworkID\":\"n\",\"IPAddress\":\"\"}}"), NULL}, /* it is stopped */
        {PLACED("{\"t-net\":{\"NetworkID\":\"\",\"IPAddress\":\"\"}}"), NULL},  /* never started */
        {PLACED("{}"), "is not connected to the network t-net"},
        {PLACED("{\"t-net\":{\"NetworkID\":\"n\",\"IPAddress\":\"10.99.9.7\"}}"),
         "has the address 10.99.9.7 instead of 10.99.9.5"},
        {PLACED("{\"t-net\":{\"NetworkID\":\"old\",\"IPAddress\":\"\"}}"),
         "was connected to a network t-net that is gone"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        auto_observed struct observed *w =
            observed_of(ROWS[i][0], "[{\"Name\":\"t-net\",\"Id\":\"n\"}]", "");
        auto_free char *drift = address_drift(w, w->containers->items[0], "t-net");

        assert_int_equal(drift != NULL, ROWS[i][1] != NULL);
        if (drift)
            assert_string_equal(drift, ROWS[i][1]);
    }
}

static void a_full_subnet_is_an_error(void **state)
{
    auto_observed struct observed *w = observed_of("", "", "");
    auto_strv struct strv names = {0}, out = {0};
    struct address_request r = {
        .env = "demo", .uuid = UUID, .subnet = "10.70.1.0/30", .instances = &names};
    struct err e;

    (void)state;
    strv_add(&names, "x-1");
    strv_add(&names, "x-2");
    assert_int_equal(address_assign(&out, w, &r, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subnet_that_is_no_subnet_is_refused),
        cmocka_unit_test(overlap_is_seen_from_both_sides),
        cmocka_unit_test(the_first_free_subnet_skips_networks_and_routes),
        cmocka_unit_test(the_halves_of_a_default_route_take_nothing),
        cmocka_unit_test(a_wanted_subnet_that_is_taken_says_by_whom),
        cmocka_unit_test(a_volume_keeps_subnet_and_address_of_its_instance),
        cmocka_unit_test(an_address_that_a_container_holds_is_given_to_nobody_else),
        cmocka_unit_test(of_two_networks_of_one_name_the_used_one_counts_else_the_older),
        cmocka_unit_test(data_is_bound_to_the_subnet_it_was_made_in),
        cmocka_unit_test(guests_of_the_network_are_at_its_end),
        cmocka_unit_test(a_container_that_lost_its_place_is_seen),
        cmocka_unit_test(a_full_subnet_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
