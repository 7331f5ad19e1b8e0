/* SPDX-License-Identifier: MIT */
// fake: text
#include "model/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/yaml.h"
#include "fake/text.h"

static struct steps *decode(const char *text, struct problems *p)
{
    auto_node struct node *root = yaml_read(p, text, strlen(text));

    return root ? steps_decode(root, NULL, p) : NULL;
}

static struct steps *accept(const char *text)
{
    struct problems p;
    struct steps *s;

    problems_init(&p, "f");
    s = decode(text, &p);
    if (!s)
        fail_msg("%s", p.lines.items[0]);
    problems_clear(&p);
    return s;
}

/* ---- what is refused ---- */

static void assert_refused(const char *const (*table)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct problems p;

        problems_init(&p, "f");
        assert_null(decode(table[i][0], &p));
        assert_string_equal(p.lines.items[0], table[i][1]);
        assert_int_equal(p.count, 1);
        problems_clear(&p);
    }
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    static const char *const table[][2] = {
        {"{}", "f:1:1: the key \"steps\" is missing: what has to be so, in this order; each one is "
               "a map with one key, its kind"},
        {"steps: []", "f:1:8: steps: there are none"},
        {"steps: {}", "f:1:8: steps: expected a list, not a map"},
        {"slipway: 2\nsteps: [{group: {name: a}}]", "f:1:10: slipway: 2 is not between 1 and 1"},
        {"vars: {target: 1}\nsteps: [{group: {name: a}}]",
         "f:1:8: target: this name is taken, ${target.name} is the target's"},
        {"steps:\n- 7", "f:2:3: a step is a map like `file: {...}`, not \"7\""},
        {"steps:\n- {}", "f:2:3: a step is a map like `file: {...}`, not a map"},
        {"steps:\n- pakage: {names: [a]}",
         "f:2:3: unknown step \"pakage\" (did you mean package?); allowed: package, file, "
         "directory, user, group, line, service, command"},
        {"steps:\n- {group: {name: a}, user: {name: a}}",
         "f:2:22: a step is one thing: begin another one, with -, for user"},
        {"steps:\n- group:", "f:2:3: group: it says nothing; `slipway catalog steps` has its keys"},
        {"steps:\n- group: [a]", "f:2:10: group: expected a map, not a list"},
        {"steps:\n- group: {name: a, git: 5}",
         "f:2:20: unknown key \"git\" (did you mean gid?); allowed: name, gid, system"},
        {"steps:\n- group: {name: -x}",
         "f:2:17: name: \"-x\" is not a name: 1 to 32 letters, digits and _.-"},
        {"steps:\n- group: {name: 12}", "f:2:17: name: \"12\" is not a name"},
        {"steps:\n- group: {name: \"a b\"}",
         "f:2:17: name: \"a b\" is not a name: 1 to 32 letters, digits and _.-"},
        {"steps:\n- group: {name: a, gid: 0}", "f:2:25: gid: 0 is not between 1 and 2147483646"},
        {"steps:\n- user: {name: a, shell: \"/bin/a:b\"}",
         "f:2:26: shell: a colon or a line break cannot be in it"},
        {"steps:\n- user: {name: a, groups: [b, \"c,d\"]}",
         "f:2:31: groups: \"c,d\" is not a name: 1 to 32 letters, digits and _.-"},
        {"steps:\n- package: {names: []}", "f:2:20: names: no package is named"},
        {"steps:\n- package: {names: [\"--allow\"]}",
         "f:2:21: names: \"--allow\" is not a name: 1 to 100 letters, digits and +._-"},
        {"steps:\n- package: {names: [a], state: latest}",
         "f:2:32: state: expected one of present, absent, not \"latest\""},
    };

    (void)state;
    assert_refused(table, ARRAY_LEN(table));
}

