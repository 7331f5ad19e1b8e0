/* SPDX-License-Identifier: MIT */
// fake: text
#include "model/manifest.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"
#include "conf/schema.h"
#include "conf/yaml.h"
#include "fake/text.h"
#include "model/manifest_table.h"

static struct manifest *decode(const char *text, struct problems *p)
{
    struct err e = {0};
    auto_node struct node *root = NULL;

    if (yaml_parse(&root, "m", text, strlen(text), &e) < 0)
        fail_msg("%s", e.msg);
    problems_init(p, "m");
    return manifest_decode(root, NULL, p);
}

static struct manifest *good(const char *text)
{
    struct problems p;
    struct manifest *m = decode(text, &p);

    if (!m)
        fail_msg("%s", p.lines.items[0]);
    problems_clear(&p);
    return m;
}

static void refuse(const char *text, const char *expected)
{
    struct problems p;

    assert_null(decode(text, &p));
    auto_strv struct strv lines = {0};
    strv_split(&lines, expected, "\n");
    for (size_t i = 0; i < lines.count && i < p.lines.count; i++)
        assert_string_equal(p.lines.items[i], lines.items[i]);
    assert_int_equal(p.lines.count, lines.count);
    problems_clear(&p);
}

static void a_manifest_of_two_lines_gets_every_default(void **state)
{
    (void)state;
    struct manifest *m = good("name: a\nsummary: s\n");
    assert_string_equal(m->image, "base");
    assert_int_equal(m->instances_default, 1);
    assert_int_equal(m->instances_max, 1);
    assert_null(m->data_root);
    assert_int_equal(m->data_volumes, 0);
    assert_null(m->run.command);
    assert_string_equal(m->run.restart, "always");
    assert_int_equal(m->ready_deadline_ms, 120000);
    assert_int_equal(m->health_every_ms, 10000);
    assert_int_equal(m->stop_signal, SIGTERM);
    assert_int_equal(m->reload_signal, SIGHUP);
    assert_string_equal(m->update, "one_by_one");
    assert_false(m->early);
    manifest_free(m);
}

static const char full[] =
    "name: osd\nsummary: stores\nimage: ceph\nrequires: [mon]\nstart: early\n"
    "instances: {default: 3, min: 1, max: 5, allowed: [1, 3, 5]}\n"
    "data: {root: /data, volumes: 1, max_volumes: 3}\n"
    "run: {command: [osd, -i, \"${ordinal}\", 5], user: ceph, capabilities: [SYS_ADMIN],\n"
    "      devices: [/dev/fuse], restart: on-failure, read_only: true, host_dir: /e, env: {A_B: "
    "1}}\n"
    "ssh: true\n"
    "config:\n"
    "  memory: {type: size, default: 1GiB, apply: live, help: h, min: 64MiB}\n"
    "  level: {type: enum, values: [debug, info], default: info, help: h}\n"
    "  tags: {type: list, max: 2, default: [], help: h}\n"
    "  every: {type: duration, required: true, max: 1h, apply: reload, help: h}\n"
    "  ratio: {type: float, default: 0.5, min: 0, max: 1, help: h}\n"
    "profiles: {quick: {memory: 512MiB}}\n"
    "shared: {fsid: {generate: uuid}, mons: {instances: mon}, mon_count: {count: mon}}\n"
    "secrets: {key: {generate: ceph-key}, admin: {generate: tls, scope: environment}}\n"
    "templates: {a.conf: {path: /run/a, mode: \"0600\", owner: ceph}, b: {path: /run/b, format: "
    "args}}\n"
    "ports: {web: {port: 8443, help: page}}\n"
    "health: {every: 5s, deadline: 3s}\nstop: {signal: INT, grace: 1min}\nupdate: together\n";

