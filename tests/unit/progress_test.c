/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/progress.h"

struct sink {
    char *text;
    size_t len;
    FILE *f;
};

static void sink_open(struct sink *s)
{
    s->text = NULL;
    s->f = open_memstream(&s->text, &s->len);
}

static void sink_close(struct sink *s)
{
    free(s->text);
}

static size_t lines(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void a_pipe_gets_a_line_per_change(void **state)
{
    struct sink s;
    struct progress *p;

    (void)state;
    sink_open(&s);
    p = progress_new(PROGRESS_LINES, s.f, "demo");
    progress_begin(p, 3);
    progress_op(p, 0, "create network x", PROGRESS_PLANNED, NULL);
    progress_op(p, 0, "create network x", PROGRESS_STARTED, NULL);
    progress_op(p, 0, "create network x", PROGRESS_DONE, NULL);
    progress_op(p, 1, "build image y", PROGRESS_STARTED, "Step 1/2\033[31m\nmore");
    progress_op(p, 1, "build image y", PROGRESS_FAILED, "no space");
    progress_op(p, 2, "start z", PROGRESS_SKIPPED, "y failed");
    progress_free(p);
    fclose(s.f);
    assert_int_equal(lines(s.text), 3);
    assert_non_null(strstr(s.text, "1/3 done    create network x\n"));
    assert_non_null(strstr(s.text, "started build image y: Step 1/2\\x1b[31m\n"));
    assert_non_null(strstr(s.text, "failed  build image y: no space\n"));
    assert_null(strchr(s.text, '\033'));
    sink_close(&s);
}

static void a_terminal_block_ends_without_a_trace_of_running_operations(void **state)
{
    struct sink s;
    struct progress *p;
    char *last;

    (void)state;
    sink_open(&s);
    p = progress_new(PROGRESS_TERMINAL, s.f, "demo");
    progress_begin(p, 2);
    progress_op(p, 0, "create a", PROGRESS_STARTED, NULL);
    progress_op(p, 1, "create b", PROGRESS_STARTED, "half");
    progress_op(p, 0, "create a", PROGRESS_DONE, NULL);
    progress_op(p, 1, "create b", PROGRESS_DONE, NULL);
    progress_free(p);
    fclose(s.f);
    assert_non_null(strstr(s.text, "create b: half"));
    assert_null(strstr(s.text, "\033[?25l")); /* the cursor is never hidden */
    last = strrchr(s.text, 'J');              /* of the last erase */
    assert_non_null(last);
    assert_string_equal(last + 1, "");
    sink_close(&s);
}

static void nothing_is_said_when_quiet(void **state)
{
    struct sink s;
    struct progress *p;

    (void)state;
    sink_open(&s);
    p = progress_new(PROGRESS_QUIET, s.f, "demo");
    progress_begin(p, 1);
    progress_op(p, 0, "create a", PROGRESS_FAILED, "why");
    progress_free(p);
    fclose(s.f);
    assert_int_equal(s.len, 0);
    sink_close(&s);
}

static void *work(void *arg)
{
    for (size_t i = 0; i < 200; i++) {
        progress_op(arg, i % 7, "op", PROGRESS_STARTED, "detail");
        progress_op(arg, i % 7, "op", PROGRESS_DONE, NULL);
    }
    return NULL;
}

static void threads_may_report_at_once(void **state)
{
    pthread_t t[4];
    struct sink s;
    struct progress *p;

    (void)state;
    sink_open(&s);
    p = progress_new(PROGRESS_TERMINAL, s.f, "demo");
    progress_begin(p, 800);
    for (size_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, work, p);
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    progress_free(p);
    fclose(s.f);
    assert_non_null(strstr(s.text, "800 of 800 done"));
    sink_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_gets_a_line_per_change),
        cmocka_unit_test(a_terminal_block_ends_without_a_trace_of_running_operations),
        cmocka_unit_test(nothing_is_said_when_quiet),
        cmocka_unit_test(threads_may_report_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
