/* SPDX-License-Identifier: MIT */
#include "engine/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "engine/images.h"

static char *scratch(void)
{
    char *dir = mem_strdup("/tmp/slipway-context-test-XXXXXX");

    assert_non_null(mkdtemp(dir));
    return dir;
}

static void put(const char *dir, const char *name, const char *text, mode_t mode)
{
    struct err e = {0};
    struct fs_write_opts o = {.mode = mode, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *path = fs_join(dir, name);

    if (fs_write(path, text, strlen(text), &o, &e) < 0)
        fail_msg("%s", e.msg);
}

static void hash_of(const char *dir, char hash[65])
{
    auto_context struct context *c = context_new();
    struct err e = {0};

    if (context_add_dir(c, dir, "", &e) < 0 || context_hash(c, hash, &e) < 0)
        fail_msg("%s", e.msg);
}

static void remove_scratch(char *dir)
{
    struct err e = {0};

    fs_remove_tree(dir, &e);
    free(dir);
}

static void times_and_owner_bits_do_not_change_the_hash(void **state)
{
    (void)state;
    char *dir = scratch();
    char before[65], after[65];
    put(dir, "a", "text", 0640);
    hash_of(dir, before);
    auto_free char *path = fs_join(dir, "a");
    struct utimbuf old = {1, 1};
    utime(path, &old);
    chmod(path, 0600);
    hash_of(dir, after);
    assert_string_equal(before, after);
    remove_scratch(dir);
}

static void content_name_and_execute_bit_change_the_hash(void **state)
{
    (void)state;
    char *dir = scratch();
    char hashes[5][65];
    put(dir, "a", "text", 0644);
    hash_of(dir, hashes[0]);
    put(dir, "a", "texu", 0644);
    hash_of(dir, hashes[1]);
    put(dir, "a", "text", 0755);
    hash_of(dir, hashes[2]);
    put(dir, "a", "text", 0644);
    put(dir, "b", "", 0644);
    hash_of(dir, hashes[3]);
    auto_free char *link = fs_join(dir, "link");
    assert_int_equal(symlink("a", link), 0);
    hash_of(dir, hashes[4]);
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(hashes[i], hashes[k]);
    remove_scratch(dir);
}

static void the_tar_is_sorted_and_belongs_to_nobody_at_no_time(void **state)
{
    (void)state;
    char *dir = scratch();
    char names[500] = "";
    struct err e = {0};
    int fd = -1;
    put(dir, "z", "z", 0700);
    put(dir, "b", "b", 0600);
    auto_context struct context *c = context_new();
    assert_int_equal(context_add_dir(c, dir, "tree/deep", &e), 0);
    context_add_text(c, "Dockerfile", "FROM x\n", 0644);
    context_add_text(c, "Dockerfile", "FROM y\n", 0644); /* replaces */
    assert_int_equal(context_write(c, NULL, &fd, &e), 0);
    lseek(fd, 0, SEEK_SET);
    struct archive *a = archive_read_new();
    struct archive_entry *n;
    archive_read_support_format_tar(a);
    assert_int_equal(archive_read_open_fd(a, fd, 10240), ARCHIVE_OK);
    while (archive_read_next_header(a, &n) == ARCHIVE_OK) {
        size_t used = strlen(names);

        snprintf(names + used, sizeof(names) - used, "%s %o;", archive_entry_pathname(n),
                 (unsigned)archive_entry_perm(n));
        assert_int_equal(archive_entry_mtime(n), 0);
        assert_int_equal(archive_entry_uid(n), 0);
        assert_int_equal(archive_entry_gid(n), 0);
    }
    archive_read_free(a);
    close(fd);
    assert_string_equal(names, "Dockerfile 644;tree/deep 755;tree/deep/b 644;tree/deep/z 755;");
    remove_scratch(dir);
}

static void long_names_and_targets_come_through(void **state)
{
    (void)state;
    char *dir = scratch();
    char name[201], target[301];
    struct err e = {0};
    int fd = -1;
    memset(name, 'n', sizeof(name) - 1);
    memset(target, 't', sizeof(target) - 1);
    name[200] = target[300] = '\0';
    put(dir, "file", "12345", 0644);
    auto_free char *path = fs_join(dir, "file"), *link = fs_join(dir, "link");
    assert_int_equal(symlink(target, link), 0);
    auto_context struct context *c = context_new();
    assert_int_equal(context_add_file(c, path, name, 0644, &e), 0);
    assert_int_equal(context_add_dir(c, dir, "d", &e), 0);
    assert_int_equal(context_write(c, NULL, &fd, &e), 0);
    lseek(fd, 0, SEEK_SET);
    struct archive *a = archive_read_new();
    struct archive_entry *n;
    int seen = 0;
    archive_read_support_format_tar(a);
    assert_int_equal(archive_read_open_fd(a, fd, 10240), ARCHIVE_OK);
    while (archive_read_next_header(a, &n) == ARCHIVE_OK) {
        if (strcmp(archive_entry_pathname(n), name) == 0 && archive_entry_size(n) == 5)
            seen |= 1;
        if (archive_entry_symlink(n) && strcmp(archive_entry_symlink(n), target) == 0)
            seen |= 2;
    }
    archive_read_free(a);
    close(fd);
    assert_int_equal(seen, 3);
    remove_scratch(dir);
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    auto_context struct context *c = context_new();
    struct err e = {0};
    assert_int_equal(context_add_dir(c, "/no/such/folder", "", &e), -1);
    assert_non_null(strstr(e.msg, "/no/such/folder"));
    assert_int_equal(context_add_file(c, "/no/such/file", "x", 0644, &e), -1);
    assert_non_null(strstr(e.msg, "/no/such/file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_and_owner_bits_do_not_change_the_hash),
        cmocka_unit_test(content_name_and_execute_bit_change_the_hash),
        cmocka_unit_test(the_tar_is_sorted_and_belongs_to_nobody_at_no_time),
        cmocka_unit_test(long_names_and_targets_come_through),
        cmocka_unit_test(a_missing_folder_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
