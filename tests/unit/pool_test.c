/* SPDX-License-Identifier: MIT */
// wrap: clock_gettime
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/pool.h"

/* Somebody sets the wall clock back by an hour as soon as it has been read. */
int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    int r = __real_clock_gettime(clock, out);

    if (clock == CLOCK_REALTIME)
        out->tv_sec += 3600;
    return r;
}

struct seen {
    atomic_int count[500];
    atomic_int running, most;
};

static void count(void *arg, size_t i)
{
    struct seen *s = arg;

    atomic_fetch_add(&s->count[i], 1);
}

static void every_job_runs_once(void **state)
{
    struct seen s = {0};

    (void)state;
    pool_run(500, 8, count, &s);
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(s.count[i], 1);
}

static void no_jobs_and_no_threads_are_fine(void **state)
{
    struct seen s = {0};

    (void)state;
    pool_run(0, 8, count, &s);
    pool_run(3, 0, count, &s);
    pool_run(3, 1, count, &s);
    assert_int_equal(s.count[2], 2);
    assert_int_equal(s.count[3], 0);
}

/* The first ones wait for company, which a busy machine may be late with. */
static void meet(void *arg, size_t i)
{
    struct seen *s = arg;
    int now = atomic_fetch_add(&s->running, 1) + 1, most = atomic_load(&s->most);
    int64_t deadline = clock_deadline(60000);

    (void)i;
    while (now > most && !atomic_compare_exchange_weak(&s->most, &most, now))
        ;
    while (atomic_load(&s->most) < 2 && !clock_passed(deadline))
        clock_sleep_ms(5);
    clock_sleep_ms(20);
    atomic_fetch_sub(&s->running, 1);
}

static void jobs_run_beside_each_other_but_not_more_than_asked(void **state)
{
    struct seen s = {0};

    (void)state;
    pool_run(12, 4, meet, &s);
    assert_in_range(s.most, 2, 4);
}

static void a_wait_ends_by_the_clock_that_nobody_sets(void **state)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    int64_t begin = clock_now_ms();

    (void)state;
    pool_cond_init(&cond);
    pthread_mutex_lock(&mutex);
    pool_cond_wait(&cond, &mutex, 1020);
    pthread_mutex_unlock(&mutex);
    pthread_cond_destroy(&cond);
    assert_true(clock_now_ms() - begin < 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_once),
        cmocka_unit_test(no_jobs_and_no_threads_are_fine),
        cmocka_unit_test(jobs_run_beside_each_other_but_not_more_than_asked),
        cmocka_unit_test(a_wait_ends_by_the_clock_that_nobody_sets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
