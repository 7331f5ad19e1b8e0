/* SPDX-License-Identifier: MIT */
// link: installer/libvolume
// libs: -lrbd -lrados
// wrap: rados_connect rados_ioctx_create
#include "libvolume/slipway-volume.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rados/librados.h>

#include "base/mem.h"

/* ---- the seam: no test reaches a network ---- */

static rados_t connecting;
static char setting[256];

int __wrap_rados_connect(rados_t cluster);
int __wrap_rados_connect(rados_t cluster)
{
    connecting = cluster;
    if (setting[0])
        assert_int_equal(rados_conf_get(cluster, setting, setting, sizeof(setting)), 0);
    return mock_type(int);
}

int __wrap_rados_ioctx_create(rados_t cluster, const char *pool, rados_ioctx_t *io);
int __wrap_rados_ioctx_create(rados_t cluster, const char *pool, rados_ioctx_t *io)
{
    assert_ptr_equal(cluster, connecting);
    check_expected(pool);
    *io = NULL;
    return mock_type(int);
}

static struct sv_options usual(void)
{
    struct sv_options o = SV_OPTIONS_INIT;

    o.monitors = "10.0.0.1,10.0.0.2";
    o.key = "AQBTm5VmAAAAABAAo9dpJ1FsmhAJ9yrUuM1Kng==";
    return o;
}

static void assert_refused(const struct sv_options *o, int code, const char *sentence)
{
    struct sv_connection *c;
    struct sv_error e = {0};

    assert_int_equal(sv_connect(&c, o, &e), code);
    assert_null(c);
    assert_int_equal(e.code, code);
    assert_string_equal(e.text, sentence);
    assert_int_equal(sv_connect(&c, o, NULL), code);
}

/* ---- options ---- */

static void wrong_options_are_refused_before_anybody_is_asked(void **state)
{
    (void)state;
    struct sv_options o = usual();

    assert_refused(NULL, -EINVAL, "options must begin as SV_OPTIONS_INIT");
    o.options_size = 0;
    assert_refused(&o, -EINVAL, "options must begin as SV_OPTIONS_INIT");
    o = usual();
    o.monitors = NULL;
    assert_refused(&o, -EINVAL, "no monitors: give their addresses or conf_file");
    o.monitors = "10.0.0.1\nkey=x";
    assert_refused(&o, -EINVAL, "monitors \"10.0.0.1\nkey=x\": addresses with commas between them");
    o = usual();
    o.pool = "a/b";
    assert_refused(&o, -EINVAL,
                   "pool \"a/b\": a name is 1 to 64 letters, digits, _ . -, and begins with a "
                   "letter or digit");
    o = usual();
    o.user = "client.rbd";
    assert_refused(&o, -EINVAL, "user \"client.rbd\": leave out \"client.\"");
    o = usual();
    o.timeout_s = 3601;
    assert_refused(&o, -EINVAL, "timeout of 3601 s: 1 to 3600 are allowed");
}

static void one_key_is_needed_and_not_two(void **state)
{
    (void)state;
    struct sv_options o = usual();

    o.keyring = "/nowhere";
    assert_refused(&o, -EINVAL, "give one of key_file, key and keyring, not several");
    o.keyring = o.key = NULL;
    assert_refused(&o, -EINVAL, "no key: give key_file, key, keyring or conf_file");
    o.key = "two words";
    assert_refused(&o, -EINVAL, "the key is not one word of at most 255 letters");
    o.key = " \n";
    assert_refused(&o, -EINVAL, "the key is not one word of at most 255 letters");
    o.key = NULL;
    o.key_file = "/nowhere/key";
    assert_refused(&o, -ENOENT, "key file /nowhere/key: there is none");
    o.key_file = "/dev/zero";
    assert_refused(&o, -EINVAL, "the key is not one word of at most 255 letters");
    o.key_file = "/";
    assert_refused(&o, -EISDIR, "key file /: Is a directory");
    o.key_file = NULL;
    o.keyring = "/nowhere/keyring";
    assert_refused(&o, -ENOENT, "keyring /nowhere/keyring: there is none");
    o.keyring = NULL;
    o.conf_file = "/nowhere/ceph.conf";
    assert_refused(&o, -ENOENT, "file /nowhere/ceph.conf: there is none");
}

