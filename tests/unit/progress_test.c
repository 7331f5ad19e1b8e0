/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
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

/* A report whose reader takes nothing. */
struct stalled {
    struct progress *p;
    size_t id;
    atomic_bool is_done;
};

static void *report(void *arg)
{
    struct stalled *s = arg;

    progress_op(s->p, s->id, s->id ? "two" : "one", PROGRESS_DONE, NULL);
    s->is_done = true;
    return NULL;
}

static void wait_for_end(const struct stalled *s)
{
    for (int64_t end = clock_now_ms() + 2000; !s->is_done && clock_now_ms() < end;)
        clock_sleep_ms(10);
}

/* Takes what comes within half a second, as text; owned. */
static char *drained(int fd)
{
    char *text = mem_alloc(1 << 20);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t len = 0;
    ssize_t n;

    while (poll(&p, 1, 500) > 0 && (n = read(fd, text + len, (1 << 20) - 1 - len)) > 0)
        len += (size_t)n;
    return text;
}

static void a_stalled_reader_holds_up_one_thread_only(void **state)
{
    struct stalled one = {.id = 0}, two = {.id = 1};
    pthread_t first, second;
    struct progress *p;
    char dots[512], *lines_at;
    bool was_free;
    int fds[2];
    FILE *out;

    (void)state;
    memset(dots, '.', sizeof(dots));
    assert_int_equal(pipe(fds), 0);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    while (write(fds[1], dots, sizeof(dots)) > 0)
        ;
    fcntl(fds[1], F_SETFL, 0);
    out = fdopen(fds[1], "w");
    setvbuf(out, NULL, _IONBF, 0);
    p = progress_new(PROGRESS_LINES, out, "demo");
    progress_begin(p, 2);
    one.p = two.p = p;
    pthread_create(&first, NULL, report, &one);
    clock_sleep_ms(300); /* it writes, and waits for the reader */
    pthread_create(&second, NULL, report, &two);
    wait_for_end(&two);
    was_free = two.is_done && !one.is_done;
    auto_free char *text = drained(fds[0]);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    progress_free(p);
    fclose(out);
    close(fds[0]);
    assert_true(was_free);
    lines_at = text + strspn(text, ".");
    assert_int_equal(lines(lines_at), 2);
    assert_non_null(strstr(lines_at, "1/2 done    one\n["));
    assert_non_null(strstr(lines_at, "2/2 done    two\n"));
}

/* Lines of the log and of the progress, from several threads each. */
static void *say(void *arg)
{
    for (size_t i = 0; i < 100; i++) {
        progress_op(arg, i % 7, "op", PROGRESS_STARTED, "detail");
        log_info("a line");
        progress_op(arg, i % 7, "op", PROGRESS_FAILED, "why");
    }
    return NULL;
}

/* The lines that a terminal has in the end: "\r", "\033[nA" and "\033[J" take the last n away. */
static size_t on_screen(char **screen, size_t max, char *text)
{
    size_t count = 0, up;
    int len;

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        while (sscanf(line, "\r\033[%zuA\033[J%n", &up, (len = 0, &len)) == 1 && len) {
            assert_true(up <= count);
            count -= up;
            line += len;
        }
        if (!*line)
            continue;
        assert_true(count < max);
        screen[count++] = line;
    }
    return count;
}

static bool is_failure(const char *line)
{
    static const char end[] = " failed  op: why";
    size_t len = strlen(line);

    return *line == '[' && len > strlen(end) && strcmp(line + len - strlen(end), end) == 0;
}

static void lines_of_the_log_and_of_the_progress_do_not_mix(void **state)
{
    int saved = dup(STDERR_FILENO);
    FILE *both = tmpfile();
    size_t said = 0, failed = 0, count;
    char *screen[1000];
    struct progress *p;
    pthread_t t[4];

    (void)state;
    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    assert_true(dup2(fileno(both), STDERR_FILENO) >= 0);
    p = progress_new(PROGRESS_TERMINAL, stderr, "demo");
    progress_begin(p, 400);
    for (size_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, say, p);
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    progress_free(p);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(both);
    auto_free char *text = mem_alloc(16 << 20);
    assert_in_range(fread(text, 1, (16 << 20) - 1, both), 1, (16 << 20) - 2);
    fclose(both);
    count = on_screen(screen, 1000, text);
    for (size_t i = 0; i < count; i++) {
        said += strcmp(screen[i], "p: a line") == 0;
        failed += is_failure(screen[i]);
    }
    assert_int_equal(count, 800);
    assert_int_equal(said, 400);
    assert_int_equal(failed, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_gets_a_line_per_change),
        cmocka_unit_test(a_terminal_block_ends_without_a_trace_of_running_operations),
        cmocka_unit_test(nothing_is_said_when_quiet),
        cmocka_unit_test(threads_may_report_at_once),
        cmocka_unit_test(a_stalled_reader_holds_up_one_thread_only),
        cmocka_unit_test(lines_of_the_log_and_of_the_progress_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
