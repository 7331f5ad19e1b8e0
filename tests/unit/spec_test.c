/* SPDX-License-Identifier: MIT */
// fake: text
#include "model/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "fake/text.h"

static int load_catalog(void **state)
{
    static const char *const dirs[] = {"tests/data/catalog"};
    struct problems p;
    struct catalog *c;

    problems_init(&p, "catalog");
    if (catalog_load(&c, dirs, 1, &p) < 0)
        return -1;
    *state = c;
    return 0;
}

static int free_catalog(void **state)
{
    catalog_free(*state);
    return 0;
}

static struct spec *decode(const struct catalog *c, const char *text, struct problems *p)
{
    struct err e = {0};
    auto_node struct node *root = NULL;

    if (yaml_parse(&root, "env", text, strlen(text), &e) < 0)
        fail_msg("%s", e.msg);
    problems_init(p, "env");
    return spec_decode(root, c, p);
}

static struct spec *good(const struct catalog *c, const char *text)
{
    struct problems p;
    struct spec *s = decode(c, text, &p);

    if (!s)
        fail_msg("%s", p.lines.items[0]);
    return s;
}

static void refuse(const struct catalog *c, const char *text, const char *expected)
{
    struct problems p;
    auto_strv struct strv lines = {0};

    assert_null(decode(c, text, &p));
    strv_split(&lines, expected, "\n");
    for (size_t i = 0; i < lines.count && i < p.lines.count; i++)
        assert_string_equal(p.lines.items[i], lines.items[i]);
    assert_int_equal(p.lines.count, lines.count);
    problems_clear(&p);
}

static const char small[] = "name: demo\ncomponents:\n  etcd:\n";

static const char demo[] =
    "slipway: 1\nname: demo\nprofile: quick\nnetwork: {subnet: 10.90.7.0/24}\n"
    "mirror: http://deb.debian.org/debian\n"
    "components:\n"
    "  ceph-osd: {volumes: 2}\n"
    "  ceph-mgr: {config: {site: here}}\n"
    "  ceph-mon:\n"
    "    instances: 3\n"
    "    config: {allow_delete: true}\n"
    "    memory: 512MiB\n"
    "    overrides:\n"
    "      ceph-mon-2:\n"
    "        config: {memory_target: 2GiB}\n"
    "        ports: {metrics: \"0.0.0.0:9283\", dashboard: 8443}\n"
    "        volumes: [my-volume]\n"
    "        memory: 1GiB\n"
    "      ceph-mon-1: {ports: {dashboard: \"[::1]:8443\", metrics: 0}}\n"
    "  etcd: {config: {heartbeat: 1s, quota: 4294967296}}\n";

static void three_lines_are_an_environment(void **state)
{
    struct spec *s = good(*state, small);

    assert_string_equal(s->profile, "production");
    assert_string_equal(s->base_image, "debian:trixie-slim");
    assert_null(s->subnet);
    assert_int_equal(s->component_count, 1);
    const struct spec_instance *i = spec_instance(s, "etcd-1");
    assert_string_equal(i->volumes.items[0], "demo-etcd-1-data");
    assert_int_equal(i->memory_bytes, 0);
    assert_string_equal(spec_value(s, i, "quota")->text, "2147483648");
    assert_null(spec_value(s, i, "nothing"));
    spec_free(s);
}

static void components_stand_behind_what_they_require(void **state)
{
    struct spec *s = good(*state, demo);
    static const char *const order[] = {"etcd", "ceph-mon", "ceph-mgr", "ceph-osd"};

    assert_int_equal(s->component_count, 4);
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        assert_string_equal(s->components[i].manifest->name, order[i]);
    spec_free(s);
}

static void values_come_from_override_document_profile_and_default(void **state)
{
    struct spec *s = good(*state, demo);
    const struct spec_instance *one = spec_instance(s, "ceph-mon-1");
    const struct spec_instance *two = spec_instance(s, "ceph-mon-2");

    assert_string_equal(spec_value(s, one, "memory_target")->text, "536870912");
    assert_string_equal(spec_value(s, two, "memory_target")->text, "2147483648");
    assert_string_equal(spec_value(s, one, "allow_delete")->text, "true");
    assert_string_equal(node_find(spec_value(s, one, "settings"), "tick")->text, "1");
    assert_null(one->overrides);
    const struct spec_component *etcd = spec_component(s, "etcd");
    assert_string_equal(node_get_text(etcd->config, "heartbeat"), "1000");
    assert_int_equal(etcd->given->count, 2);
    assert_int_equal(spec_component(s, "ceph-mon")->given->count, 1);
    spec_free(s);
}

