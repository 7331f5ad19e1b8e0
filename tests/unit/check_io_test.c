/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include "check/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

#define SUM "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void the_word_of_a_driver_is_read(void **state)
{
    struct check_io io;
    struct err e;
    auto_free char *file = NULL, *none = NULL;

    (void)state;
    assert_int_equal(check_io_parse(&io, &file,
                                    "{\"sha256\":\"" SUM "\",\"via\":\"a file\",\"file\":\"d\"}",
                                    &e),
                     0);
    assert_string_equal(io.sum, SUM);
    assert_string_equal(io.via, "a file");
    assert_string_equal(file, "d");
    assert_int_equal(check_io_parse(&io, &none, "{\"sha256\":\"" SUM "\"}", &e), 0);
    assert_null(none);
    assert_string_equal(io.via, "its own protocol");
}

static void a_driver_that_says_nonsense_is_told_so(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "{\"sha256\":\"abc\"}",
        "{\"sha256\":\"Z3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}",
        "{\"sha256\":\"" SUM "\",\"file\":\"../shadow\"}",
        "{\"sha256\":\"" SUM "\",\"file\":\"\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct check_io io;
        struct err e;
        auto_free char *file = NULL;

        assert_int_equal(check_io_parse(&io, &file, texts[i], &e), -1);
        assert_null(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_of_a_driver_is_read),
        cmocka_unit_test(a_driver_that_says_nonsense_is_told_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
