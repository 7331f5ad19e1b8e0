/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cmd/paths.h"

static void assert_home(const char *want)
{
    auto_free char *home = cmd_paths_home();

    assert_string_equal(home, want);
}

static void the_home_follows_the_users_settings(void **state)
{
    (void)state;
    setenv("HOME", "/h", 1);
    setenv("XDG_CONFIG_HOME", "/x", 1);
    setenv("SLIPWAY_HOME", "/s", 1);
    assert_home("/s");
    setenv("SLIPWAY_HOME", "", 1);
    assert_home("/x/slipway");
    setenv("XDG_CONFIG_HOME", "relative", 1);
    assert_home("/h/.config/slipway");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_home_follows_the_users_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
