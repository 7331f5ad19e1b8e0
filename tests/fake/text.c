/* SPDX-License-Identifier: MIT */
#include "fake/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"
#include "conf/yaml.h"

struct node *from_json(const char *text)
{
    struct node *n = NULL;
    struct err e;

    if (json_parse(&n, "test", text, strlen(text), &e) < 0)
        fail_msg("%s", e.msg);
    return n;
}

struct node *from_yaml(const char *text)
{
    struct node *n = NULL;
    struct err e;

    if (yaml_parse(&n, "test", text, strlen(text), &e) < 0)
        fail_msg("%s", e.msg);
    return n;
}

void assert_is_printed(const char *path, const char *title, const struct buf *table)
{
    auto_free char *now = mem_printf("%s%s", title, buf_str(table)), *old = NULL;
    struct fs_write_opts mode = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct err e = {0};

    if (getenv("UPDATE"))
        assert_int_equal(fs_write(path, now, strlen(now), &mode, &e), 0);
    assert_int_equal(fs_read(&old, NULL, path, 1 << 20, &e), 0);
    assert_string_equal(old, now);
}
