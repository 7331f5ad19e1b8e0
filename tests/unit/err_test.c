/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void set_fills_code_place_and_sentence(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(err_set(&e, ERR_NOTFOUND, "no component %s", "x"), -1);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_int_equal(e.sys, 0);
    assert_string_equal(e.msg, "no component x");
    assert_string_equal(e.where, __func__);
}

static void a_code_is_found_by_its_name(void **state)
{
    (void)state;
    for (int code = ERR_USAGE; code <= ERR_INTERRUPTED; code++)
        assert_int_equal(err_code_find(err_code_name((enum err_code)code), ERR_SYS), code);
    assert_int_equal(err_code_find("none", ERR_REMOTE), ERR_REMOTE);
    assert_int_equal(err_code_find("", ERR_REMOTE), ERR_REMOTE);
}

static void sys_appends_the_reason_and_keeps_errno(void **state)
{
    struct err e = {0};

    (void)state;
    errno = ENOENT;
    err_sys(&e, "cannot open %s", "/x");
    assert_int_equal(e.code, ERR_SYS);
    assert_int_equal(e.sys, ENOENT);
    assert_string_equal(e.msg, "cannot open /x: No such file or directory");
}

static void wrap_puts_context_in_front_and_keeps_the_rest(void **state)
{
    struct err e = {0};

    (void)state;
    errno = EACCES;
    err_sys(&e, "reading");
    err_wrap(&e, "loading %s", "spec");
    assert_string_equal(e.msg, "loading spec: reading: Permission denied");
    assert_int_equal(e.sys, EACCES);
}

static void a_message_may_quote_the_one_it_replaces(void **state)
{
    struct err e = {0};

    (void)state;
    err_set(&e, ERR_NET, "first");
    err_set(&e, ERR_REMOTE, "second after %s", e.msg);
    assert_string_equal(e.msg, "second after first");
}

static void a_message_that_is_too_long_ends_in_dots(void **state)
{
    char text[ERR_MSG_MAX + 100];
    struct err e = {0};

    (void)state;
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    err_set(&e, ERR_SYS, "%s", text);
    assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
    assert_string_equal(e.msg + ERR_MSG_MAX - 5, "a...");
    err_wrap(&e, "context");
    assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
    assert_memory_equal(e.msg, "context: aaa", 12);
    assert_string_equal(e.msg + ERR_MSG_MAX - 5, "a...");
}

static void every_code_has_its_exit_status_and_name(void **state)
{
    static const struct {
        enum err_code code;
        int status;
        const char *name;
    } rows[] = {
        {ERR_NONE, 0, "none"},
        {ERR_USAGE, 6, "usage"},
        {ERR_CONFIG, 6, "config"},
        {ERR_NOTFOUND, 1, "notfound"},
        {ERR_CONFLICT, 1, "conflict"},
        {ERR_AUTH, 7, "auth"},
        {ERR_NET, 1, "net"},
        {ERR_TIMEOUT, 8, "timeout"},
        {ERR_REMOTE, 1, "remote"},
        {ERR_SYS, 1, "sys"},
        {ERR_LOCKED, 4, "locked"},
        {ERR_PARTIAL, 3, "partial"},
        {ERR_UNHEALTHY, 5, "unhealthy"},
        {ERR_INTERRUPTED, 130, "interrupted"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(err_exit_status(rows[i].code), rows[i].status);
        assert_string_equal(err_code_name(rows[i].code), rows[i].name);
    }
    assert_int_equal(err_exit_status((enum err_code)99), 1);
}

static void only_net_and_timeout_may_be_tried_again(void **state)
{
    (void)state;
    for (int code = ERR_NONE; code <= ERR_INTERRUPTED; code++) {
        struct err e = {.code = (enum err_code)code};

        assert_int_equal(err_retryable(&e), code == ERR_NET || code == ERR_TIMEOUT);
    }
}

static void a_dropped_error_is_empty(void **state)
{
    struct err e = {0};

    (void)state;
    err_set(&e, ERR_NET, "gone");
    err_drop(&e, "optional facts");
    assert_int_equal(e.code, ERR_NONE);
    assert_string_equal(e.msg, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_code_place_and_sentence),
        cmocka_unit_test(a_code_is_found_by_its_name),
        cmocka_unit_test(sys_appends_the_reason_and_keeps_errno),
        cmocka_unit_test(wrap_puts_context_in_front_and_keeps_the_rest),
        cmocka_unit_test(a_message_may_quote_the_one_it_replaces),
        cmocka_unit_test(a_message_that_is_too_long_ends_in_dots),
        cmocka_unit_test(every_code_has_its_exit_status_and_name),
        cmocka_unit_test(only_net_and_timeout_may_be_tried_again),
        cmocka_unit_test(a_dropped_error_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