static void instances_have_volumes_ports_and_memory(void **state)
{
    struct spec *s = good(*state, demo);
    const struct spec_instance *one = spec_instance(s, "ceph-mon-1");
    const struct spec_instance *two = spec_instance(s, "ceph-mon-2");
    const struct spec_instance *osd = spec_instance(s, "ceph-osd-3");

    assert_int_equal(two->ordinal, 2);
    assert_int_equal(one->memory_bytes, 512 << 20);
    assert_int_equal(two->memory_bytes, 1 << 30);
    assert_string_equal(two->volumes.items[0], "my-volume");
    assert_int_equal(osd->volumes.count, 2);
    assert_string_equal(osd->volumes.items[0], "demo-ceph-osd-3-data");
    assert_string_equal(osd->volumes.items[1], "demo-ceph-osd-3-data2");
    assert_int_equal(spec_instance(s, "ceph-mgr-1")->volumes.count, 0);
    assert_int_equal(two->port_count, 2);
    assert_string_equal(two->ports[0].address, "0.0.0.0");
    assert_int_equal(two->ports[0].host_port, 9283);
    assert_int_equal(two->ports[0].port, 9283);
    assert_string_equal(two->ports[1].address, "127.0.0.1");
    assert_string_equal(one->ports[0].address, "::1");
    assert_int_equal(one->ports[1].host_port, 0);
    assert_null(spec_instance(s, "ceph-mon-4"));
    spec_free(s);
}

static void sshd_runs_where_the_environment_or_its_component_says_so(void **state)
{
    struct spec *s = good(*state, "name: demo\nssh: true\ncomponents:\n  etcd: {ssh: false}\n"
                                  "  ceph-mon: {instances: 1}\n");

    assert_false(spec_instance(s, "etcd-1")->ssh);
    assert_true(spec_instance(s, "ceph-mon-1")->ssh);
    assert_string_equal(node_get_text(s->document, "ssh"), "true");
    spec_free(s);
}

static void the_normalised_document_is_a_fixed_point(void **state)
{
    static const char *const texts[] = {small, demo};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct spec *s = good(*state, texts[i]);
        auto_free char *first = json_text(s->document);
        struct err e = {0};
        auto_node struct node *root = NULL;

        assert_int_equal(json_parse(&root, "etcd", first, strlen(first), &e), 0);
        struct problems p;
        problems_init(&p, "etcd");
        struct spec *again = spec_decode(root, *state, &p);
        if (!again)
            fail_msg("%s", p.lines.items[0]);
        auto_free char *second = json_text(again->document);
        assert_string_equal(second, first);
        auto_buf struct buf yaml;
        buf_init(&yaml, 1 << 20);
        yaml_format(&yaml, s->document);
        struct spec *third = good(*state, buf_str(&yaml));
        assert_true(node_equal(third->document, s->document));
        if (i == 0)
            assert_string_equal(first,
                                "{\"slipway\":1,\"name\":\"demo\",\"profile\":\"production\","
                                "\"base_image\":\"debian:trixie-slim\",\"components\":{"
                                "\"etcd\":{\"instances\":1}}}");
        spec_free(s);
        spec_free(again);
        spec_free(third);
    }
}