static void every_key_reaches_its_field(void **state)
{
    (void)state;
    struct manifest *m = good(full);
    assert_true(m->early);
    assert_true(m->ssh);
    assert_int_equal(m->data_volumes_max, 3);
    assert_int_equal(m->run.command->count, 4);
    assert_string_equal(m->run.devices.items[0], "/dev/fuse");
    assert_string_equal(m->run.host_dir, "/e");
    assert_int_equal(m->config_count, 5);
    const struct config_key *k = manifest_config(m, "memory");
    assert_int_equal(k->type, VALUE_TYPE_SIZE);
    assert_int_equal(k->apply, APPLY_KIND_LIVE);
    assert_true(k->has_min && !k->has_max);
    assert_int_equal(k->min, 64 << 20);
    assert_true(manifest_config(m, "every")->required);
    assert_int_equal(manifest_config(m, "every")->max, 3600000);
    assert_null(manifest_config(m, "nothing"));
    assert_int_equal(m->shared[0].kind, SHARED_KIND_UUID);
    assert_int_equal(m->shared[1].kind, SHARED_KIND_INSTANCES);
    assert_string_equal(m->shared[2].component, "mon");
    assert_int_equal(m->secrets[0].kind, SECRET_KIND_CEPH_KEY);
    assert_int_equal(m->secrets[0].scope, SECRET_SCOPE_INSTANCE);
    assert_int_equal(m->secrets[1].scope, SECRET_SCOPE_ENVIRONMENT);
    assert_int_equal(m->templates[0].format, TEMPLATE_FORMAT_INI);
    assert_int_equal(m->templates[0].mode, 0600);
    assert_int_equal(m->templates[1].format, TEMPLATE_FORMAT_ARGS);
    assert_int_equal(m->templates[1].mode, 0644);
    assert_int_equal(m->ports[0].port, 8443);
    assert_int_equal(m->stop_signal, SIGINT);
    assert_int_equal(m->stop_grace_ms, 60000);
    manifest_free(m);
}

static void all_problems_are_told_at_once(void **state)
{
    (void)state;
    refuse(
        "name: A b\n"
        "sumary: x\n"
        "ssh: yes\n"
        "requires: mon\n"
        "instances: {default: 3, max: 2}\n"
        "health: {every: 5}\n"
        "config:\n"
        "  k: {type: sise, help: h}\n"
        "  K: {type: int, help: h}\n"
        "  e: {type: enum, help: h}\n"
        "  i: {type: int, default: 7, max: 5, help: h}\n"
        "  data: {type: bool, default: 1, help: h}\n"
        "profiles: {quick: {j: 1}}\n"
        "shared: {s: {}}\n"
        "templates: {t.x: {path: rel}}\n",
        "m:1:1: the key \"summary\" is missing: one line for people\n"
        "m:1:7: name: expected 1 to 40 of a-z, 0-9 and -, a letter first and no - last, not \"A "
        "b\"\n"
        "m:2:1: unknown key \"sumary\" (did you mean summary?); allowed: name, summary, image, "
        "role, requires, start, instances, data, run, ssh, config, "
        "edits, profiles, shared, secrets, templates, "
        "ports, ready, health, hooks, stop, reload, update\n"
        "m:3:6: ssh: expected true or false, not \"yes\"\n"
        "m:4:11: requires: expected a list of texts, not \"mon\"\n"
        "m:5:12: instances: min 1, default 3, max 2 are not in this order\n"
        "m:6:17: every: expected a whole number with ms, s, min, h or d, like 30s, not \"5\"\n"
        "m:8:13: type: expected one of string, int, float, bool, size, duration, schedule, enum, "
        "list, map, not \"sise\"\n"
        "m:9:3: key name \"K\": expected 1 to 64 of a-z, 0-9 and _, a letter first\n"
        "m:10:6: e: an enum needs its values\n"
        "m:11:27: i: 7 must be at most 5\n"
        "m:12:3: config: \"data\" is a variable of every template\n"
        "m:12:31: data: expected true or false, not \"1\"\n"
        "m:13:20: unknown configuration key \"j\"; allowed: k, K, e, i, data\n"
        "m:14:10: s: expected exactly one of generate, instances, count\n"
        "m:15:13: t.x: its suffix says no format; give format: ini, env, json, yaml or args\n"
        "m:15:25: path: expected an absolute path without .., not \"rel\"");
    refuse("name: a\nsummary: s\nconfig: {x: {type: size, help: h, less_than: y}}",
           "m:3:46: less_than: no configuration key is named y");
    refuse("name: a\nsummary: s\nconfig: {x: {type: map, help: h, less_than: memory}}",
           "m:3:45: less_than: a map has no order");
    refuse("name: a\nsummary: s\nconfig: {x: {type: int, help: h, less_than: memory}}",
           "m:3:45: less_than: memory is a size, and x is not one");
    refuse("name: a\nsummary: s\nconfig: {x: {type: int, help: h, less_than: y}, y: {type: size, "
           "help: h}}",
           "m:3:45: less_than: y is of another type");
    refuse("name: a\nsummary: s\nsecrets: {x: {generate: tls, scop: instance}}",
           "m:3:30: unknown key \"scop\" (did you mean scope?); allowed: generate, scope");
    refuse("name: a\nsummary: s\nedits: [x/y, nothing]",
           "m:3:8: edits: \"nothing\" is neither a live map of config nor COMPONENT/KEY");
    refuse("name: a\nsummary: s\nconfig: {x: {type: bool, grows_only: true, help: h}}",
           "m:3:38: grows_only: x is neither int, size nor duration");
    refuse("name: a\nsummary: s\nrole: drive",
           "m:3:7: role: expected one of storage, driver, controller, not \"drive\"");
    refuse("name: a\nsummary: s\nrole: storage\n"
           "config: {volumes: {type: map, apply: live, help: h}}",
           "m:3:7: role: storage needs \"pools: {type: map, apply: live}\" in config");
    refuse("name: a\nsummary: s\nrole: driver\nconfig: {volumes: {type: map, help: h}}",
           "m:3:7: role: driver needs \"volumes: {type: map, apply: live}\" in config");
    refuse("name: a\nsummary: s\nrun: {devices: [/dev/x], only_with: {devices: k}}\n"
           "config: {k: {type: int, help: h}}",
           "m:3:47: only_with: \"k\" is not a key of config that is true or false");
    refuse("name: a\nsummary: s\nrun: {user: x, only_with: {user: k}}\n"
           "config: {k: {type: bool, help: h}}",
           "m:3:28: only_with: user is not one of capabilities, devices, device_rules, plugin_dir, "
           "or a capability of run");
    refuse("name: a\nsummary: s\nrun: {user: x, only_with: {devices: k}}\n"
           "config: {k: {type: bool, help: h}}",
           "m:3:28: only_with: run has no devices");
    refuse("name: a\nsummary: s\nports: {x: {port: 70000, help: h}}",
           "m:3:19: port: 70000 is not between 1 and 65535");
    refuse("name: a\nsummary: s\nhealth: {every: 2d}",
           "m:3:17: every: 2d is not between 1ms and 1d");
    refuse("name: a\nsummary: s\ndata: {root: /../etc}",
           "m:3:14: root: expected an absolute path without .., not \"/../etc\"");
}

