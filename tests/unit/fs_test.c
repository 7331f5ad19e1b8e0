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
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

static char *scratch(void)
{
    char *dir = mem_strdup("/tmp/slipway-fs-test.XXXXXX");

    assert_non_null(mkdtemp(dir));
    return dir;
}

static void drop(char *dir)
{
    struct err e = {0};

    assert_int_equal(fs_remove_tree(dir, &e), 0);
    assert_false(fs_exists(dir));
    free(dir);
}

static const struct fs_write_opts plain = {.mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1};

static void what_is_written_is_read_with_its_mode(void **state)
{
    char *dir = scratch();
    auto_free char *path = fs_join(dir, "file");
    auto_free char *back = NULL;
    struct err e = {0};
    struct stat st;
    size_t len;
    mode_t old = umask(077);

    (void)state;
    assert_int_equal(fs_write(path, "a\0b", 3, &plain, &e), 0);
    umask(old);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(fs_read(&back, &len, path, 3, &e), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(back, "a\0b", 4);
    drop(dir);
}

static void a_write_replaces_whole_and_leaves_nothing_beside(void **state)
{
    char *dir = scratch();
    auto_free char *path = fs_join(dir, "file");
    auto_free char *back = NULL;
    auto_strv struct strv names = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(fs_write(path, "first and long", 14, &plain, &e), 0);
    assert_int_equal(fs_write(path, "second", 6, &plain, &e), 0);
    assert_int_equal(fs_read(&back, NULL, path, 100, &e), 0);
    assert_string_equal(back, "second");
    assert_int_equal(fs_list(&names, dir, &e), 0);
    assert_int_equal(names.count, 1);
    drop(dir);
}

static void a_failed_write_keeps_the_old_file(void **state)
{
    char *dir = scratch();
    auto_free char *path = fs_join(dir, "folder");
    auto_strv struct strv names = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(fs_mkdirs(path, 0755, &e), 0);
    assert_int_equal(fs_write(path, "x", 1, &plain, &e), -1);
    assert_non_null(strstr(e.msg, path));
    assert_int_equal(fs_list(&names, dir, &e), 0);
    assert_int_equal(names.count, 1);
    drop(dir);
}

static void a_missing_file_is_not_found(void **state)
{
    struct err e = {0};
    char *out = NULL;

    (void)state;
    assert_int_equal(fs_read(&out, NULL, "/nonexistent/file", 10, &e), -1);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_string_equal(e.msg, "cannot open /nonexistent/file: No such file or directory");
    assert_null(out);
}

static void a_file_over_its_limit_is_refused(void **state)
{
    char *dir = scratch();
    auto_free char *path = fs_join(dir, "file");
    struct err e = {0};
    char *out = NULL;

    (void)state;
    assert_int_equal(fs_write(path, "12345", 5, &plain, &e), 0);
    assert_int_equal(fs_read(&out, NULL, path, 4, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "is larger than 4 bytes"));
    assert_null(out);
    drop(dir);
}

static void a_nul_in_a_text_is_refused(void **state)
{
    char *dir = scratch();
    auto_free char *path = fs_join(dir, "file");
    struct err e = {0};
    char *out = NULL;

    (void)state;
    assert_int_equal(fs_write(path, "a\0b", 3, &plain, &e), 0);
    assert_int_equal(fs_read(&out, NULL, path, 10, &e), -1);
    assert_non_null(strstr(e.msg, "contains a NUL byte"));
    drop(dir);
}

static void a_folder_or_a_device_is_no_file(void **state)
{
    struct err e = {0};
    char *out = NULL;

    (void)state;
    assert_int_equal(fs_read(&out, NULL, "/tmp", 10, &e), -1);
    assert_string_equal(e.msg, "/tmp is not a regular file");
    assert_int_equal(fs_read(&out, NULL, "/dev/zero", 10, &e), -1);
    assert_string_equal(e.msg, "/dev/zero is not a regular file");
}

static void directories_are_made_on_the_way(void **state)
{
    char *dir = scratch();
    auto_free char *deep = fs_join(dir, "a/b//c/");
    auto_free char *file = fs_join(dir, "file");
    auto_free char *under = fs_join(dir, "file/x");
    struct err e = {0};

    (void)state;
    assert_int_equal(fs_mkdirs(deep, 0755, &e), 0);
    assert_int_equal(fs_mkdirs(deep, 0755, &e), 0);
    assert_true(fs_exists(deep));
    assert_int_equal(fs_write(file, "", 0, &plain, &e), 0);
    assert_int_equal(fs_mkdirs(under, 0755, &e), -1);
    assert_int_equal(e.sys, ENOTDIR);
    drop(dir);
}

static void a_tree_is_removed_without_following_links(void **state)
{
    char *dir = scratch(), *other = scratch();
    auto_free char *kept = fs_join(other, "kept");
    auto_free char *deep = fs_join(dir, "tree/a/b/c");
    auto_free char *tree = fs_join(dir, "tree");
    auto_free char *link = fs_join(dir, "tree/a/link");
    auto_free char *top = fs_join(dir, "top");
    struct err e = {0};

    (void)state;
    assert_int_equal(fs_write(kept, "x", 1, &plain, &e), 0);
    assert_int_equal(fs_mkdirs(deep, 0700, &e), 0);
    assert_int_equal(symlink(other, link), 0);
    assert_int_equal(symlink(other, top), 0);
    assert_int_equal(fs_remove_tree(tree, &e), 0);
    assert_int_equal(fs_remove_tree(top, &e), 0);
    assert_int_equal(fs_remove_tree(tree, &e), 0);
    assert_false(fs_exists(tree));
    assert_true(fs_exists(kept));
    drop(dir);
    drop(other);
}

static void names_come_sorted(void **state)
{
    char *dir = scratch();
    auto_strv struct strv names = {0};
    struct err e = {0};

    (void)state;
    for (const char *const *n = (const char *const[]){"b", "c", ".hidden", "a", NULL}; *n; n++) {
        auto_free char *path = fs_join(dir, *n);

        assert_int_equal(fs_write(path, "", 0, &plain, &e), 0);
    }
    assert_int_equal(fs_list(&names, dir, &e), 0);
    auto_free char *joined = strv_join(&names, " ");
    assert_string_equal(joined, ".hidden a b c");
    assert_int_equal(fs_list(&names, "/nonexistent", &e), -1);
    assert_int_equal(e.code, ERR_NOTFOUND);
    drop(dir);
}

static void paths_are_joined_and_taken_apart(void **state)
{
    (void)state;
    auto_free char *a = fs_join("a", "b");
    auto_free char *b = fs_join("a/", "b");
    auto_free char *c = fs_join("", "b");

    assert_string_equal(a, "a/b");
    assert_string_equal(b, "a/b");
    assert_string_equal(c, "b");
    assert_string_equal(fs_basename("/a/b"), "b");
    assert_string_equal(fs_basename("b"), "b");
}

static void executable_means_a_file_that_may_run(void **state)
{
    (void)state;
    assert_true(fs_is_executable("/bin/sh"));
    assert_false(fs_is_executable("/tmp"));
    assert_false(fs_is_executable("/etc/passwd"));
    assert_false(fs_is_executable("/nonexistent"));
}

/* A file of 1 GiB with `len` bytes of `with` at `at`. */
static bool is_blank(const char *dir, off_t at, char with, size_t len)
{
    auto_free char *path = fs_join(dir, "disk");
    auto_free char *text = mem_alloc(len + 1);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    bool blank = false;
    struct err e;

    memset(text, with, len);
    assert_int_equal(ftruncate(fd, 1 << 30), 0);
    assert_int_equal(pwrite(fd, text, len, at), len);
    close(fd);
    assert_int_equal(fs_is_blank(&blank, path, &e), 0);
    unlink(path);
    return blank;
}

static void blank_is_what_holds_nothing_anywhere(void **state)
{
    auto_free char *dir = scratch();
    bool blank = true;
    struct err e;

    (void)state;
    assert_true(is_blank(dir, 0, 'x', 0));
    assert_true(is_blank(dir, 0, '\0', 4096));
    assert_true(is_blank(dir, 600 << 20, '\0', 3 << 20));
    assert_false(is_blank(dir, 0, 'x', 1));
    assert_false(is_blank(dir, 1025, 'x', 1));
    assert_false(is_blank(dir, 600 << 20, 'x', 1));
    assert_false(is_blank(dir, (1 << 30) - 1, 'x', 1));
    assert_false(is_blank(dir, 0, '\0', 65 << 20)); /* too much to look at */
    assert_int_equal(fs_is_blank(&blank, "/nonexistent/x", &e), -1);
    assert_false(blank);
    assert_int_equal(fs_remove_tree(dir, &e), 0);
}

/* 0 when the three are there and none of them takes what is written. */
static int look_at_standard(void)
{
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    fs_open_standard();
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) != 0 || write(fd, "x", 1) != -1)
            return 1;
    return fcntl(3, F_GETFD) == -1 ? 0 : 2;
}

static void closed_standard_streams_are_no_place_for_other_files(void **state)
{
    int status = -1;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        _exit(look_at_standard());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_with_its_mode),
        cmocka_unit_test(a_write_replaces_whole_and_leaves_nothing_beside),
        cmocka_unit_test(a_failed_write_keeps_the_old_file),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(a_file_over_its_limit_is_refused),
        cmocka_unit_test(a_nul_in_a_text_is_refused),
        cmocka_unit_test(a_folder_or_a_device_is_no_file),
        cmocka_unit_test(directories_are_made_on_the_way),
        cmocka_unit_test(a_tree_is_removed_without_following_links),
        cmocka_unit_test(names_come_sorted),
        cmocka_unit_test(paths_are_joined_and_taken_apart),
        cmocka_unit_test(executable_means_a_file_that_may_run),
        cmocka_unit_test(blank_is_what_holds_nothing_anywhere),
        cmocka_unit_test(closed_standard_streams_are_no_place_for_other_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