/* ---- connecting ---- */

static void every_request_gets_the_time_of_the_options(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"client_mount_timeout", "rados_mon_op_timeout",
                                        "rados_osd_op_timeout"};
    struct sv_options o = usual();
    struct sv_connection *c;

    o.timeout_s = 7;
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        snprintf(setting, sizeof(setting), "%s", NAMES[i]);
        will_return(__wrap_rados_connect, -ETIMEDOUT);
        assert_int_equal(sv_connect(&c, &o, NULL), -ETIMEDOUT);
        assert_int_equal(strtoul(setting, NULL, 10), 7);
    }
    setting[0] = 0;
}

static void the_key_of_a_file_is_used_without_its_line_end(void **state)
{
    (void)state;
    char path[] = "/tmp/slipway-volume-test-XXXXXX";
    auto_close int fd = mkstemp(path);
    struct sv_options o = usual();
    struct sv_connection *c;

    assert_true(fd >= 0 && dprintf(fd, "%s\n", o.key) > 0);
    o.key_file = path;
    o.key = NULL;
    snprintf(setting, sizeof(setting), "key");
    will_return(__wrap_rados_connect, -EACCES);
    assert_int_equal(sv_connect(&c, &o, NULL), -EACCES);
    assert_string_equal(setting, usual().key);
    setting[0] = 0;
    unlink(path);
}

static void a_refused_connection_says_why(void **state)
{
    (void)state;
    static const struct {
        int result, code;
        const char *sentence;
    } rows[] = {
        {-ETIMEDOUT, -ETIMEDOUT, "no monitor answered within 30 s: 10.0.0.1,10.0.0.2"},
        {-EACCES, -EACCES, "the storage does not take the key of client.rbd"},
        {-EPERM, -EACCES, "the storage does not take the key of client.rbd"},
        {-EINVAL, -EINVAL, "connecting as client.rbd: the key or an address is malformed"},
        {-EIO, -EIO, "connecting as client.rbd: Input/output error"},
    };
    struct sv_options o = usual();
    struct sv_connection *c;
    struct sv_error e;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        will_return(__wrap_rados_connect, rows[i].result);
        assert_int_equal(sv_connect(&c, &o, &e), rows[i].code);
        assert_string_equal(e.text, rows[i].sentence);
        assert_null(c);
    }
    will_return(__wrap_rados_connect, 0);
    expect_string(__wrap_rados_ioctx_create, pool, "volumes");
    will_return(__wrap_rados_ioctx_create, -ENOENT);
    assert_int_equal(sv_connect(&c, &o, &e), -ENOENT);
    assert_string_equal(e.text, "there is no pool volumes");
}

/* ---- names and sizes ---- */

