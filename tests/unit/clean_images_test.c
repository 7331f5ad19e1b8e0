/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "env/clean_images.h"

enum { MIB = 1 << 20, OLD = 1000, BEFORE = 5000, YOUNG = 6000 };

/* `layers` is one letter for each, from the bottom up; `tags` words, or NULL. */
static void add(struct node *images, const char *id, const char *layers, const char *tags)
{
    struct node *n = node_add(images, node_new_map()), *list;
    auto_strv struct strv words = {0};

    node_set_text(n, "Id", id);
    node_set_int(n, "Created", OLD);
    node_set_int(n, "Size", (int64_t)strlen(layers) * MIB);
    node_set_text(node_set(n, "Labels", node_new_map()), "slipway.image", id);
    strv_split(&words, tags ? tags : "<none>:<none>", " ");
    list = node_set(n, "RepoTags", node_new_list());
    for (size_t i = 0; i < words.count; i++)
        node_add_text(list, words.items[i]);
    list = node_set(n, "Layers", node_new_list());
    for (; *layers; layers++) {
        char name[2] = {*layers, '\0'};

        node_add_text(list, name);
    }
}

/* debian - base - engine - two versions of a component; another engine that nobody needs. */
static struct node *some_images(void)
{
    struct node *images = node_new_list();

    add(images, "debian", "d", "slipway/debian:trixie");
    add(images, "base", "db", "slipway/engine-base:1");
    add(images, "engine", "dbe", "slipway/engine-x:1");
    add(images, "old", "dbeo", "slipway/x:1");
    add(images, "new", "dben", "slipway/x:2 slipway/x:latest");
    add(images, "other", "dbo", "slipway/engine-y:1");
    add(images, "lone", "dboyz", NULL);
    return images;
}

/* "id bytes-in-MiB" of what goes, in order. */
static char *chosen(const struct node *images, const char *used, const char *wanted)
{
    auto_node struct node *items = node_new_list();
    auto_strv struct strv u = {0}, w = {0}, out = {0};
    const struct clean_images c = {.images = images, .used = &u, .wanted = &w, .before = BEFORE};
    const struct node *n;

    strv_split(&u, used, " ");
    strv_split(&w, wanted, " ");
    clean_images_choose(items, &c);
    node_for_each (n, items) {
        strv_addf(&out, "%s %d", node_get_text(n, "id"), (int)(node_get_int(n, "bytes", 0) / MIB));
    }
    return strv_join(&out, ", ");
}

#define assert_chosen(images, used, wanted, want)                                                  \
    do {                                                                                           \
        auto_free char *got = chosen(images, used, wanted);                                        \
        assert_string_equal(got, want);                                                            \
    } while (0)

static void what_a_container_uses_stays_and_what_it_stands_on(void **state)
{
    auto_node struct node *images = some_images();

    (void)state;
    assert_chosen(images, "old", "", "lone 2, new 1, other 1");
    assert_chosen(images, "old new lone", "", "");
}

static void what_the_catalog_wants_stays_by_any_of_its_tags(void **state)
{
    auto_node struct node *images = some_images();

    (void)state;
    assert_chosen(images, "", "slipway/x:2", "lone 2, old 1, other 1");
    assert_chosen(images, "", "slipway/x:latest slipway/engine-y:1", "lone 2, old 1");
}

static void what_was_made_lately_stays(void **state)
{
    auto_node struct node *images = some_images();

    (void)state;
    node_set_int(images->items[3], "Created", YOUNG);
    assert_chosen(images, "", "", "lone 2, new 1, other 1");
    node_set_int(images->items[3], "Created", BEFORE - 1);
    assert_chosen(images, "", "", "lone 2, new 1, old 1, engine 1, other 1, base 1");
}

static void the_distribution_stays_when_nothing_else_does(void **state)
{
    auto_node struct node *images = some_images();
    auto_free char *got = chosen(images, "", "");

    (void)state;
    assert_null(strstr(got, "debian"));
}

static void an_image_is_called_by_its_hash_or_by_what_it_was_built_for(void **state)
{
    auto_node struct node *images = some_images(), *items = node_new_list();
    const struct strv none = {0};
    const struct clean_images c = {
        .images = images, .used = &none, .wanted = &none, .before = BEFORE};

    (void)state;
    clean_images_choose(items, &c);
    assert_string_equal(node_get_text(items->items[0], "name"), "lone, without a tag");
    assert_int_equal(node_get(items->items[0], "tags")->count, 0);
    assert_string_equal(node_get_text(items->items[1], "name"), "slipway/x:2");
    assert_int_equal(node_get(items->items[1], "tags")->count, 2);
}

static void one_whose_layers_are_not_known_stands_on_nothing(void **state)
{
    auto_node struct node *images = some_images();

    (void)state;
    node_remove(images->items[4], "Layers");
    assert_chosen(images, "new", "", "lone 2, old 1, engine 1, other 1, base 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_container_uses_stays_and_what_it_stands_on),
        cmocka_unit_test(what_the_catalog_wants_stays_by_any_of_its_tags),
        cmocka_unit_test(what_was_made_lately_stays),
        cmocka_unit_test(the_distribution_stays_when_nothing_else_does),
        cmocka_unit_test(an_image_is_called_by_its_hash_or_by_what_it_was_built_for),
        cmocka_unit_test(one_whose_layers_are_not_known_stands_on_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