static void every_problem_is_told_with_its_place(void **state)
{
    refuse(
        *state,
        "nam: demo\nprofile: quik\nnetwork: {subnet: 8.8.8.0/24}\nbase_image: \"a b\"\n"
        "mirror: ftp://x\n"
        "components:\n"
        "  cepf-osd: {}\n"
        "  ceph-mgr: {instances: 3, memory: 1 MB}\n"
        "  ceph-osd:\n"
        "    config: {sise: 1GiB, size: 1 GB}\n"
        "    overrides:\n"
        "      ceph-osd-4: {}\n"
        "      ceph-osd-1: {volumes: [v1], ports: {x: 1}}\n"
        "      ceph-osd-2: {volumes: [v1, ;]}\n",
        "env:1:1: unknown key \"nam\" (did you mean name?); allowed: slipway, name, profile, "
        "base_image, mirror, ssh, network, components\n"
        "env:1:1: the key \"name\" is missing: name of the environment\n"
        "env:2:10: profile: no component knows \"quik\" (did you mean quick?); known: "
        "production, quick\n"
        "env:3:19: subnet: 8.8.8.0/24 is not private; allowed are ranges in 10.0.0.0/8, "
        "172.16.0.0/12 and 192.168.0.0/16\n"
        "env:4:13: base_image: expected the name of an image like debian:trixie-slim, not \"a b\"\n"
        "env:5:9: mirror: expected an address like http://deb.debian.org/debian, not \"ftp://x\"\n"
        "env:6:1: components: etcd is missing, which holds the configuration: add \"etcd: "
        "{instances: 1}\"\n"
        "env:7:3: unknown component \"cepf-osd\" (did you mean ceph-osd?); allowed: ceph-mgr, "
        "ceph-mon, ceph-osd, etcd\n"
        "env:8:3: ceph-mgr needs ceph-mon, which is missing: add \"ceph-mon: {instances: 1}\" "
        "under components\n"
        "env:8:3: ceph-mgr: the configuration key \"site\" is required: name of the site\n"
        "env:8:25: instances: 3: ceph-mgr may have 1 to 2\n"
        "env:8:36: memory: expected a size like 512MiB, 1.5G or plain bytes, not \"1 MB\"\n"
        "env:9:3: ceph-osd needs ceph-mon, which is missing: add \"ceph-mon: {instances: 1}\" "
        "under components\n"
        "env:10:14: unknown configuration key of ceph-osd \"sise\" (did you mean size?); "
        "allowed: size, cache, idle, busy\n"
        "env:10:32: size: expected a size like 512MiB, 1.5G or plain bytes, not \"1 GB\"\n"
        "env:12:7: overrides: \"ceph-osd-4\" is not an instance; with instances: 3 they are "
        "ceph-osd-1 "
        "to ceph-osd-3\n"
        "env:13:43: unknown port of ceph-osd \"x\"; allowed: none\n"
        "env:14:29: volumes: v1 is used by ceph-osd-1 and by ceph-osd-2\n"
        "env:14:34: item: expected 2 to 200 letters, digits, . _ and -, a letter or digit first, "
        "not \";\"");
}

static void refused(const struct catalog *c, const char *component, const char *expected)
{
    auto_free char *text = mem_printf("name: demo\ncomponents:\n  etcd: {}\n  %s\n", component);

    refuse(c, text, expected);
}

static void components_are_checked_against_their_manifests(void **state)
{
    struct catalog *c = *state;

    refused(c, "ceph-mon: {instances: 2}",
            "env:4:25: instances: 2: ceph-mon may have one of 1, 3, 5");
    refused(c, "ceph-mon: {instances: 0}", "env:4:25: instances: 0 is not between 1 and 1000");
    refused(c, "ceph-mon: {instances: x}",
            "env:4:25: instances: expected a whole number, not \"x\"");
    refused(c, "ceph-mon: {config: []}", "env:4:22: config: expected a map, not a list");
    refused(c, "ceph-mon: 3", "env:4:13: ceph-mon: expected a map, not \"3\"");
    refused(c, "ceph-mon: {memory: 1MiB}",
            "env:4:22: memory: 1MiB is not between 6MiB and 1024TiB");
    refused(c, "ceph-mon: {volumes: 2}", "env:4:23: volumes: 2; ceph-mon takes 1 to 1");
    refused(c, "ceph-mon: {overrides: [{ceph-mon-1: {}}]}",
            "env:4:25: overrides: expected a map, not a list");
    refused(c, "ceph-mon: {overrides: {ceph-mon-2: {}}}",
            "env:4:26: overrides: \"ceph-mon-2\" is not an instance; ceph-mon-1 is the one");
    refused(c, "ceph-mon: {overrides: {ceph-mon-1: {ports: {dash: 1, metrics: \"1.2.3:4\"}}}}",
            "env:4:47: unknown port of ceph-mon \"dash\"; allowed: dashboard, metrics\n"
            "env:4:65: metrics: expected a port of the host like 8443, or with an address like "
            "\"0.0.0.0:8443\"");
    refused(c, "ceph-mon: {overrides: {ceph-mon-1: {volumes: [v1, v2]}}}",
            "env:4:48: volumes: 2 names; ceph-mon takes 1 to 1");
    refused(c, "ceph-mon: {overrides: {ceph-mon-1: {config: {memory_target: 1MiB}}}}",
            "env:4:63: memory_target: 1MiB must be at least 64MiB");
}

static void nothing_is_used_twice(void **state)
{
    struct catalog *c = *state;

    refused(c,
            "ceph-mon: {instances: 3, overrides: {ceph-mon-1: {volumes: [demo-ceph-mon-2-data]},\n"
            "    ceph-mon-3: {volumes: [demo-etcd-1-data]}}}",
            "env:4:62: volumes: demo-ceph-mon-2-data is used by ceph-mon-1 and by ceph-mon-2\n"
            "env:5:27: volumes: demo-etcd-1-data is used by ceph-mon-3 and by etcd-1");
    refused(c,
            "ceph-mon: {instances: 3, overrides: {ceph-mon-1: {ports: {dashboard: 8443}},\n"
            "    ceph-mon-2: {ports: {metrics: \"0.0.0.0:8443\"}},\n"
            "    ceph-mon-3: {ports: {dashboard: 9000, metrics: \"127.0.0.2:9000\"}}}}",
            "env:5:25: ports: 8443 of the host is used by ceph-mon-1 and by ceph-mon-2");
}

