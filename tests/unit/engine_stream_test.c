/* SPDX-License-Identifier: MIT */
/* Pull and build against a daemon that says what the test wants. */
// wrap: api_call engine_until
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/json.h"
#include "engine/api.h"
#include "engine/ndjson.h"

/* What the daemon streams, in pieces of `piece` bytes; NULL: silence until stop(). */
struct script {
    const char *stream;
    size_t piece;
    char path[500];
    bool without; /* there is no image afterwards */
};

int __wrap_api_call(struct node **out, struct engine *g, const struct api_request *r,
                    struct err *e);

int __wrap_api_call(struct node **out, struct engine *g, const struct api_request *r, struct err *e)
{
    static const char image[] = "{\"Id\":\"sha256:1\"}";
    struct script *s = (struct script *)(void *)g;

    if (out) {
        *out = NULL;
        return s->without ? err_set(e, ERR_NOTFOUND, "No such image")
                          : json_parse(out, "image", image, strlen(image), e);
    }
    snprintf(s->path, sizeof(s->path), "%s", r->path);
    while (!s->stream && !r->stop(r->arg))
        clock_sleep_ms(5);
    size_t len = s->stream ? strlen(s->stream) : 0;
    for (size_t at = 0; at < len; at += s->piece) {
        size_t left = len - at;

        if (r->chunk(r->arg, s->stream + at, left < s->piece ? left : s->piece, e) < 0)
            return -1;
    }
    return 0;
}

struct until __wrap_engine_until(const struct engine *g);

struct until __wrap_engine_until(const struct engine *g)
{
    (void)g;
    return until_in(10000, NULL);
}

static void record(void *arg, const char *text)
{
    buf_printf(arg, "%s|", text);
}

static int pull(struct script *s, struct buf *seen, struct err *e)
{
    struct engine_progress p = {.line = record, .arg = seen, .deadline = clock_deadline(10000)};

    buf_init(seen, 10000);
    return engine_image_pull((struct engine *)(void *)s, "debian", &p, e);
}

static void a_failure_inside_the_stream_is_a_failure(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 200; piece += 13) {
        struct script s = {"{\"status\":\"Pulling\",\"id\":\"latest\"}\r\n"
                           "{\"errorDetail\":{\"message\":\"manifest unknown\"},"
                           "\"error\":\"manifest unknown\"}\r\n",
                           piece, "", false};
        auto_buf struct buf seen;
        struct err e = {0};

        assert_int_equal(pull(&s, &seen, &e), -1);
        assert_int_equal(e.code, ERR_NOTFOUND);
        assert_string_equal(e.msg, "pulling image debian: the registry has no such tag (Docker: "
                                   "manifest unknown)");
        assert_string_equal(buf_str(&seen), "latest: Pulling|");
    }
}

static void an_image_without_tag_is_pulled_as_latest(void **state)
{
    (void)state;
    struct script s = {"{\"status\":\"Done\"}", 1000, "", false};
    auto_buf struct buf seen;
    struct err e = {0};
    assert_int_equal(pull(&s, &seen, &e), 0);
    assert_string_equal(s.path, "/images/create?fromImage=debian&tag=latest");
}

