/* SPDX-License-Identifier: MIT */
#include "volumes/usage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/json.h"

static struct node *known_of(const char *volume, const char *host_dir)
{
    struct node *n = node_new_map();

    node_set_text(n, "volume", volume);
    node_set_text(n, "host_dir", host_dir);
    return n;
}

static void usage_lines_name_what_they_do_not_know(void **state)
{
    (void)state;
    auto_node struct node *known = known_of("disk", "/d"), *list = NULL;
    auto_free char *text = NULL;
    struct node *none = NULL;
    struct err e;

    assert_int_equal(volume_usage_render(&list,
                                         "# SPDX\n\nNBD: nbd+unix:///${volume}?socket="
                                         "${host_dir}/s\nplain: text: more\n",
                                         known, &e),
                     0);
    text = json_text(list);
    assert_string_equal(text, "[{\"title\":\"NBD\",\"line\":\"nbd+unix:///disk?socket=/d/s\"},"
                              "{\"title\":\"plain\",\"line\":\"text: more\"}]");
    assert_int_equal(volume_usage_render(&none, "a: b\nc: ${nobody}\n", known, &e), -1);
    assert_string_equal(e.msg, "line 2: unknown variable ${nobody}");
    assert_int_equal(volume_usage_render(&none, "a: ${volume\n", known, &e), -1);
}

static void usage_lines_are_such_that_qemu_takes_them(void **state)
{
    static const struct {
        const char *volume, *id;
    } rows[] = {
        {"disk", "disk"},
        {"a-long_one.of.31-characters.1234", "v33b49fe6-a-long_one.of.31-cha"},
        {"a-long_one.of.31-characters.123", "a-long_one.of.31-characters.123"},
        {"9disk", "vacf23069-9disk"},
    };
    static const char text[] = "nbd: node-name=${id},path=${socket_dir}/nbd.sock,x\n"
                               "vhost: path='${socket_dir}/${volume}.vhost'\n";
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_node struct node *known = known_of(rows[i].volume, "/d"), *list = NULL;
        auto_free char *line = mem_printf("node-name=%s,path=/d/nbd.sock,x", rows[i].id);

        assert_int_equal(volume_usage_render(&list, text, known, &e), 0);
        assert_string_equal(node_get_text(list->items[0], "line"), line);
        assert_true(strlen(rows[i].id) <= 31);
    }
    /* The longest path of the two lines has 107 bytes, and with the next volume 108. */
    for (size_t longer = 0; longer < 2; longer++) {
        auto_node struct node *known = NULL, *list = NULL;
        char dir[107 - sizeof("/disk.vhost") + 2];

        memset(dir, 'd', sizeof(dir) - 1);
        dir[0] = '/';
        dir[sizeof(dir) - 1] = 0;
        known = known_of(longer ? "disks" : "disk", dir);
        assert_int_equal(volume_usage_render(&list, text, known, &e), 0);
        assert_int_equal(list->count, longer ? 3 : 2);
        assert_non_null(strstr(node_get_text(list->items[0], "line"), dir));
        if (longer)
            assert_non_null(strstr(node_get_text(list->items[2], "line"), "'/run/slipway-"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_lines_name_what_they_do_not_know),
        cmocka_unit_test(usage_lines_are_such_that_qemu_takes_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