static void names_and_sizes_are_those_of_the_commands(void **state)
{
    (void)state;
    struct sv_options o = usual();
    struct sv_connection *c;
    struct sv_volume *v;
    struct sv_error e;

    will_return(__wrap_rados_connect, 0);
    expect_string(__wrap_rados_ioctx_create, pool, "fast");
    will_return(__wrap_rados_ioctx_create, 0);
    o.pool = "fast";
    assert_int_equal(sv_connect(&c, &o, &e), 0);
    assert_int_equal(sv_create(c, "a b", 1 << 20, &e), -EINVAL);
    assert_string_equal(e.text, "volume \"a b\": a name is 1 to 64 letters, digits, _ . -, and "
                                "begins with a letter or digit");
    assert_int_equal(sv_create(c, NULL, 1 << 20, &e), -EINVAL);
    assert_int_equal(sv_create(c, "a", 1 << 19, &e), -EINVAL);
    assert_string_equal(e.text, "size 524288: 1MiB to 64TiB are allowed");
    assert_int_equal(sv_create(c, "a", UINT64_MAX, &e), -EINVAL);
    assert_string_equal(e.text, "size 18446744073709551615: 1MiB to 64TiB are allowed");
    assert_int_equal(sv_create(c, "a", (1 << 20) + 512, &e), -EINVAL);
    assert_string_equal(e.text, "size 1049088: whole MiB are allowed");
    assert_int_equal(sv_open(&v, c, "a@b@c", SV_READ_ONLY, &e), -EINVAL);
    assert_int_equal(sv_open(&v, c, "a@", SV_READ_ONLY, &e), -EINVAL);
    assert_int_equal(sv_open(&v, c, "a@b", SV_WRITER, &e), -EROFS);
    assert_string_equal(e.text, "a@b is a snapshot: it can only be read");
    assert_int_equal(sv_open(&v, c, "a", (enum sv_mode)5, &e), -EINVAL);
    assert_null(v);
    assert_int_equal(sv_remove(c, "../a", &e), -EINVAL);
    assert_int_equal(sv_disconnect(c, &e), 0);
    assert_int_equal(sv_disconnect(NULL, &e), 0);
    assert_int_equal(sv_close(NULL, &e), 0);
}

/* ---- the line of volume show ---- */

static void the_line_of_volume_show_is_understood(void **state)
{
    (void)state;
    struct sv_line l;

    assert_int_equal(sv_line_parse(&l, "rbd:volumes/disk:id=rbd:mon_host=10.0.0.1,10.0.0.2", NULL),
                     0);
    assert_string_equal(l.pool, "volumes");
    assert_string_equal(l.volume, "disk");
    assert_string_equal(l.user, "rbd");
    assert_string_equal(l.monitors, "10.0.0.1,10.0.0.2");
    assert_int_equal(sv_line_parse(&l, "rbd:v/d:mon_host=10.0.0.1\\:6789\\;10.0.0.2:id=x", NULL),
                     0);
    assert_string_equal(l.monitors, "10.0.0.1:6789;10.0.0.2");
    assert_string_equal(l.user, "x");
    assert_string_equal(l.key_file, "");
    assert_int_equal(sv_line_parse(&l, "rbd:v/d:id=x:mon_host=a:keyfile=/tmp/rbd.key", NULL), 0);
    assert_string_equal(l.key_file, "/tmp/rbd.key");
}

static void other_lines_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "rbd:",
        "rbd:volumes",
        "rbd:volumes/disk",
        "rbd:volumes/disk:id=rbd",
        "rbd:volumes/disk:id=rbd:mon_host=",
        "rbd:volumes/disk:mon_host=a\\",
        "rbd:volumes/disk:mon_host=a:mon_host=b",
        "rbd:volumes/disk:id=a:id=b:mon_host=a",
        "rbd:volumes/disk:mon_host=a:conf=/etc/x",
        "rbd:volumes/disk:mon_host=a:",
        "rbd:volumes/disk:mon_host=a:keyfile=",
        "rbd:/disk:mon_host=a",
        "rbd:volumes/:mon_host=a",
        "rbd:volumes/a@b:mon_host=a",
        "nbd:volumes/disk:mon_host=a",
        "rbd:v/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:mon_host=a",
    };
    struct sv_error e;
    struct sv_line l;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        memset(&l, 'x', sizeof(l));
        assert_int_equal(sv_line_parse(&l, rows[i], &e), -EINVAL);
        assert_int_equal(l.pool[0] | l.monitors[0], 0);
    }
    assert_int_equal(sv_line_parse(&l, NULL, &e), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_refused_before_anybody_is_asked),
        cmocka_unit_test(one_key_is_needed_and_not_two),
        cmocka_unit_test(every_request_gets_the_time_of_the_options),
        cmocka_unit_test(the_key_of_a_file_is_used_without_its_line_end),
        cmocka_unit_test(a_refused_connection_says_why),
        cmocka_unit_test(names_and_sizes_are_those_of_the_commands),
        cmocka_unit_test(the_line_of_volume_show_is_understood),
        cmocka_unit_test(other_lines_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
