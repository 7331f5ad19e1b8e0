/* SPDX-License-Identifier: MIT */
#include "engine/client_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/mem.h"
#include "engine/engine.h"

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = mem_strdup("/tmp/slipway-client-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct err e;

    (void)state;
    fs_remove_tree(folder, &e);
    free(folder);
    return 0;
}

static void put(const char *name, const char *text)
{
    const struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *path = fs_join(folder, name);
    auto_free char *dir = mem_strndup(path, (size_t)(fs_basename(path) - path - 1));
    struct err e;

    assert_int_equal(fs_mkdirs(dir, 0700, &e), 0);
    assert_int_equal(fs_write(path, text, strlen(text), &o, &e), 0);
}

/* Docker names a context's folder by the SHA-256 of its name. */
static void put_context(const char *hash, const char *host)
{
    auto_free char *name = mem_printf("contexts/meta/%s/meta.json", hash);
    auto_free char *text =
        mem_printf("{\"Name\":\"x\",\"Metadata\":{},\"Endpoints\":{\"docker\":{\"Host\":\"%s\","
                   "\"SkipTLSVerify\":false}}}",
                   host);

    put(name, text);
}

static void the_context_is_that_of_the_variable_else_the_current_one(void **state)
{
    static const char other[] = /* sha256 of "other" */
        "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa";
    auto_free char *none = NULL, *local = NULL, *current = NULL, *named = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(client_config_engine(&none, NULL, NULL, &e), 0);
    assert_string_equal(none, ENGINE_LOCAL);
    put_context(other, "unix:///run/other.sock");
    put("config.json", "{\"currentContext\": \"other\"}");
    assert_int_equal(client_config_engine(&current, folder, NULL, &e), 0);
    assert_string_equal(current, "unix:///run/other.sock");
    assert_int_equal(client_config_engine(&local, folder, "default", &e), 0);
    assert_string_equal(local, ENGINE_LOCAL);
    put("config.json", "{}");
    assert_int_equal(client_config_engine(&named, folder, "other", &e), 0);
    assert_string_equal(named, "unix:///run/other.sock");
}

static void a_context_that_cannot_be_used_is_refused_with_what_to_set(void **state)
{
    static const char remote[] = /* sha256 of "remote" */
        "b71199ebd070b36beab7317920c2c2f1d777df8d05e5527d8458fda57cb17a7a";
    char *url = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(client_config_engine(&url, folder, "gone", &e), -1);
    assert_string_equal(e.msg, "there is no Docker context gone (`docker context ls` lists them); "
                               "set DOCKER_CONTEXT=default for the engine of this machine");
    put_context(remote, "ssh://me@there");
    assert_int_equal(client_config_engine(&url, folder, "remote", &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.msg, "Docker context remote means ssh://me@there, and Slipway reaches an "
                               "engine by its socket alone: run it on the machine of that engine, "
                               "or set DOCKER_CONTEXT=default for the engine of this one");
    assert_null(url);
}

static void builds_get_the_proxies_of_the_engine_else_the_default_ones(void **state)
{
    auto_node struct node *none = client_config_proxies(NULL, ENGINE_LOCAL);
    auto_node struct node *own = NULL, *common = NULL, *broken = NULL;

    (void)state;
    assert_int_equal(none->count, 0);
    put("config.json", "{\"proxies\": {\"default\": {\"httpProxy\": \"http://u:secret@p:1\", "
                       "\"noProxy\": \"a,b\"}, \"unix:///x\": {\"httpsProxy\": \"http://q\"}}}");
    common = client_config_proxies(folder, ENGINE_LOCAL);
    assert_int_equal(common->count, 4);
    assert_string_equal(node_get_text(common, "HTTP_PROXY"), "http://u:secret@p:1");
    assert_string_equal(node_get_text(common, "http_proxy"), "http://u:secret@p:1");
    assert_string_equal(node_get_text(common, "NO_PROXY"), "a,b");
    assert_string_equal(node_get_text(common, "no_proxy"), "a,b");
    own = client_config_proxies(folder, "unix:///x");
    assert_int_equal(own->count, 2);
    assert_string_equal(node_get_text(own, "https_proxy"), "http://q");
    put("config.json", "{\"proxies\": ");
    broken = client_config_proxies(folder, ENGINE_LOCAL);
    assert_int_equal(broken->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_context_is_that_of_the_variable_else_the_current_one,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_context_that_cannot_be_used_is_refused_with_what_to_set,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(builds_get_the_proxies_of_the_engine_else_the_default_ones,
                                        make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