static void subnets_are_private_aligned_and_large_enough(void **state)
{
    static const char *const rows[][2] = {
        {"10.1.2.0", "expected an IPv4 range like 10.90.7.0/24, not \"10.1.2.0\""},
        {"10.1.2.0/x4", "expected an IPv4 range like 10.90.7.0/24, not \"10.1.2.0/x4\""},
        {"10.1.2/24", "expected an IPv4 range like 10.90.7.0/24, not \"10.1.2/24\""},
        {"fd00::/64", "expected an IPv4 range like 10.90.7.0/24, not \"fd00::/64\""},
        {"10.1.2.3/24", "10.1.2.3/24 has bits set behind the first 24"},
        {"10.0.0.0/15", "/15 is not between /16 and /28"},
        {"10.1.2.0/29", "/29 is not between /16 and /28"},
        {"172.32.0.0/16", "172.32.0.0/16 is not private; allowed are ranges in 10.0.0.0/8, "
                          "172.16.0.0/12 and 192.168.0.0/16"},
        {"192.168.1.0/28", "192.168.1.0/28 has addresses for 13 instances; there are 19"},
        {"172.31.255.240/28", "172.31.255.240/28 has addresses for 13 instances; there are 19"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *text = mem_printf("name: demo\nnetwork: {subnet: \"%s\"}\ncomponents:\n"
                                          "  etcd: {instances: 5}\n  ceph-mon: {}\n"
                                          "  ceph-osd: {instances: 13}\n",
                                          rows[i][0]);
        auto_free char *line = mem_printf("env:2:19: subnet: %s", rows[i][1]);

        refuse(*state, text, line);
    }
}

static void documents_that_are_no_map_are_refused(void **state)
{
    refuse(*state, "[]", "env:1:1: item: expected a map, not a list");
    refuse(*state, "name: [x]\nprofile: []\ncomponents: x",
           "env:1:7: name: expected a text, not a list\n"
           "env:2:10: profile: expected a text, not a list\n"
           "env:3:1: components: etcd is missing, which holds the configuration: add \"etcd: "
           "{instances: 1}\"\n"
           "env:3:13: components: expected a map, not \"x\"");
}

static void the_table_of_keys_is_the_one_in_the_repository(void **state)
{
    (void)state;
    auto_buf struct buf b;
    buf_init(&b, 1 << 20);
    spec_print_format(&b);
    assert_is_printed("installer/model/KEYS.md", "# Keys of the environment file\n\n", &b);
}

static void names_are_short_lower_case_words(void **state)
{
    (void)state;
    static const char *const valid[] = {"a", "demo", "a-1",
                                        "a123456789a123456789a123456789a123456789"};
    static const char *const invalid[] = {
        "",    "A",   "1a",
        "a-",  "-a",  "a_b",
        "a.b", "a/b", "a123456789a123456789a123456789a1234567890"};
    for (size_t i = 0; i < ARRAY_LEN(valid); i++)
        assert_true(spec_name_is_valid(valid[i]));
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++)
        assert_false(spec_name_is_valid(invalid[i]));
}

/* Enough of draft-07 to see that the schema says of the demo what the decoder says. */
static bool fits(const struct node *schema, const struct node *value)
{
    const struct node *type = node_get(schema, "type"), *child, *word;
    static const char *const kinds[] = {"null", "boolean", "number", "string", "array", "object"};
    bool good = !type;
    auto_strv struct strv types = {0};

    if (type && type->text)
        strv_add(&types, type->text);
    node_for_each (word, type) {
        strv_add(&types, word->text);
    }
    for (size_t i = 0; i < types.count; i++)
        good = good || strcmp(kinds[value->kind], types.items[i]) == 0 ||
               (strcmp(types.items[i], "integer") == 0 && value->kind == NODE_KIND_NUMBER);
    const struct node *values = node_get(schema, "enum");
    bool listed = !values;
    node_for_each (word, values) {
        listed = listed || strcmp(word->text, value->text) == 0;
    }
    const struct node *rest = node_get(schema, "additionalProperties");
    const struct node *required = node_get(schema, "required");
    node_for_each (word, required) {
        good = good && node_get(value, word->text);
    }
    for (size_t i = 0; value->kind == NODE_KIND_MAP && i < value->count; i++) {
        child = value->items[i];
        const struct node *own = node_get(node_get(schema, "properties"), child->key);
        if (own || (rest && rest->kind == NODE_KIND_MAP))
            good = good && fits(own ? own : rest, child);
        else
            good = good && !rest;
    }
    return good && listed;
}

