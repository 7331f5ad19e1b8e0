/* SPDX-License-Identifier: MIT */
#include "env/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void roles_have_names_and_nobody_has_that_of_anybody(void **state)
{
    enum access_role r = ACCESS_ROLE_ANYBODY;

    (void)state;
    for (int i = ACCESS_ROLE_METRICS; i <= ACCESS_ROLE_ADMIN; i++) {
        assert_true(access_role_parse(&r, access_role_name((enum access_role)i)));
        assert_int_equal(r, i);
    }
    assert_false(access_role_parse(&r, "anybody"));
    assert_false(access_role_parse(&r, "root"));
    assert_false(access_role_parse(&r, NULL));
}

static void a_users_name_is_one_plain_word(void **state)
{
    static const char *const good[] = {"a", "ann", "ann.b-c_1",
                                       "abcdefghijklmnopqrstuvwxyzabcdefghijklmn"};
    static const char *const bad[] = {"",
                                      "Ann",
                                      "1a",
                                      ".a",
                                      "a b",
                                      "a/b",
                                      "..",
                                      "first",
                                      "a\n",
                                      "a\x7f",
                                      "\xc3\xa4",
                                      "a%2f",
                                      "abcdefghijklmnopqrstuvwxyzabcdefghijklmno"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(access_user_is_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(access_user_is_valid(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_have_names_and_nobody_has_that_of_anybody),
        cmocka_unit_test(a_users_name_is_one_plain_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
