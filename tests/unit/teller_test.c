/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/teller.h"

enum { SAYERS = 8, EACH = 200 };

struct heard {
    struct teller *teller;
    atomic_int telling;
    size_t count, next[SAYERS];
    bool two_at_once, out_of_order;
};

struct word {
    struct heard *heard;
    size_t who, number;
};

static struct teller *open_teller(void)
{
    struct teller *t;
    struct err e;

    assert_int_equal(teller_open(&t, &e), 0);
    return t;
}

static void hear(void *what)
{
    struct word *w = what;
    struct heard *h = w->heard;

    if (atomic_fetch_add(&h->telling, 1) > 0)
        h->two_at_once = true;
    if (w->number != h->next[w->who]++)
        h->out_of_order = true;
    h->count++;
    atomic_fetch_sub(&h->telling, 1);
    free(w);
}

static void say(struct heard *h, size_t who, size_t number, size_t size)
{
    struct word *w = mem_alloc(sizeof(*w));

    *w = (struct word){h, who, number};
    teller_say(h->teller, hear, w, size);
}

static void sayer(void *arg, size_t i)
{
    struct heard *h = arg;

    for (size_t n = 0; n < EACH; n++)
        say(h, i, n, TELLER_MAX / 4);
}

static void all_is_told_one_at_a_time_in_each_threads_order(void **state)
{
    struct heard h = {0};

    (void)state;
    h.teller = open_teller();
    pool_run(SAYERS, SAYERS, sayer, &h);
    teller_close(h.teller);
    assert_int_equal(h.count, SAYERS * EACH);
    assert_false(h.two_at_once);
    assert_false(h.out_of_order);
}

static void what_was_said_is_told_after_a_wait(void **state)
{
    struct heard h = {0};

    (void)state;
    h.teller = open_teller();
    for (size_t i = 0; i < EACH; i++) {
        say(&h, 0, i, 1);
        teller_wait(h.teller);
        assert_int_equal(h.count, i + 1);
    }
    teller_close(h.teller);
}

/* Reads a byte, which comes only when the test has said more. */
static void stall(void *what)
{
    const int *fd = what;
    char byte;

    assert_int_equal(read(*fd, &byte, 1), 1);
}

static void who_says_something_goes_on_while_another_call_stalls(void **state)
{
    struct heard h = {0};
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    h.teller = open_teller();
    teller_say(h.teller, stall, &fds[0], 1);
    say(&h, 0, 0, TELLER_MAX - 1);
    assert_int_equal(write(fds[1], "x", 1), 1);
    teller_close(h.teller);
    assert_int_equal(h.count, 1);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_told_one_at_a_time_in_each_threads_order),
        cmocka_unit_test(what_was_said_is_told_after_a_wait),
        cmocka_unit_test(who_says_something_goes_on_while_another_call_stalls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