static void the_json_schema_accepts_what_the_decoder_accepts(void **state)
{
    static const char *const bad[] = {"name: demo", "name: x\ncomponents: {ceph-mon: {}}",
                                      "name: x\ncomponents: {etcd: {instances: 2}}",
                                      "name: x\ncomponents: {etcd: {config: {quta: 1}}}",
                                      "nam: x\nname: x\ncomponents: {etcd: {}}"};
    auto_node struct node *schema = spec_schema(*state);
    struct err e = {0};
    auto_node struct node *first = NULL, *second = NULL;

    assert_int_equal(yaml_parse(&first, "s", small, strlen(small), &e), 0);
    assert_int_equal(yaml_parse(&second, "d", demo, strlen(demo), &e), 0);
    assert_true(fits(schema, first));
    assert_true(fits(schema, second));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        auto_node struct node *n = NULL;

        assert_int_equal(yaml_parse(&n, "b", bad[i], strlen(bad[i]), &e), 0);
        assert_false(fits(schema, n));
    }
    assert_string_equal(
        node_find(schema, "properties.components.properties.ceph-mon.properties.config.properties."
                          "memory_target.default")
            ->text,
        "1GiB");
}

static void an_environment_has_one_component_of_the_role_storage(void **state)
{
    struct catalog *c = *state;
    const char text[] = "name: t\ncomponents:\n  etcd: {}\n  ceph-mon: {}\n  ceph-mgr: {config: "
                        "{site: x}}\n  ceph-osd: {}\n";

    spec_free(good(c, text));
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->items[i]->name, "ceph-mgr") == 0 ||
            strcmp(c->items[i]->name, "ceph-osd") == 0)
            c->items[i]->role = MANIFEST_ROLE_STORAGE;
    refuse(c, text,
           "env:6:3: components: ceph-mgr and ceph-osd both have the role storage; an environment "
           "has one such component");
    for (size_t i = 0; i < c->count; i++)
        c->items[i]->role = MANIFEST_ROLE_NONE;
}

#define WITH_OSD "name: demo\ncomponents:\n  etcd:\n  ceph-mon:\n  ceph-osd:\n"

static void a_value_stays_below_what_its_key_says(void **state)
{
    spec_free(good(*state, WITH_OSD "    config: {cache: 64GiB}\n"));
    spec_free(good(*state, WITH_OSD "    memory: 2GiB\n    config: {cache: 1GiB}\n"));
    refuse(*state, WITH_OSD "    memory: 1GiB\n    config: {cache: 1GiB}\n",
           "env:7:21: ceph-osd-1: cache is 1GiB, and must be less than its memory, 1GiB");
    refuse(*state,
           WITH_OSD "    config: {cache: 1GiB}\n    overrides: {ceph-osd-2: {memory: 512MiB}}\n",
           "env:6:21: ceph-osd-2: cache is 1GiB, and must be less than its memory, 512MiB");
    refuse(*state, WITH_OSD "    config: {busy: 500ms}\n",
           "env:6:5: ceph-osd-1: idle is 1s, and must be less than its busy, 500ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_lines_are_an_environment),
        cmocka_unit_test(components_stand_behind_what_they_require),
        cmocka_unit_test(values_come_from_override_document_profile_and_default),
        cmocka_unit_test(instances_have_volumes_ports_and_memory),
        cmocka_unit_test(sshd_runs_where_the_environment_or_its_component_says_so),
        cmocka_unit_test(the_normalised_document_is_a_fixed_point),
        cmocka_unit_test(every_problem_is_told_with_its_place),
        cmocka_unit_test(components_are_checked_against_their_manifests),
        cmocka_unit_test(nothing_is_used_twice),
        cmocka_unit_test(subnets_are_private_aligned_and_large_enough),
        cmocka_unit_test(documents_that_are_no_map_are_refused),
        cmocka_unit_test(a_value_stays_below_what_its_key_says),
        cmocka_unit_test(the_table_of_keys_is_the_one_in_the_repository),
        cmocka_unit_test(names_are_short_lower_case_words),
        cmocka_unit_test(the_json_schema_accepts_what_the_decoder_accepts),
        cmocka_unit_test(an_environment_has_one_component_of_the_role_storage),
    };

    return cmocka_run_group_tests(tests, load_catalog, free_catalog);
}