static void a_registry_without_a_sign_of_life_is_given_up(void **state)
{
    (void)state;
    struct script s = {NULL, 1, "", false};
    struct engine_progress p = {.deadline = clock_deadline(60000),
                                .first_deadline = clock_deadline(30)};
    struct err e = {0};
    assert_int_equal(engine_image_pull((struct engine *)(void *)&s, "debian:1", &p, &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_string_equal(e.msg, "pulling image debian:1: the registry does not answer");
}

static void a_failed_build_tells_its_last_twenty_lines(void **state)
{
    (void)state;
    auto_buf struct buf stream;
    buf_init(&stream, 100000);
    for (int i = 1; i <= 30; i++)
        buf_printf(&stream, "{\"stream\":\"line %d\"}\r\n{\"stream\":\"\\n\"}\r\n", i);
    buf_puts(&stream, "{\"stream\":\"half\"}\r\n{\"error\":\"returned a non-zero code: 3\"}\r\n");
    struct script s = {buf_str(&stream), 7, "", false};
    struct engine_build b = {.tag = "slipway/x:1", .progress = {.deadline = clock_deadline(10000)}};
    struct err e = {0};
    assert_int_equal(engine_image_build((struct engine *)(void *)&s, &b, &e), -1);
    assert_null(strstr(e.msg, "line 11\n"));
    static const char start[] = "building image slipway/x:1: returned a non-zero code: 3; its last "
                                "output:\n  line 12\n";
    assert_memory_equal(e.msg, start, sizeof(start) - 1);
    assert_non_null(strstr(e.msg, "\n  line 30\n  half"));
}

static void long_last_lines_leave_room_for_the_reason(void **state)
{
    (void)state;
    auto_buf struct buf stream;
    buf_init(&stream, 1000000);
    for (int i = 0; i < 20; i++) {
        buf_puts(&stream, "{\"stream\":\"");
        for (int k = 0; k < 6000; k++)
            buf_putc(&stream, 'x');
        buf_puts(&stream, "\\n\"}\r\n");
    }
    buf_puts(&stream, "{\"stream\":\"short\\n\"}\r\n{\"error\":\"failed\"}\r\n");
    struct script s = {buf_str(&stream), 4096, "", false};
    struct engine_build b = {.tag = "t", .progress = {.deadline = clock_deadline(10000)}};
    struct err e = {0};
    assert_int_equal(engine_image_build((struct engine *)(void *)&s, &b, &e), -1);
    assert_string_equal(e.msg, "building image t: failed; its last output:\n  short");
}

/* Cut between two lines, or nothing at all, it looks like one that went well. */
static void a_stream_that_ends_without_the_image_is_a_failure(void **state)
{
    static const char *const streams[] = {"", "\r\n", "{\"status\":\"Pulling\"}\r\n",
                                          "{\"stream\":\"Step 1/2\"}\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
        struct script s = {streams[i], 100, "", true};
        struct engine_build b = {.tag = "slipway/x:1",
                                 .progress = {.deadline = clock_deadline(10000)}};
        auto_buf struct buf seen;
        struct err e = {0};

        assert_int_equal(pull(&s, &seen, &e), -1);
        assert_int_equal(e.code, ERR_REMOTE);
        assert_string_equal(e.msg, "pulling image debian: Docker answered POST /images/create "
                                   "without an error, and has no such image");
        assert_int_equal(engine_image_build((struct engine *)(void *)&s, &b, &e), -1);
        assert_string_equal(e.msg, "building image slipway/x:1: Docker answered POST /build "
                                   "without an error, and has no such image");
    }
}

#define PULLING "pulling image debian: Docker"

static void a_stream_of_something_else_is_a_failure(void **state)
{
    static const struct {
        const char *stream, *sentence;
    } rows[] = {
        {"null\n", PULLING " answered POST /images/create with nothing"},
        {"7\n", PULLING " answered POST /images/create with a number, not a map"},
        {"[]\n", PULLING " answered POST /images/create with a list, not a map"},
        {"{\"error\":7}\n",
         PULLING " answered POST /images/create with a number as error, not a string"},
        {"{\"errorDetail\":[]}\n",
         PULLING " answered POST /images/create with a list as errorDetail, not a map"},
        {"{\"status\":{}}\n",
         PULLING " answered POST /images/create with a map as status, not a string"},
        {"<html>\n", PULLING "'s stream is broken: line:1:1: expected a JSON value"},
        {"{\"status\":\"Pul", PULLING "'s stream is broken: line:1:11: the string has no end"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct script s = {rows[i].stream, 3, "", false};
        auto_buf struct buf seen;
        struct err e = {0};

        assert_int_equal(pull(&s, &seen, &e), -1);
        assert_string_equal(e.msg, rows[i].sentence);
        assert_int_equal(e.code, ERR_REMOTE);
    }
}

static void count_event(void *arg, const struct node *event)
{
    assert_non_null(node_get_text(event, "Action"));
    ++*(int *)arg;
}

static void events_have_an_action_and_an_actor(void **state)
{
    static const char good[] = "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"1\","
                               "\"Attributes\":{\"exitCode\":\"1\"}}}\n";
    static const struct {
        const char *next, *sentence;
    } rows[] = {
        {"", "watching events: Docker ended the stream"},
        {"{}\n", "watching events: Docker answered GET /events without Action"},
        {"{\"Action\":\"die\"}\n", "watching events: Docker answered GET /events without Actor"},
        {"{\"message\":\"no\"}\n", "watching events: Docker answered GET /events without Action"},
        {"true\n", "watching events: Docker answered GET /events with true or false, not a map"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_free char *stream = mem_printf("%s%s", good, rows[i].next);
        struct script s = {stream, 5, "", false};
        int count = 0;
        struct engine_event_opts o = {.event = count_event, .arg = &count};
        struct err e = {0};

        assert_int_equal(engine_events((struct engine *)(void *)&s, &o, &e), -1);
        assert_string_equal(e.msg, rows[i].sentence);
        assert_int_equal(count, 1);
    }
}

static int ignore_value(void *arg, const struct node *n, struct err *e)
{
    (void)arg;
    (void)n;
    (void)e;
    return 0;
}

static void a_line_without_end_is_refused(void **state)
{
    (void)state;
    static char piece[65536];
    struct ndjson s;
    struct err e = {0};
    int r = 0;
    memset(piece, '[', sizeof(piece));
    ndjson_init(&s, ignore_value, NULL);
    for (int i = 0; i < 100 && r == 0; i++)
        r = ndjson_feed(&s, piece, sizeof(piece), &e);
    ndjson_clear(&s);
    assert_int_equal(r, -1);
    assert_string_equal(e.msg, "a line of Docker's stream is larger than 4 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_inside_the_stream_is_a_failure),
        cmocka_unit_test(an_image_without_tag_is_pulled_as_latest),
        cmocka_unit_test(a_registry_without_a_sign_of_life_is_given_up),
        cmocka_unit_test(a_failed_build_tells_its_last_twenty_lines),
        cmocka_unit_test(long_last_lines_leave_room_for_the_reason),
        cmocka_unit_test(a_stream_that_ends_without_the_image_is_a_failure),
        cmocka_unit_test(a_stream_of_something_else_is_a_failure),
        cmocka_unit_test(events_have_an_action_and_an_actor),
        cmocka_unit_test(a_line_without_end_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
