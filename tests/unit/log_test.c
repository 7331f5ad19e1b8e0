/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"

/* Everything that goes to stderr between capture and captured, as text. */
struct capture {
    int saved;
    FILE *file;
};

static struct capture capture(void)
{
    struct capture c = {.saved = dup(STDERR_FILENO), .file = tmpfile()};

    fflush(stderr);
    assert_true(dup2(fileno(c.file), STDERR_FILENO) >= 0);
    return c;
}

static char *captured(struct capture *c)
{
    char *text = mem_alloc(1 << 20);

    fflush(stderr);
    dup2(c->saved, STDERR_FILENO);
    close(c->saved);
    rewind(c->file);
    size_t len = fread(text, 1, (1 << 20) - 1, c->file);
    text[len] = '\0';
    fclose(c->file);
    return text;
}

static void a_line_says_program_level_and_message(void **state)
{
    (void)state;
    log_setup("prog", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    struct capture c = capture();
    log_error("one %d", 1);
    log_warn("two");
    log_info("three");
    log_debug("four");
    auto_free char *text = captured(&c);
    assert_string_equal(text, "prog: error: one 1\nprog: warning: two\nprog: three\n");
}

static void only_what_the_level_allows_is_enabled(void **state)
{
    (void)state;
    log_setup("prog", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
    assert_true(log_enabled(LOG_LEVEL_ERROR));
    assert_true(log_enabled(LOG_LEVEL_WARN));
    assert_false(log_enabled(LOG_LEVEL_INFO));
}

static void a_registered_secret_never_leaves(void **state)
{
    (void)state;
    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_redact("short"); /* too short to be told from a word */
    log_redact("12345678");
    log_redact("correct-horse-battery");
    log_redact("correct-horse-battery-staple");
    log_redact("correct-horse-battery");
    struct capture c = capture();
    log_info("a=correct-horse-battery-staple b=correct-horse-battery c=12345678 short");
    auto_free char *text = captured(&c);
    assert_string_equal(text, "p: a=[redacted] b=[redacted] c=******** short\n");
}

static void a_secret_in_a_text_of_the_callers_is_replaced(void **state)
{
    char text[] = "x=secret-of-this-test;y=secret-of-this-test";

    (void)state;
    log_redact("secret-of-this-test");
    log_redact_text(text);
    assert_string_equal(text, "x=[redacted];y=[redacted]");
}

static void json_lines_are_json_whatever_the_message_is(void **state)
{
    (void)state;
    log_setup("prog", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    struct capture c = capture();
    log_context("instance", "ceph-\"1");
    log_info("a \"quote\" \\ back\nnew\x01 \xff \xc3\xa9 \xed\xa0\x80");
    log_context("instance", NULL);
    auto_free char *text = captured(&c);
    static const char want[] =
        ",\"program\":\"prog\",\"instance\":\"ceph-\\\"1\",\"message\":\""
        "a \\\"quote\\\" \\\\ back\\nnew\\u0001 \\ufffd \xc3\xa9 \\ufffd\\ufffd\\ufffd\"}\n";
    assert_memory_equal(text, "{\"time\":\"20", 11);
    assert_non_null(strstr(text, ",\"level\":\"info\",\"host\":\""));
    assert_string_equal(strstr(text, ",\"program\""), want);
}

/* Numbers of the lines of a JSON log, "1 2 3". */
static void assert_in_order(const char *text, size_t lines)
{
    unsigned long long last = 0, seq;

    for (const char *at = text; (at = strstr(at, "\"seq\":")); at++, lines--) {
        assert_int_equal(sscanf(at, "\"seq\":%llu", &seq), 1);
        if (last)
            assert_int_equal(seq, last + 1);
        last = seq;
    }
    assert_int_equal(lines, 0);
}

static void json_lines_are_numbered_and_say_where_they_are_from(void **state)
{
    (void)state;
    log_setup("prog", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    log_field("environment", "demo");
    log_field("component", "up");
    struct capture c = capture();
    log_info("one");
    log_debug("not this one");
    log_event(LOG_LEVEL_ERROR, "two");
    log_context("host", "elsewhere");
    log_context("component", "its own");
    log_field("environment", NULL);
    log_info("three");
    log_context("host", NULL);
    log_context("component", NULL);
    log_field("component", NULL);
    auto_free char *text = captured(&c);
    assert_in_order(text, 3);
    assert_non_null(
        strstr(text, ",\"environment\":\"demo\",\"component\":\"up\",\"message\":\"one\"}\n"));
    assert_non_null(strstr(text, "\"level\":\"error\""));
    assert_non_null(strstr(text, "\"program\":\"prog\",\"host\":\"elsewhere\","
                                 "\"component\":\"its own\",\"message\":\"three\"}\n"));
}

static void *say_and_change(void *arg)
{
    (void)arg;
    log_info("inside");
    log_field("environment", "other");
    log_info("changed");
    return NULL;
}

static void a_thread_has_the_fields_of_the_one_that_started_it(void **state)
{
    pthread_t thread;

    (void)state;
    log_setup("prog", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    log_field("environment", "demo");
    struct capture c = capture();
    assert_int_equal(thread_start(&thread, NULL, say_and_change, NULL), 0);
    pthread_join(thread, NULL);
    log_info("outside");
    log_field("environment", NULL);
    auto_free char *text = captured(&c);
    assert_non_null(strstr(text, "\"environment\":\"demo\",\"message\":\"inside\""));
    assert_non_null(strstr(text, "\"environment\":\"other\",\"message\":\"changed\""));
    assert_non_null(strstr(text, "\"environment\":\"demo\",\"message\":\"outside\""));
}

static void an_event_is_not_for_a_text(void **state)
{
    (void)state;
    log_setup("prog", LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
    struct capture c = capture();
    log_event(LOG_LEVEL_ERROR, "shown in another way");
    auto_free char *text = captured(&c);
    assert_string_equal(text, "");
}

static void the_file_gets_everything_from_info_on(void **state)
{
    char path[] = "/tmp/slipway-log-test.XXXXXX", text[4096];
    int fd = mkstemp(path);
    struct err e;

    (void)state;
    assert_true(fd >= 0);
    log_setup("prog", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
    log_redact("secret-in-the-file");
    assert_int_equal(log_open_file(path, &e), 0);
    struct capture c = capture();
    log_info("quiet, secret-in-the-file");
    log_event(LOG_LEVEL_INFO, "an event");
    log_debug("not this one");
    log_warn("loud");
    auto_free char *shown = captured(&c);
    assert_string_equal(shown, "prog: warning: loud\n");
    ssize_t len = read(fd, text, sizeof(text) - 1);
    assert_true(len > 0);
    text[len] = '\0';
    assert_in_order(text, 3);
    assert_non_null(strstr(text, "\"message\":\"quiet, [redacted]\"}\n"));
    assert_non_null(strstr(text, "\"message\":\"an event\"}\n"));
    close(fd);
    unlink(path);
}

static void a_file_that_is_full_is_told_once(void **state)
{
    struct err e;

    (void)state;
    log_setup("prog", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
    assert_int_equal(log_open_file("/dev/full", &e), 0);
    struct capture c = capture();
    log_info("one");
    log_info("two");
    auto_free char *text = captured(&c);
    assert_string_equal(text, "prog: warning: the log file cannot be written, nothing more goes "
                              "there: No space left on device\n");
    assert_int_equal(log_open_file("/proc/nowhere/log", &e), -1);
    assert_string_equal(e.msg, "opening the log file /proc/nowhere/log: No such file or directory");
}

/* Takes what is in it, as text; owned. */
static char *drained(int fd)
{
    char *text = mem_alloc(1 << 20);
    size_t len = 0;
    ssize_t n;

    while ((n = read(fd, text + len, (1 << 20) - 1 - len)) > 0)
        len += (size_t)n;
    return text;
}

static void fill(int fd)
{
    char dots[512];

    memset(dots, '.', sizeof(dots));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (write(fd, dots, sizeof(dots)) > 0)
        ;
    fcntl(fd, F_SETFL, 0);
}

static void what_a_stalled_reader_does_not_take_is_dropped_and_counted(void **state)
{
    (void)state;
    int fds[2], saved = dup(STDERR_FILENO);

    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    assert_int_equal(pipe(fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    fill(fds[1]);
    dup2(fds[1], STDERR_FILENO);
    log_info("one");
    log_info("two");
    auto_free char *dots = drained(fds[0]);
    log_info("three");
    log_info("four");
    dup2(saved, STDERR_FILENO);
    auto_free char *text = drained(fds[0]);
    assert_string_equal(dots + strspn(dots, "."), "");
    assert_string_equal(text, "p: warning: 2 lines of the log were dropped here, because nobody "
                              "read them\np: three\np: four\n");
    close(saved);
    close(fds[0]);
    close(fds[1]);
}

static void *say_one(void *arg)
{
    (void)arg;
    log_info("one");
    return NULL;
}

static void a_stalled_reader_holds_up_one_thread_only(void **state)
{
    (void)state;
    int fds[2], saved = dup(STDERR_FILENO);
    pthread_t thread;

    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    assert_int_equal(pipe(fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    fill(fds[1]);
    dup2(fds[1], STDERR_FILENO);
    assert_int_equal(thread_start(&thread, NULL, say_one, NULL), 0);
    clock_sleep_ms(300); /* it writes, and waits for the reader */
    int64_t begin = clock_now_ms();
    log_info("two");
    assert_true(log_enabled(LOG_LEVEL_INFO));
    assert_in_range(clock_now_ms() - begin, 0, 1500);
    auto_free char *dots = drained(fds[0]);
    pthread_join(thread, NULL);
    dup2(saved, STDERR_FILENO);
    auto_free char *text = drained(fds[0]);
    auto_free char *all = mem_printf("%s%s", dots, text);
    assert_string_equal(all + strspn(all, "."), "p: one\np: two\n");
    close(saved);
    close(fds[0]);
    close(fds[1]);
}

static void a_line_that_was_cut_ends_before_the_next_one(void **state)
{
    (void)state;
    static char many[20000];
    int fds[2], saved = dup(STDERR_FILENO);

    memset(many, 'x', sizeof(many) - 1);
    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    assert_int_equal(pipe(fds), 0);
    assert_true(fcntl(fds[1], F_SETPIPE_SZ, 8192) >= 8192);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    dup2(fds[1], STDERR_FILENO);
    log_info("%s", many);
    auto_free char *start = drained(fds[0]);
    log_info("next");
    dup2(saved, STDERR_FILENO);
    auto_free char *text = drained(fds[0]);
    assert_int_equal(strncmp(start, "p: xxx", 6), 0);
    assert_null(strchr(start, '\n'));
    assert_string_equal(text, "\np: warning: 1 line of the log was dropped here, because nobody "
                              "read it\np: next\n");
    close(saved);
    close(fds[0]);
    close(fds[1]);
}

static void control_characters_do_not_reach_a_terminal(void **state)
{
    (void)state;
    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    struct capture c = capture();
    log_info("red \x1b[31m\rgone\ttab\nsecond \xc2\x9b"
             "1m \x9b \xc3\xa9");
    auto_free char *text = captured(&c);
    assert_string_equal(text, "p: red ?[31m?gone\ttab\n    second ?1m ? \xc3\xa9\n");
}

static void context_is_the_threads_own(void **state)
{
    (void)state;
    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    struct capture c = capture();
    log_context("host", "a");
    log_context("instance", "i1");
    log_info("both");
    log_context("host", "b");
    log_context("instance", NULL);
    log_info("one");
    log_context("host", NULL);
    for (int i = 0; i < 10; i++) {
        char key[8];

        snprintf(key, sizeof(key), "k%d", i); /* more than there is room for is dropped */
        log_context(key, "v");
    }
    for (int i = 0; i < 10; i++) {
        char key[8];

        snprintf(key, sizeof(key), "k%d", i);
        log_context(key, NULL);
    }
    log_info("none");
    auto_free char *text = captured(&c);
    assert_string_equal(text, "p: host=a: instance=i1: both\np: host=b: one\np: none\n");
}

static void mark(void *arg)
{
    fprintf(stderr, "%s", (const char *)arg);
}

static void the_hook_runs_around_each_line(void **state)
{
    char before[] = "<";

    (void)state;
    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    struct capture c = capture();
    log_set_hook(mark, mark, before);
    log_info("a");
    log_debug("not shown");
    log_set_hook(NULL, NULL, NULL);
    auto_free char *text = captured(&c);
    assert_string_equal(text, "<p: a\n<");
}

static void talk(void *arg, size_t i)
{
    (void)arg;
    char value[16];

    snprintf(value, sizeof(value), "%zu", i);
    log_context("job", value);
    log_info("of %zu says 0123456789012345678901234567890123456789", i);
    log_redact("another-secret-of-many");
    log_context("job", NULL);
}

static void threads_do_not_mix_their_lines(void **state)
{
    int lines = 0;

    (void)state;
    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    struct capture c = capture();
    pool_run(200, 8, talk, NULL);
    auto_free char *text = captured(&c);
    for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        size_t a, b;

        assert_int_equal(sscanf(line, "p: job=%zu: of %zu says 0123456789", &a, &b), 2);
        assert_int_equal(a, b);
        lines++;
    }
    assert_int_equal(lines, 200);
}

static void an_endless_message_is_cut(void **state)
{
    (void)state;
    auto_free char *big = mem_alloc(300000);
    memset(big, 'x', 299999);
    log_setup("p", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    struct capture c = capture();
    log_info("%s", big);
    auto_free char *text = captured(&c);
    assert_in_range(strlen(text), 1000, 70000);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_program_level_and_message),
        cmocka_unit_test(only_what_the_level_allows_is_enabled),
        cmocka_unit_test(a_registered_secret_never_leaves),
        cmocka_unit_test(a_secret_in_a_text_of_the_callers_is_replaced),
        cmocka_unit_test(json_lines_are_json_whatever_the_message_is),
        cmocka_unit_test(json_lines_are_numbered_and_say_where_they_are_from),
        cmocka_unit_test(a_thread_has_the_fields_of_the_one_that_started_it),
        cmocka_unit_test(an_event_is_not_for_a_text),
        cmocka_unit_test(the_file_gets_everything_from_info_on),
        cmocka_unit_test(a_file_that_is_full_is_told_once),
        cmocka_unit_test(what_a_stalled_reader_does_not_take_is_dropped_and_counted),
        cmocka_unit_test(a_stalled_reader_holds_up_one_thread_only),
        cmocka_unit_test(a_line_that_was_cut_ends_before_the_next_one),
        cmocka_unit_test(control_characters_do_not_reach_a_terminal),
        cmocka_unit_test(context_is_the_threads_own),
        cmocka_unit_test(the_hook_runs_around_each_line),
        cmocka_unit_test(threads_do_not_mix_their_lines),
        cmocka_unit_test(an_endless_message_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