static void what_is_wrong_with_files_and_commands_too(void **state)
{
    static const char *const table[][2] = {
        {"steps:\n- file: {path: etc/x, content: a}",
         "f:2:16: path: expected an absolute path without .., not \"etc/x\""},
        {"steps:\n- file: {path: /a/../b, content: a}",
         "f:2:16: path: expected an absolute path without .., not \"/a/../b\""},
        {"steps:\n- file: {path: /a/, content: a}",
         "f:2:16: path: a path ends with a name, not with /"},
        {"steps:\n- file: {path: /a}", "f:2:3: file: say what is in it, once: content, "
                                       "content_file, template or template_file"},
        {"steps:\n- file: {path: /a, content: a, template: b}",
         "f:2:3: file: say what is in it, once: content, content_file, template or template_file"},
        {"steps:\n- file: {path: /a, state: absent, mode: \"0644\"}",
         "f:2:3: file: with `state: absent` only the path is said"},
        {"steps:\n- file: {path: /a, content: a, mode: 9}",
         "f:2:38: mode: expected an octal file mode like \"0644\", not \"9\""},
        {"steps:\n- file: {path: /a, content: a, secret: perhaps}",
         "f:2:40: secret: expected one of true, false, not \"perhaps\""},
        {"steps:\n- file: {path: /a, content: a}\n- file: {path: /a, content: b}",
         "f:3:16: path: the step `file` in line 2 is about it already"},
        {"steps:\n- file: {path: /a, content: a}\n- line: {path: /a, line: b}",
         "f:3:16: path: the step `file` in line 2 is about it already"},
        {"steps:\n- file: {path: /a, content_file: x}",
         "f:2:34: content_file: no files can be named here"},
        {"vars: {port: 1}\nsteps:\n- file: {path: /a, template: \"a ${prot}\"}",
         "f:3:30: template: unknown variable ${prot} (did you mean port?)"},
        {"vars: {l: [1]}\nsteps:\n- file: {path: /a, template: \"a ${l}\"}",
         "f:3:30: template: variable ${l} is a list; inside a text only a single value may stand"},
        {"vars: {l: {a: 1}}\nsteps:\n- file: {path: /a, template: \"${l}\"}",
         "f:3:30: template: ${l} is a map; a template can only be a text"},
        {"steps:\n- file: {path: /a, template: \"${target.nme}\"}",
         "f:2:30: template: unknown variable ${target.nme} (did you mean name?)"},
        {"steps:\n- line: {path: /a, line: \"a\\nb\"}",
         "f:2:26: line: it is one line with something in it"},
        {"steps:\n- line: {path: /a}", "f:2:3: line: the key \"line\" is missing: the line itself"},
        {"steps:\n- line: {path: /a, line: b, match: \"(\"}", "f:2:36: match: Unmatched ( or \\("},
        {"steps:\n- line: {path: /a, line: b, match: \"^a\"}",
         "f:2:36: match: it does not match the line itself"},
        {"steps:\n- line: {path: /a, line: b, match: b, state: absent}",
         "f:2:3: line: with `state: absent` say either the line or what it matches"},
        {"steps:\n- service: {name: cron}", "f:2:3: service: say state, enabled or both"},
        {"steps:\n- service: {name: cron, state: restarted}",
         "f:2:32: state: expected one of started, stopped, not \"restarted\""},
        {"steps:\n- command: {run: [true]}",
         "f:2:3: command: say `unless` or `creates`, or it would run every time"},
        {"steps:\n- command: {run: [a, [b]], creates: /a}",
         "f:2:18: run: expected a list of words, or a text for a shell: run: [touch, /tmp/x]"},
        {"steps:\n- command: {run: [\"\"], creates: /a}",
         "f:2:18: run: expected a list of words, or a text for a shell: run: [touch, /tmp/x]"},
    };

    (void)state;
    assert_refused(table, ARRAY_LEN(table));
}

static void all_that_is_wrong_is_said_at_once(void **state)
{
    struct problems p;

    (void)state;
    problems_init(&p, "f");
    assert_null(decode("slipway: x\nsteps:\n- pakage: {}\n- group: {name: -}\n"
                       "- command: {run: 5}\n- file: {path: a, template: \"${b}\", mode: 1}\n",
                       &p));
    assert_int_equal(p.count, 8);
    problems_clear(&p);
}