static void a_list_is_refused(void **state)
{
    (void)state;
    refuse("[]", "m:1:1: item: expected a map, not a list");
}

static void default_larger_than_the_default_maximum_is_the_maximum(void **state)
{
    (void)state;
    struct manifest *m = good("name: a\nsummary: s\ninstances: {default: 3}");
    assert_int_equal(m->instances_min, 1);
    assert_int_equal(m->instances_max, 3);
    manifest_free(m);
}

static void check_value(const struct manifest *m, const char *key, const char *yaml,
                        const char *expected)
{
    struct err e = {0};
    auto_node struct node *given = NULL;

    assert_int_equal(yaml_parse(&given, "v", yaml, strlen(yaml), &e), 0);
    struct problems p;
    problems_init(&p, "v");
    auto_node struct node *value = manifest_value(manifest_config(m, key), given, &p);
    auto_free char *text = value ? manifest_value_text(value) : mem_strdup(p.lines.items[0]);
    assert_string_equal(text, expected);
    if (value) { /* the ways back */
        auto_node struct node *parsed = NULL, *again = NULL;

        assert_int_equal(manifest_value_parse(&parsed, manifest_config(m, key), text, &e), 0);
        assert_true(node_equal(parsed, value));
        auto_node struct node *document = manifest_value_document(manifest_config(m, key), value);
        again = manifest_value(manifest_config(m, key), document, &p);
        assert_true(node_equal(again, value));
    }
    problems_clear(&p);
}

