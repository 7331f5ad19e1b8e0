/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/secret.h"
#include "model/ssh_state.h"

static struct ssh_state read_text(const char *text)
{
    auto_node struct node *root = NULL;
    struct ssh_state s;
    struct err e;

    assert_int_equal(json_parse(&root, "test", text, strlen(text), &e), 0);
    ssh_state_read(&s, root);
    return s;
}

static void what_is_missing_or_wrong_is_the_beginning(void **state)
{
    static const char *const texts[] = {"{}", "{\"ssh\":3}", "{\"ssh\":{\"generation\":-4}}",
                                        "{\"ssh\":{\"generation\":99999999999}}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct ssh_state s = read_text(texts[i]);

        assert_int_equal(s.generation, 1);
        assert_int_equal(s.next, 0);
        assert_int_equal(s.previous, 0);
    }
}

static void what_is_written_is_read(void **state)
{
    auto_node struct node *root = node_new_map();
    const struct ssh_state s = {.generation = 7, .previous = 6};
    struct ssh_state back;

    (void)state;
    ssh_state_write(root, &s);
    ssh_state_read(&back, root);
    assert_memory_equal(&s, &back, sizeof(s));
    ssh_state_write(root, &(struct ssh_state){.generation = 1});
    assert_null(node_get(root, "ssh"));
}

static void both_keys_are_accepted_while_the_next_one_is_tried(void **state)
{
    struct env_key k = {.bytes = {1}, .ssh = {.generation = 2, .next = 3}};
    auto_wipe char *private_pem = NULL;
    auto_wipe char *other = NULL;
    auto_free char *now = NULL, *next = NULL, *lines = NULL;
    struct err e;

    (void)state;
    assert_int_equal(secret_ssh_client(&private_pem, &now, &k, &e), 0);
    assert_int_equal(secret_ssh_client_of(&other, &next, &k, 3, &e), 0);
    assert_string_not_equal(now, next);
    assert_int_equal(secret_ssh_authorized(&lines, &k, &e), 0);
    auto_free char *both = mem_printf("%s\n%s", now, next);
    assert_string_equal(lines, both);
    free(steal(lines));
    k.ssh = (struct ssh_state){.generation = 3, .previous = 2};
    assert_int_equal(secret_ssh_authorized(&lines, &k, &e), 0);
    assert_string_equal(lines, next);
}

static void the_next_key_that_deploys_is_bound_as_the_one_in_use(void **state)
{
    struct env_key k = {.bytes = {1}, .ssh = {.generation = 2, .next = 3}};
    auto_wipe char *private_pem = NULL;
    auto_wipe char *other = NULL;
    auto_free char *now = NULL, *next = NULL, *lines = NULL;
    struct err e;

    (void)state;
    assert_int_equal(secret_ssh_deploy(&private_pem, &now, &k, 2, &e), 0);
    assert_int_equal(secret_ssh_deploy(&other, &next, &k, 3, &e), 0);
    assert_string_not_equal(now, next);
    assert_int_equal(secret_ssh_deployers(&lines, &k, &e), 0);
    auto_free char *both = mem_printf(
        "%s\nrestrict,command=\"/usr/lib/slipway/slipway-agent release forced\" %s", now, next);
    assert_string_equal(lines, both);
    free(steal(lines));
    k.ssh = (struct ssh_state){.generation = 3, .previous = 2};
    assert_int_equal(secret_ssh_deployers(&lines, &k, &e), 0);
    assert_string_equal(lines, next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_or_wrong_is_the_beginning),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(both_keys_are_accepted_while_the_next_one_is_tried),
        cmocka_unit_test(the_next_key_that_deploys_is_bound_as_the_one_in_use),
    };

    return cmocka_run_group_tests_name("ssh_state", tests, NULL, NULL);
}
