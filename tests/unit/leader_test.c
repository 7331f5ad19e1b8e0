/* SPDX-License-Identifier: MIT */
// wrap: clock_lease_ms
#include "controller/leader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { RENEWED = 1000000, SURE_MS = 10000, REVISION = 7 };

static int64_t now;

int64_t __wrap_clock_lease_ms(void);
int64_t __wrap_clock_lease_ms(void)
{
    return now;
}

/* The clock is one that goes on while the machine sleeps: who wakes leads no longer. */
static void who_could_not_renew_its_lease_for_ten_seconds_does_not_act(void **state)
{
    struct etcd_fence fence;
    struct leader l;
    struct err e;

    (void)state;
    leader_init(&l, NULL);
    now = RENEWED;
    assert_false(leader_leads(&l, &fence)); /* it has no key */
    l.revision = REVISION;
    l.renewed = RENEWED;
    now = RENEWED + SURE_MS - 1;
    assert_true(leader_leads(&l, &fence));
    assert_int_equal(fence.create_revision, REVISION);
    assert_int_equal(leader_ask(&l, &e), 0);
    now++;
    assert_false(leader_leads(&l, &fence));
    assert_int_equal(leader_ask(&l, &e), -1);
    assert_int_equal(e.code, ERR_LOCKED);
    leader_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_could_not_renew_its_lease_for_ten_seconds_does_not_act),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
