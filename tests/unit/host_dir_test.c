/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "plan/host_dir.h"

static int try(const char *folder, const char *name, struct err *e)
{
    int fd = -1;

    return host_dir_open_in(&fd, folder, "driver-1", name, O_RDONLY, e);
}

static void refused(const char *folder, const char *name, const char *sentence)
{
    auto_free char *want = mem_printf("%s/%s is %s", folder, name, sentence);
    struct err e;

    assert_int_equal(try(folder, name, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_string_equal(e.msg, want);
}

/* As `check volumes` and `volume mount` open what a driver shows. */
static void what_a_container_planted_is_refused_at_once(void **state)
{
    char folder[] = "/tmp/slipway-host-dir.XXXXXX";
    auto_free char *fifo = NULL, *link = NULL, *file = NULL, *inside = NULL, *other = NULL;
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(folder));
    fifo = fs_join(folder, "fifo");
    link = fs_join(folder, "link");
    file = fs_join(folder, "file");
    inside = fs_join(folder, "inside");
    other = mem_printf("%s/inside/other", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    close(creat(file, 0600));
    assert_int_equal(mkdir(inside, 0700), 0);
    assert_int_equal(symlink(folder, other), 0);
    alarm(20); /* whoever waits for a writer is ended by it */
    refused(folder, "fifo", "not a file that driver-1 serves");
    refused(folder, "link", "a link, and is not followed");
    refused(folder, "file", "not a file that driver-1 serves"); /* of this machine */
    refused(folder, "inside", "not a file that driver-1 serves");
    assert_int_equal(try(folder, "missing", &e), -1);
    assert_int_equal(e.sys, ENOENT);
    assert_int_equal(try(folder, "inside/other", &e), -1);
    assert_int_equal(try(folder, "../file", &e), -1);
    assert_int_equal(try(other, "file", &e), -1); /* the folder itself is a link */
    alarm(0);
    assert_int_equal(fs_remove_tree(folder, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_container_planted_is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
