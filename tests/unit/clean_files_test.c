/* SPDX-License-Identifier: MIT */
/* What `clean` may offer of the folders where environments are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/node.h"
#include "env/clean_files.h"
#include "plan/lock_owner.h"

static const struct fs_write_opts MODE = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};

static void put(const char *home, const char *name, const char *text)
{
    auto_free char *path = fs_join(home, name);
    auto_free char *folder = mem_strndup(path, strlen(path) - strlen(fs_basename(path)));
    struct err e;

    assert_int_equal(fs_mkdirs(folder, 0700, &e), 0);
    assert_int_equal(fs_write(path, text, strlen(text), &MODE, &e), 0);
}

static void only_what_a_run_made_is_offered(void **state)
{
    static const struct {
        const char *files[4];
        bool offered;
    } rows[] = {
        {{"lock"}, true},
        {{"lock", "journal", "document.json"}, true},
        {{"lock", "volumes", "links/x-1/link"}, true},
        {{"lock", "key"}, false},            /* an environment */
        {{"journal"}, false},                /* a run takes the lock first */
        {{"lock", "thesis"}, false},         /* somebody put something there */
        {{"lock", "links/x-1/page"}, false}, /* likewise */
        {{"lock", "links/page"}, false},
        {{"lock", "journal/page"}, false},
        {{"photo"}, false},
    };
    char home[] = "/tmp/slipway-clean-XXXXXX";
    auto_free char *owner = lock_owner_text("up", "ann");
    auto_node struct node *none = node_new_list();
    auto_strv struct strv dirs = {0};
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(home));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *folder = mem_printf("%s/x%zu", home, i);
        auto_node struct node *items = node_new_list();
        bool offered;

        for (size_t k = 0; k < ARRAY_LEN(rows[i].files) && rows[i].files[k]; k++)
            put(folder, rows[i].files[k], k == 0 ? owner : "");
        clean_files_find(items, home, &dirs, none, INT64_MAX);
        offered = items->count && node_text_is(items->items[0], "name", folder);
        if (offered != rows[i].offered)
            fail_msg("row %zu", i);
        assert_int_equal(fs_remove_tree(folder, &e), 0);
    }
    assert_int_equal(fs_remove_tree(home, &e), 0);
}

static void a_lock_that_says_nothing_of_a_run_is_somebody_elses(void **state)
{
    static const char *const texts[] = {"", "{}", "hello", "{\"lock\": true}"};
    char home[] = "/tmp/slipway-clean-XXXXXX";
    auto_node struct node *none = node_new_list();
    auto_strv struct strv dirs = {0};
    struct err e;

    (void)state;
    assert_non_null(mkdtemp(home));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        auto_node struct node *items = node_new_list();

        put(home, "x/lock", texts[i]);
        clean_files_find(items, home, &dirs, none, INT64_MAX);
        assert_int_equal(items->count, 0);
    }
    assert_int_equal(fs_remove_tree(home, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_a_run_made_is_offered),
        cmocka_unit_test(a_lock_that_says_nothing_of_a_run_is_somebody_elses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
