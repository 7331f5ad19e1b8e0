/* SPDX-License-Identifier: MIT */
#include "engine/images.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"

/* A tree of dockerfiles/{base,x}, a component and two programs in a scratch folder. */
struct tree {
    char *root, *dockerfiles, *init, *agent, *component;
};

static void put(const struct tree *t, const char *name, const char *text)
{
    struct err e = {0};
    struct fs_write_opts o = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *path = fs_join(t->root, name);
    auto_free char *dir = mem_strndup(path, (size_t)(fs_basename(path) - path - 1));

    if (fs_mkdirs(dir, 0755, &e) < 0 || fs_write(path, text, strlen(text), &o, &e) < 0)
        fail_msg("%s", e.msg);
}

static int setup(void **state)
{
    struct tree *t = mem_alloc(sizeof(*t));

    t->root = mem_strdup("/tmp/slipway-images-test-XXXXXX");
    assert_non_null(mkdtemp(t->root));
    t->dockerfiles = fs_join(t->root, "dockerfiles");
    t->init = fs_join(t->root, "init");
    t->agent = fs_join(t->root, "agent");
    t->component = fs_join(t->root, "component");
    put(t, "dockerfiles/base/Dockerfile", "ARG BASE\nFROM ${BASE}\n");
    put(t, "dockerfiles/x/Dockerfile", "ARG BASE\nFROM ${BASE}\nRUN x\n");
    put(t, "init", "init");
    put(t, "agent", "agent");
    put(t, "component/component.yaml", "name: c\n");
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct tree *t = *state;
    struct err e = {0};

    fs_remove_tree(t->root, &e);
    free(t->root);
    free(t->dockerfiles);
    free(t->init);
    free(t->agent);
    free(t->component);
    free(t);
    return 0;
}

/* References of the component and of its engine image. */
struct refs {
    char *component, *engine;
};

static struct refs refs_of(const struct tree *t, const char *image)
{
    struct images_opts o = {.dockerfiles = t->dockerfiles,
                            .init = t->init,
                            .agent = t->agent,
                            .base = "debian:trixie-slim"};
    struct images_component c = {.name = "c", .image = image, .dir = t->component};
    struct refs r = {0};
    struct err e = {0};

    if (images_ref(&r.component, &o, &c, &e) < 0 || images_engine_ref(&r.engine, &o, &c, &e) < 0)
        fail_msg("%s", e.msg);
    struct images_opts prepared = o;
    auto_free char *same = NULL;
    assert_int_equal(images_prepare(&prepared, &e), 0);
    assert_int_equal(images_ref(&same, &prepared, &c, &e), 0);
    assert_string_equal(same, r.component);
    return r;
}

static void refs_clear(struct refs *r)
{
    free(r->component);
    free(r->engine);
}

#define auto_refs __attribute__((cleanup(refs_clear)))

static void references_have_the_documented_form(void **state)
{
    auto_refs struct refs r = refs_of(*state, "x"), base = refs_of(*state, NULL);

    assert_int_equal(strncmp(r.component, "slipway/c:", 10), 0);
    assert_int_equal(strlen(r.component), 10 + 16);
    assert_int_equal(strncmp(r.engine, "slipway/engine-x:", 17), 0);
    assert_int_equal(strncmp(base.engine, "slipway/engine-base:", 20), 0);
}

static void code_and_component_change_only_the_last_image(void **state)
{
    auto_refs struct refs before = refs_of(*state, "x");

    put(*state, "agent", "agent 2");
    auto_refs struct refs code = refs_of(*state, "x");
    put(*state, "component/hooks/ready", "#!/bin/sh\n");
    auto_refs struct refs hook = refs_of(*state, "x");
    assert_string_not_equal(before.component, code.component);
    assert_string_not_equal(code.component, hook.component);
    assert_string_equal(before.engine, code.engine);
    assert_string_equal(before.engine, hook.engine);
}

static void a_change_below_changes_everything_above(void **state)
{
    auto_refs struct refs before = refs_of(*state, "x");

    put(*state, "dockerfiles/base/Dockerfile", "ARG BASE\nFROM ${BASE}\nRUN more\n");
    auto_refs struct refs after = refs_of(*state, "x");
    assert_string_not_equal(before.engine, after.engine);
    assert_string_not_equal(before.component, after.component);
}

static void a_component_with_its_own_dockerfile_has_its_own_engine_image(void **state)
{
    put(*state, "component/Dockerfile", "ARG BASE\nFROM ${BASE}\nRUN own\n");
    auto_refs struct refs r = refs_of(*state, "x");
    assert_int_equal(strncmp(r.engine, "slipway/engine-c:", 17), 0);
}

static void a_shared_folder_counts_for_the_images_that_name_it(void **state)
{
    put(*state, "dockerfiles/shared/py/a.py", "one");
    auto_refs struct refs without = refs_of(*state, "x");
    put(*state, "dockerfiles/shared/py/a.py", "two");
    auto_refs struct refs unnamed = refs_of(*state, "x");
    assert_string_equal(without.engine, unnamed.engine);
    put(*state, "dockerfiles/x/Dockerfile", "# shared: py\nARG BASE\nFROM ${BASE}\n");
    auto_refs struct refs before = refs_of(*state, "x");
    put(*state, "dockerfiles/shared/py/a.py", "three");
    auto_refs struct refs after = refs_of(*state, "x");
    assert_string_not_equal(before.engine, after.engine);
    assert_string_not_equal(before.component, after.component);
}

static void a_shared_folder_that_is_none_is_refused(void **state)
{
    static const char *const BAD[] = {"# shared: none\n", "# shared: ../base\n", "# shared: \n",
                                      "# shared: ..\n"};
    const struct tree *t = *state;
    struct images_opts o = {
        .dockerfiles = t->dockerfiles, .init = t->init, .agent = t->agent, .base = "debian"};
    struct images_component c = {.name = "c", .image = "x", .dir = t->component};
    auto_free char *ref = NULL;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        put(t, "dockerfiles/x/Dockerfile", BAD[i]);
        assert_int_equal(images_engine_ref(&ref, &o, &c, &e), -1);
        assert_non_null(strstr(e.msg, "x/Dockerfile"));
    }
}

static void an_image_without_dockerfile_is_named(void **state)
{
    const struct tree *t = *state;
    struct images_opts o = {
        .dockerfiles = t->dockerfiles, .init = t->init, .agent = t->agent, .base = "debian:x"};
    struct images_component c = {.name = "c", .image = "nosuch", .dir = t->component};
    struct err e = {0};
    char *ref;

    assert_int_equal(images_ref(&ref, &o, &c, &e), -1);
    assert_null(ref);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "dockerfiles/nosuch/Dockerfile"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(references_have_the_documented_form),
        TEST(code_and_component_change_only_the_last_image),
        TEST(a_change_below_changes_everything_above),
        TEST(a_component_with_its_own_dockerfile_has_its_own_engine_image),
        TEST(a_shared_folder_counts_for_the_images_that_name_it),
        TEST(a_shared_folder_that_is_none_is_refused),
        TEST(an_image_without_dockerfile_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
