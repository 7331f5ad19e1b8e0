/* SPDX-License-Identifier: MIT */
#include "controller/shared_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void it_lasts_as_long_as_its_last_user(void **state)
{
    struct shared_text *first = shared_text_new(mem_strdup("text")), *second;

    (void)state;
    second = shared_text_use(first);
    assert_ptr_equal(first, second);
    shared_text_release(first);
    assert_string_equal(second->text, "text");
    assert_int_equal(second->len, 4);
    assert_int_equal(second->users, 1);
    shared_text_release(second); /* the sanitizer says whether it was the last */
    shared_text_release(NULL);
}

static void the_tag_is_that_of_the_text(void **state)
{
    struct shared_text *a = shared_text_new(mem_strdup("a")),
                       *same = shared_text_new(mem_strdup("a"));
    struct shared_text *b = shared_text_new(mem_strdup("b"));

    (void)state;
    assert_string_equal(a->tag, "ca978112ca1bbdca");
    assert_string_equal(a->tag, same->tag);
    assert_string_not_equal(a->tag, b->tag);
    shared_text_release(a);
    shared_text_release(same);
    shared_text_release(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lasts_as_long_as_its_last_user),
        cmocka_unit_test(the_tag_is_that_of_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