static void a_long_command_is_refused(void **state)
{
    struct problems p;
    auto_free char *word = mem_alloc(20000), *text = NULL;

    (void)state;
    memset(word, 'x', 19999);
    text = mem_printf("steps: [{command: {run: [%s], creates: /a}}]", word);
    problems_init(&p, "f");
    assert_null(decode(text, &p));
    assert_non_null(strstr(p.lines.items[0], "run: longer than 8192 bytes"));
    problems_clear(&p);
}

/* ---- what the programs are told ---- */

static void assert_words(const struct step *s, bool look, const char *expected)
{
    auto_strv struct strv words = {0};
    auto_free char *all = NULL;

    steps_words(&words, s, look);
    all = strv_join(&words, "|");
    assert_string_equal(all, expected);
}

static void a_program_is_told_what_its_step_says(void **state)
{
    static const char *const table[][3] = {
        {"package: {names: [a, b+]}", "package a, b+", "apply|state=present|--|a|b+"},
        {"file: {path: \"/a 'b'\\n-c\", content: x, mode: 0640, owner: root, group: 5}",
         "file /a 'b'\n-c",
         "apply|path=/a 'b'\n-c|state=present|owner=root|group=5|mode=640|text=true|--"},
        {"file: {path: /a, state: absent, secret: true}", "file /a",
         "apply|path=/a|state=absent|secret=true|--"},
        {"directory: {path: /-rf, mode: \"1777\"}", "directory /-rf",
         "apply|path=/-rf|mode=1777|--"},
        {"user: {name: a, uid: 7, group: g, groups: [x, y], home: /h, shell: /s, system: true}",
         "user a", "apply|name=a|group=g|home=/h|shell=/s|id=7|system=true|--|x|y"},
        {"line: {path: /a, line: secret, match: ^s}", "line /a",
         "apply|path=/a|state=present|match=^s|text=true|--"},
        {"line: {path: /a, match: ^s, state: absent}", "line /a",
         "apply|path=/a|state=absent|match=^s|--"},
        {"service: {name: cron, state: started, enabled: true}", "service cron",
         "apply|name=cron|state=started|enabled=true|--"},
        {"command: {run: [a, a, \"$b\"], unless: \"test -e x\", creates: /c}", "command a a $b",
         "apply|creates=/c|unless=3|--|sh|-c|test -e x|a|a|$b"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        auto_free char *text = mem_printf("steps: [{%s}]", table[i][0]);
        struct steps *s = accept(text);

        assert_int_equal(s->count, 1);
        assert_string_equal(s->items[0].title, table[i][1]);
        assert_words(&s->items[0], false, table[i][2]);
        steps_free(s);
    }
}

static void a_dry_run_is_told_to_the_program(void **state)
{
    struct steps *s = accept("steps: [{directory: {path: /a}}]");

    (void)state;
    assert_words(&s->items[0], true, "look|path=/a|--");
    steps_free(s);
}

static void assert_input(const struct steps *s, size_t i, const char *expected)
{
    auto_node struct node *target = steps_target("osd-1", "osd", "demo", NULL);
    auto_free char *input = NULL;
    size_t len;
    struct err e = {0};

    assert_int_equal(steps_input(&input, &len, s, &s->items[i], target, &e), 0);
    assert_string_equal(input, expected);
    assert_int_equal(len, strlen(expected));
}

static void what_a_file_holds_is_its_input_behind_its_digest(void **state)
{
    struct steps *s = accept("vars: {port: 80, none: }\nsteps:\n"
                             "- file: {path: /a, content: \"${port}\\n\"}\n"
                             "- file: {path: /b, template: \"${target.name}:${port}$${x}\"}\n"
                             "- file: {path: /c, template: \"${none}\"}\n"
                             "- line: {path: /d, line: a line}\n");

    (void)state;
    assert_input(s, 0,
                 "119aa5230c6573e15ad934d298b67e975f11fe052e95779aa617e1a4cca21c66\n${port}\n");
    assert_input(s, 1,
                 "c7ac2ba14b52ea72342a3d62c6c022e40505446f4543d0d7ab1bd0fc4ef3f26a\nosd-1:80${x}");
    assert_input(s, 2, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n");
    assert_input(s, 3, "a line");
    steps_free(s);
}

static void a_target_without_an_address_fails_only_where_it_is_used(void **state)
{
    auto_node struct node *target = steps_target("a", "b", "c", NULL);
    struct steps *s = accept("steps: [{file: {path: /a, template: \"at ${target.address}\"}}]");
    auto_free char *input = NULL;
    size_t len;
    struct err e = {0};

    (void)state;
    assert_int_equal(steps_input(&input, &len, s, &s->items[0], target, &e), -1);
    assert_non_null(strstr(e.msg, "${target.address} has no value"));
    steps_free(s);
}

/* ---- files beside it ---- */

static void write_file(const char *dir, const char *name, const void *p, size_t len)
{
    auto_free char *path = fs_join(dir, name);
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct err e = {0};

    assert_int_equal(fs_write(path, p, len, &o, &e), 0);
}

static void files_are_found_beside_it(void **state)
{
    char dir[] = "/tmp/slipway-steps-XXXXXX";
    static const char text[] = "steps:\n- file: {path: /a, content_file: bytes}\n"
                               "- file: {path: /b, template_file: text}\n"
                               "- file: {path: /c, template_file: bad}\n"
                               "- file: {path: /d, content_file: nothere}\n"
                               "- file: {path: /e, template_file: bytes}\n";
    struct problems p;
    struct err e = {0};
    auto_free char *path = NULL;

    (void)state;
    assert_non_null(mkdtemp(dir));
    write_file(dir, "bytes", "\0\377\n", 3);
    write_file(dir, "text", "is ${target.name}", 17);
    write_file(dir, "bad", "${x}", 4);
    write_file(dir, "s.yaml", text, strlen(text));
    path = fs_join(dir, "s.yaml");
    problems_init(&p, "f");
    assert_null(steps_load(path, NULL, &p));
    assert_int_equal(p.count, 3);
    assert_string_equal(p.lines.items[0], "f:4:35: template_file: bad: unknown variable ${x}");
    assert_non_null(strstr(p.lines.items[1], "f:5:34: content_file: "));
    assert_non_null(strstr(p.lines.items[2], "f:6:35: template_file: "));
    problems_clear(&p);
    write_file(dir, "s.yaml", text, (size_t)(strstr(text, "- file: {path: /c") - text));
    problems_init(&p, "f");
    struct steps *s = steps_load(path, NULL, &p);
    assert_non_null(s);
    assert_int_equal(s->items[0].text_len, 3);
    assert_memory_equal(s->items[0].text, "\0\377\n", 3);
    steps_free(s);
    fs_remove_tree(dir, &e);
}

static void the_table_of_keys_is_printed(void **state)
{
    auto_buf struct buf b = {0};

    (void)state;
    buf_init(&b, 1 << 20);
    steps_print_format(&b);
    assert_is_printed("installer/model/STEPS.md", "# Keys of a file of steps\n\n", &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(what_is_wrong_with_files_and_commands_too),
        cmocka_unit_test(all_that_is_wrong_is_said_at_once),
        cmocka_unit_test(a_long_command_is_refused),
        cmocka_unit_test(a_program_is_told_what_its_step_says),
        cmocka_unit_test(a_dry_run_is_told_to_the_program),
        cmocka_unit_test(what_a_file_holds_is_its_input_behind_its_digest),
        cmocka_unit_test(a_target_without_an_address_fails_only_where_it_is_used),
        cmocka_unit_test(files_are_found_beside_it),
        cmocka_unit_test(the_table_of_keys_is_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