static void values_are_normalised_or_refused_with_what_is_allowed(void **state)
{
    (void)state;
    struct manifest *m = good("name: a\nsummary: s\nconfig:\n"
                              "  size: {type: size, min: 1KiB, max: 1TiB, help: h}\n"
                              "  time: {type: duration, min: 1s, help: h}\n"
                              "  when: {type: schedule, help: h}\n"
                              "  int: {type: int, min: -5, max: 5, help: h}\n"
                              "  wide: {type: int, help: h}\n"
                              "  float: {type: float, min: 0, max: 1, help: h}\n"
                              "  bool: {type: bool, help: h}\n"
                              "  enum: {type: enum, values: [a, b], help: h}\n"
                              "  text: {type: string, help: h}\n"
                              "  list: {type: list, max: 2, help: h}\n"
                              "  map: {type: map, min: 1, help: h}\n");
    static const char *const rows[][3] = {
        {"size", "1GiB", "1073741824"},
        {"size", "2048", "2048"},
        {"size", "1G", "1073741824"},
        {"size", "1.5GiB", "1610612736"},
        {"size", "1 G",
         "v:1:1: size: expected a size like 512MiB, 1.5G or plain bytes, not \"1 G\""},
        {"size", "-1", "v:1:1: size: expected a size like 512MiB, 1.5G or plain bytes, not \"-1\""},
        {"size", "99999999999TiB",
         "v:1:1: size: expected a size like 512MiB, 1.5G or plain bytes, not \"99999999999TiB\""},
        {"size", "2TiB", "v:1:1: size: 2TiB must be between 1KiB and 1TiB"},
        {"size", "[1]", "v:1:1: size: expected a size, not a list"},
        {"time", "5min", "300000"},
        {"time", "1d", "86400000"},
        {"time", "5",
         "v:1:1: time: expected a whole number with ms, s, min, h or d, like 30s, not "
         "\"5\""},
        {"time", "5ms", "v:1:1: time: 5ms must be at least 1s"},
        {"when", "0 3 * * 1-5", "0 3 * * 1-5"},
        {"when", "'@daily'", "@daily"},
        {"when", "null", "null"},
        {"when", "0 3 31 2 *",
         "v:1:1: when: expected a schedule like \"0 3 * * *\" or @daily in UTC, or null (no month "
         "of "
         "it has that day), not \"0 3 31 2 *\""},
        {"int", "-5", "-5"},
        {"int", "007", "v:1:1: int: 007 must be between -5 and 5"},
        {"int", "003", "3"},
        {"int", "1e0", "v:1:1: int: expected a whole number, not \"1e0\""},
        {"wide", "9223372036854775807", "9223372036854775807"},
        {"wide", "9223372036854775808",
         "v:1:1: wide: expected a whole number, not \"9223372036854775808\""},
        {"float", "0.25", "0.25"},
        {"float", "1.01", "v:1:1: float: 1.01 must be between 0 and 1"},
        {"float", "nan", "v:1:1: float: expected a number, not \"nan\""},
        {"float", "1e999", "v:1:1: float: 1e999 must be between 0 and 1"},
        {"bool", "true", "true"},
        {"bool", "\"false\"", "false"},
        {"bool", "on", "v:1:1: bool: expected true or false, not \"on\""},
        {"enum", "b", "b"},
        {"enum", "c", "v:1:1: enum: expected one of a, b, not \"c\""},
        {"text", "1.50", "1.50"},
        {"text", "\"\"", ""},
        {"text", "~", "v:1:1: text: expected a text, not nothing"},
        {"list", "[1, {a: b}]", "[1,{\"a\":\"b\"}]"},
        {"list", "[1, 2, 3]", "v:1:1: list: 3 items, must be at most 2"},
        {"list", "a", "v:1:1: list: expected a list, not \"a\""},
        {"map", "{x: 1GiB}", "{\"x\":\"1GiB\"}"},
        {"map", "{}", "v:1:1: map: 0 items, must be at least 1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_value(m, rows[i][0], rows[i][1], rows[i][2]);
    manifest_free(m);
}

static void a_value_of_a_megabyte_is_refused(void **state)
{
    (void)state;
    struct manifest *m = good("name: a\nsummary: s\nconfig:\n  t: {type: string, help: h}\n"
                              "  l: {type: list, help: h}\n");
    enum { MIB = 1 << 20 };
    auto_free char *text = mem_alloc(MIB + 1);
    memset(text, 'x', MIB);
    struct err e = {0};
    struct node *out;
    assert_int_equal(manifest_value_parse(&out, manifest_config(m, "t"), text, &e), -1);
    assert_null(out);
    assert_string_equal(e.msg, "value: t: longer than 64 KiB");
    memcpy(text, "[\"", 2);
    memcpy(text + MIB - 2, "\"]", 2);
    assert_int_equal(manifest_value_parse(&out, manifest_config(m, "l"), text, &e), -1);
    assert_string_equal(e.msg, "value: l: larger than 120 KiB");
    manifest_free(m);
}

static void what_docker_would_refuse_of_run_is_refused_here(void **state)
{
    (void)state;
    manifest_free(good("name: a\nsummary: s\nrun:\n"
                       "  capabilities: [SYS_ADMIN, CAP_NET_RAW]\n"
                       "  device_rules: [\"b 7:* rwm\", \"c *:* r\", \"a 1:3 m\"]\n"));
    refuse("name: a\nsummary: s\nrun:\n"
           "  capabilities: [SYS_ADMN, FLY, CAP_KILLL]\n"
           "  device_rules: [\"b 7 rwm\", \"d 7:1 r\", \"b 7:1 x\"]\n",
           "m:4:18: capabilities: there is no capability SYS_ADMN (did you mean SYS_ADMIN?)\n"
           "m:4:28: capabilities: there is no capability FLY\n"
           "m:4:33: capabilities: there is no capability CAP_KILLL (did you mean KILL?)\n"
           "m:5:18: device_rules: \"b 7 rwm\" is not of the form \"b 7:* rwm\": a, b or c, "
           "MAJOR:MINOR with * for all, and which of r, w and m\n"
           "m:5:29: device_rules: \"d 7:1 r\" is not of the form \"b 7:* rwm\": a, b or c, "
           "MAJOR:MINOR with * for all, and which of r, w and m\n"
           "m:5:40: device_rules: \"b 7:1 x\" is not of the form \"b 7:* rwm\": a, b or c, "
           "MAJOR:MINOR with * for all, and which of r, w and m\n");
}

static void the_table_of_keys_is_the_one_in_the_repository(void **state)
{
    (void)state;
    auto_buf struct buf b;
    buf_init(&b, 1 << 20);
    schema_print(&b, &manifest_table);
    assert_is_printed("components/KEYS.md", "# Keys of component.yaml\n\n", &b);
}

static void documentation_names_every_key_with_its_range(void **state)
{
    (void)state;
    struct manifest *m = good(full);
    auto_buf struct buf b;
    buf_init(&b, 1 << 20);
    manifest_print_doc(&b, m);
    const char *doc = buf_str(&b);
    assert_non_null(strstr(doc, "# osd\n\nstores\n"));
    assert_non_null(strstr(doc, "| `memory` | size from 64MiB | 1GiB | live | h |\n"));
    assert_non_null(strstr(doc, "| `level` | enum: debug, info | info | restart | h |\n"));
    assert_non_null(strstr(doc, "| `every` | duration up to 1h | required | reload | h |\n"));
    assert_non_null(strstr(doc, "- `quick`: `memory: 512MiB`\n"));
    assert_non_null(strstr(doc, "- data: 1 volume under `/data`, up to 3\n"));
    buf_reset(&b);
    schema_print(&b, &manifest_table);
    assert_non_null(strstr(buf_str(&b), "| `config.<key>.type` | one of string, int"));
    auto_node struct node *schema = manifest_schema(m);
    assert_string_equal(node_find(schema, "properties.level.enum.1")->text, "info");
    assert_string_equal(node_find(schema, "properties.ratio.maximum")->text, "1");
    manifest_free(m);
}

/* DIR/NAME with such text. */
static void put_file(const char *dir, const char *name, const char *text, mode_t file_mode)
{
    auto_free char *path = mem_printf("%s/%s", dir, name);
    struct fs_write_opts o = {.mode = file_mode, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct err e = {0};

    assert_int_equal(fs_write(path, text, strlen(text), &o, &e), 0);
}

static void what_a_component_renders_is_looked_at_when_it_is_loaded(void **state)
{
    static const char manifest[] =
        "name: component\nsummary: s\nconfig: {word: {type: string, help: h}, "
        "tags: {type: map, help: h}}\nshared: {peers: {instances: thing}}\n"
        "run: {command: [d, \"${wrod}\", \"$${not}\", \"${home}/x\"], env: {A: \"${port}\"}}\n"
        "templates: {a.ini: {path: /a}, b.ini: {path: /b}, c.ini: {path: /c}}\n";
    static const char *const wants[] = {
        ":5:16: command: unknown variable ${wrod} (did you mean word?)",
        ":5:61: env: unknown variable ${port}",
        "template a.ini: unknown variable ${sise}",
        "template b.ini: ",
        "hooks/prepaer: there is no hook of this name (did you mean prepare?)",
    };
    char top[] = "/tmp/slipway-manifest-XXXXXX";
    struct problems p;
    struct err e = {0};

    (void)state;
    assert_non_null(mkdtemp(top));
    auto_free char *dir = mem_printf("%s/component", top);
    auto_free char *hooks = mem_printf("%s/hooks", dir);
    auto_free char *templates = mem_printf("%s/templates", dir);
    assert_int_equal(fs_mkdirs(hooks, 0755, &e), 0);
    assert_int_equal(fs_mkdirs(templates, 0755, &e), 0);
    put_file(dir, "component.yaml", manifest, 0644);
    put_file(templates, "a.ini", "x: {\"${word}\": \"size ${sise:-1}\"}\n", 0644);
    put_file(templates, "b.ini", "x: [1, 2\n", 0644);
    put_file(templates, "c.ini", "x: {a: \"${tags.any.key:-}\", b: \"${peers.thing-1}\"}\n", 0644);
    put_file(hooks, "prepaer", "#!/bin/sh\n", 0755);
    put_file(hooks, "prepare", "#!/bin/sh\n", 0755);
    put_file(hooks, "common.sh", "#!/bin/sh\n", 0755);
    problems_init(&p, "before");
    assert_null(manifest_load(dir, &p));
    assert_int_equal(p.count, ARRAY_LEN(wants));
    for (size_t i = 0; i < ARRAY_LEN(wants); i++)
        if (!strstr(p.lines.items[i], wants[i]))
            assert_string_equal(p.lines.items[i], wants[i]);
    problems_clear(&p);
    assert_int_equal(fs_remove_tree(top, &e), 0);
}

static void a_folder_is_checked_against_its_files(void **state)
{
    (void)state;
    char dir[] = "/tmp/slipway-manifest-XXXXXX";
    assert_non_null(mkdtemp(dir));
    auto_free char *folder = mem_printf("%s/thing", dir), *hooks = mem_printf("%s/hooks", folder);
    auto_free char *file = mem_printf("%s/component.yaml", folder);
    auto_free char *hook = mem_printf("%s/prepare", hooks);
    static const char text[] = "name: other\nsummary: s\ntemplates: {a.ini: {path: /a}}\n";
    struct err e = {0};
    struct fs_write_opts mode = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
    assert_int_equal(fs_mkdirs(hooks, 0755, &e), 0);
    assert_int_equal(fs_write(file, text, sizeof(text) - 1, &mode, &e), 0);
    assert_int_equal(fs_write(hook, "x", 1, &mode, &e), 0);
    struct problems p;
    problems_init(&p, "before");
    assert_null(manifest_load(folder, &p));
    assert_string_equal(p.name, "before");
    assert_int_equal(p.count, 3);
    assert_non_null(strstr(p.lines.items[0],
                           "/thing/component.yaml:1:7: name: \"other\", but the folder is named "
                           "\"thing\""));
    assert_non_null(strstr(p.lines.items[1], ":3:13: a.ini is not in templates/"));
    assert_non_null(strstr(p.lines.items[2], "hooks/prepare is not executable: chmod +x"));
    problems_clear(&p);
    assert_null(manifest_load("/nonexistent", &p));
    assert_int_equal(p.count, 1);
    problems_clear(&p);
    assert_int_equal(fs_remove_tree(dir, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_of_two_lines_gets_every_default),
        cmocka_unit_test(every_key_reaches_its_field),
        cmocka_unit_test(all_problems_are_told_at_once),
        cmocka_unit_test(a_list_is_refused),
        cmocka_unit_test(default_larger_than_the_default_maximum_is_the_maximum),
        cmocka_unit_test(values_are_normalised_or_refused_with_what_is_allowed),
        cmocka_unit_test(a_value_of_a_megabyte_is_refused),
        cmocka_unit_test(what_docker_would_refuse_of_run_is_refused_here),
        cmocka_unit_test(the_table_of_keys_is_the_one_in_the_repository),
        cmocka_unit_test(documentation_names_every_key_with_its_range),
        cmocka_unit_test(a_folder_is_checked_against_its_files),
        cmocka_unit_test(what_a_component_renders_is_looked_at_when_it_is_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
