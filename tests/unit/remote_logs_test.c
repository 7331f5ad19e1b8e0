/* SPDX-License-Identifier: MIT */
// wrap: talk_close talk_ask
/* The log of a server: lines as they come, and whether it is all of them. */
#include "remote/remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "remote/call.h"

/* The pieces that a server sends, and how the connection ends after them; ERR_NONE: well. */
static const char *pieces[4];
static enum err_code broken;

void __wrap_talk_close(struct talk *t);
void __wrap_talk_close(struct talk *t)
{
    (void)t;
}

int __wrap_talk_ask(struct talk_answer *a, struct talk *t, const struct talk_request *q,
                    struct err *e);
int __wrap_talk_ask(struct talk_answer *a, struct talk *t, const struct talk_request *q,
                    struct err *e)
{
    (void)t;
    *a = (struct talk_answer){.status = 200, .type = "application/x-ndjson", .sent = true};
    buf_init(&a->body, TALK_BODY_MAX);
    for (size_t i = 0; pieces[i]; i++)
        if (!q->piece(q->arg, pieces[i], strlen(pieces[i])))
            return 0;
    return broken ? err_set(e, broken, "the connection broke") : 0;
}

static struct remote *fake_remote(void)
{
    struct remote *r = mem_alloc(sizeof(*r));

    r->url = mem_strdup("https://a.example");
    r->token = mem_strdup("slw_12345678");
    return r;
}

static char printed[200];

static void on_begin(void *arg, const struct strv *names)
{
    auto_free char *all = strv_join(names, "+");

    snprintf(arg, sizeof(printed), "[%s]", all);
}

static bool on_line(void *arg, const struct logs_line *line)
{
    size_t len = strlen(arg);

    snprintf((char *)arg + len, sizeof(printed) - len, "(%zu %d %s)", line->source, line->stream,
             line->text);
    return !strstr(line->text, "enough");
}

static int read_logs(struct err *e)
{
    auto_strv struct strv words = {0};
    const struct remote_logs l = {{.tail = -1, .line = on_line, .arg = printed}, on_begin};
    struct remote *there = fake_remote();
    int r;

    printed[0] = '\0';
    r = remote_logs_read(there, &words, &l, e);
    remote_close(there);
    return r;
}

static void lines_are_put_together_from_pieces(void **state)
{
    struct err e = {0};

    (void)state;
    pieces[0] = "\n{\"instances\":[\"a\",\"b\"]}\n\n{\"insta";
    pieces[1] = "nce\":\"b\",\"stream\":2,\"time\":\"T\",\"text\":\"x y\"}\n{\"instance\":\"a\",";
    pieces[2] = "\"stream\":1,\"time\":\"T\",\"text\":\"enough\"}\n{\"instance\":\"a\"}\n";
    assert_int_equal(read_logs(&e), 0);
    assert_string_equal(printed, "[a+b](1 2 T x y)(0 1 T enough)");
}

static void lines_that_no_server_sends_are_errors(void **state)
{
    static const char *const bad[] = {
        "{\"instance\":\"a\",\"time\":\"T\",\"text\":\"before\"}\n",
        "{\"instances\":[\"a\"]}\n{\"instances\":[\"a\"]}\n",
        "{\"instances\":[\"a\"]}\n{\"instance\":\"c\",\"time\":\"T\"}\n",
        "{\"instances\":[{}]}\n",
        "{\"instances\":[\"\\u001b[2J\"]}\n",
        "{\"instances\":[\"a\"]}\n{\"instance\":\"a\"}\n",
        "[]\n",
        "what\n",
    };

    (void)state;
    pieces[1] = pieces[2] = NULL;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};

        pieces[0] = bad[i];
        assert_int_equal(read_logs(&e), -1);
        assert_int_equal(e.code, ERR_REMOTE);
    }
}

static void the_last_line_may_say_why_it_ends(void **state)
{
    struct err e = {0};

    (void)state;
    pieces[0] = "{\"error\":\"there is no instance c\",\"code\":\"notfound\"}\n";
    pieces[1] = NULL;
    assert_int_equal(read_logs(&e), -1);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_string_equal(e.msg, "there is no instance c");
}

static void a_log_without_its_end_was_cut(void **state)
{
    static const struct {
        const char *text;
        enum err_code broken; /* how the connection ended after it */
        const char *sentence; /* NULL: it is whole */
    } rows[] = {
        {"{\"instances\":[\"a\"]}\n{\"end\":true}\n", ERR_NONE, NULL},
        {"{\"instances\":[\"a\"]}\n", ERR_NONE,
         "https://a.example: the log was cut: it came without its end"},
        {"{\"instances\":[\"a\"]}\n{\"end\":false}\n", ERR_NONE,
         "https://a.example: the answer is not that of a slipwayd of this version: instance is "
         "missing, or not one line of text"},
        {"{\"instances\":[\"a\"]}\n{\"end\":true}\n"
         "{\"instance\":\"a\",\"time\":\"T\"}\n",
         ERR_NONE, "https://a.example: the log was cut: it came without its end"},
        {"{\"instances\":[\"a\"]}\n{\"inst", ERR_NONE,
         "the log was cut: https://a.example: the connection broke in the middle of a line"},
        {"{\"instances\":[\"a\"]}\n", ERR_NET,
         "the log was cut: https://a.example: the connection broke"},
        {"{\"instances\":[\"a\"]}\n", ERR_INTERRUPTED, NULL}, /* by who reads it */
    };

    (void)state;
    pieces[1] = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        pieces[0] = rows[i].text;
        broken = rows[i].broken;
        assert_int_equal(read_logs(&e), rows[i].sentence ? -1 : 0);
        if (rows[i].sentence)
            assert_string_equal(e.msg, rows[i].sentence);
    }
    broken = ERR_NONE;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_put_together_from_pieces),
        cmocka_unit_test(lines_that_no_server_sends_are_errors),
        cmocka_unit_test(the_last_line_may_say_why_it_ends),
        cmocka_unit_test(a_log_without_its_end_was_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
