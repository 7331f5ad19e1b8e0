/* SPDX-License-Identifier: MIT */
// link: installer/cmd
#include "cmd/top_model.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cmd/top_events.h"
#include "cmd/top_text.h"
#include "conf/json.h"

static struct node *tree(const char *json)
{
    struct node *n = NULL;
    struct err e;

    assert_int_equal(json_parse(&n, "test", json, strlen(json), &e), 0);
    return n;
}

#define ROW(name, state, ok, restarts)                                                             \
    "{\"instance\":\"" name "\",\"state\":\"" state "\",\"health\":\"unknown\",\"ok\":" ok         \
    ",\"restarts\":" restarts "}"
#define STATUS                                                                                     \
    "{\"instances\":[" ROW("etcd-1", "ready", "true", "0") "," ROW(                                \
        "osd-1", "ready", "true", "2") "," ROW("osd-2", "exited", "false",                         \
                                               "1") "," ROW("osd-10", "ready", "true", "2") "]}"
#define USAGE                                                                                      \
    "{\"osd-1\":{\"millicores\":5,\"memory\":10},\"osd-10\":{\"millicores\":50,\"memory\":5}}"

static char *shown(const struct top_model *m)
{
    struct strv names = {0};
    char *text;

    for (size_t i = 0; i < m->count; i++)
        strv_add(&names, node_get_text(m->rows[i].status, "instance"));
    text = strv_join(&names, " ");
    strv_clear(&names);
    return text;
}

static void rows_are_sorted_and_filtered(void **state)
{
    static const struct {
        enum top_sort sort;
        bool only_unhealthy;
        const char *filter, *want;
    } table[] = {
        {TOP_BY_NAME, false, "", "etcd-1 osd-1 osd-2 osd-10"},
        {TOP_BY_CPU, false, "", "osd-10 osd-1 etcd-1 osd-2"},
        {TOP_BY_MEMORY, false, "", "osd-1 osd-10 etcd-1 osd-2"},
        {TOP_BY_NET, false, "", "etcd-1 osd-1 osd-2 osd-10"},
        {TOP_BY_RESTARTS, false, "", "osd-1 osd-10 osd-2 etcd-1"},
        {TOP_BY_HEALTH, false, "", "osd-2 etcd-1 osd-1 osd-10"},
        {TOP_BY_NAME, true, "", "osd-2"},
        {TOP_BY_NAME, false, "OSD-1", "osd-1 osd-10"},
        {TOP_BY_CPU, false, "exit", "osd-2"},
        {TOP_BY_NAME, true, "etcd", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        auto_node struct node *status = tree(STATUS), *usage = tree(USAGE);
        struct top_model m = {.sort = table[i].sort, .only_unhealthy = table[i].only_unhealthy};
        auto_free char *names = NULL;

        for (const char *c = table[i].filter; *c; c++)
            top_model_type(&m, c, 1);
        top_model_fill(&m, status, usage);
        names = shown(&m);
        assert_string_equal(names, table[i].want);
        top_model_clear(&m);
    }
}

static void the_choice_stays_with_its_instance(void **state)
{
    auto_node struct node *status = tree(STATUS), *usage = tree(USAGE);
    struct top_model m = {0};

    (void)state;
    top_model_fill(&m, NULL, NULL);
    assert_null(top_model_row(&m));
    top_model_fill(&m, status, usage);
    assert_string_equal(m.name, "etcd-1");
    top_model_move(&m, 3);
    assert_string_equal(m.name, "osd-10");
    top_model_move(&m, 5); /* the last one is the end */
    assert_string_equal(m.name, "osd-10");
    m.sort = TOP_BY_CPU;
    top_model_fill(&m, status, usage);
    assert_int_equal(m.chosen, 0);
    assert_string_equal(m.name, "osd-10");
    m.only_unhealthy = true;
    top_model_fill(&m, status, usage);
    assert_string_equal(m.name, "osd-2");
    top_model_move(&m, -7);
    assert_string_equal(m.name, "osd-2");
    top_model_clear(&m);
}

static void the_chosen_row_is_in_the_window(void **state)
{
    auto_node struct node *status = tree(STATUS);
    struct top_model m = {0};

    (void)state;
    top_model_fill(&m, status, NULL);
    top_model_move(&m, 3);
    top_model_scroll(&m, 2);
    assert_int_equal(m.first, 2);
    top_model_move(&m, -2);
    top_model_scroll(&m, 2);
    assert_int_equal(m.first, 1);
    top_model_scroll(&m, 0);
    top_model_scroll(&m, 9);
    assert_int_equal(m.first, 0);
    top_model_clear(&m);
}

static void a_filter_is_typed_and_taken_back(void **state)
{
    struct top_model m = {0};

    (void)state;
    top_model_type(&m, NULL, 0);
    assert_string_equal(m.filter, "");
    top_model_type(&m, "a", 1);
    top_model_type(&m, "\xc3\xa9", 2);
    assert_string_equal(m.filter, "a\xc3\xa9");
    top_model_type(&m, NULL, 0);
    assert_string_equal(m.filter, "a");
    for (int i = 0; i < 2 * TOP_FILTER_MAX; i++)
        top_model_type(&m, "b", 1);
    assert_int_equal(strlen(m.filter), TOP_FILTER_MAX - 1);
}

static void bytes_take_five_columns(void **state)
{
    static const struct {
        int64_t bytes;
        const char *want;
    } table[] = {
        {-1, "-"},           {0, "0"},       {999, "999"},          {1000, "1.0K"},
        {1023, "1.0K"},      {10239, "10K"}, {1023 * 1024, "1.0M"}, {34 << 20, "34M"},
        {INT64_MAX, "8.0E"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char text[16];

        top_bytes(text, table[i].bytes);
        assert_string_equal(text, table[i].want);
    }
}

static void text_is_cut_and_harmless(void **state)
{
    static const struct {
        const char *text;
        size_t width;
        bool utf8;
        const char *want;
    } table[] = {
        {"osd-1", 5, true, "osd-1"},
        {"osd-1", 4, true, "osd~"},
        {"osd-1", 1, true, "~"},
        {"osd-1", 0, true, ""},
        {"a\x1b[2Jb", 20, true, "a\\x1b[2Jb"},
        {"a\tb\x07", 20, true, "a b\\x07"},
        {"\xff\xc3", 20, true, "\\xff\\xc3"},
        {"gr\xc3\xbc\xc3\x9f", 5, true, "gr\xc3\xbc\xc3\x9f"},
        {"gr\xc3\xbc\xc3\x9f", 5, false, "gr??"},
        {"\xe6\xbc\xa2\xe5\xad\x97", 4, true, "\xe6\xbc\xa2\xe5\xad\x97"},
        {"\xe6\xbc\xa2\xe5\xad\x97", 3, true, "\xe6\xbc\xa2~"}, /* two columns each */
        {"\xe6\xbc\xa2\xe5\xad\x97", 2, true, "~"},
        {"a\xe2\x80\xae"
         "b",
         20, true, "ab"}, /* turns the line round */
    };

    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        auto_buf struct buf b = {0};

        buf_init(&b, 1000);
        top_cut(&b, table[i].text, table[i].width, table[i].utf8);
        assert_string_equal(buf_str(&b), table[i].want);
    }
}

/* Without the time in front. */
static const char *last(const struct strv *lines)
{
    return lines->count ? strchr(lines->items[lines->count - 1], ' ') + 1 : "";
}

static void events_are_told_in_words(void **state)
{
    static const struct {
        const char *action, *attributes, *want;
    } table[] = {
        {"die", "\"exitCode\":\"137\"", "osd-1: ended with status 137"},
        {"die", "\"exitCode\":[]", "osd-1: ended with status ?"},
        {"health_status: unhealthy", "\"a\":1", "osd-1: its container is unhealthy"},
        {"start", "\"a\":1", "osd-1: started"},
        {"kill", "\"signal\":\"9\"", ""},
    };
    auto_strv struct strv many = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        auto_free char *json =
            mem_printf("{\"Action\":\"%s\",\"Actor\":{\"Attributes\":{\"slipway.instance\":"
                       "\"osd-1\",%s}}}",
                       table[i].action, table[i].attributes);
        auto_node struct node *event = tree(json);
        auto_strv struct strv lines = {0};

        assert_int_equal(top_events_add(&lines, event), table[i].want[0] != '\0');
        assert_string_equal(last(&lines), table[i].want);
        for (int n = 0; n < 2 * TOP_EVENTS_MAX; n++)
            top_events_add(&many, event);
    }
    assert_int_equal(many.count, TOP_EVENTS_MAX);
}

static void a_change_of_state_is_an_event(void **state)
{
    auto_node struct node *before = tree(STATUS);
    auto_node struct node *after =
        tree("{\"instances\":[" ROW("etcd-1", "ready", "true", "0") "," ROW(
            "osd-1", "silent", "false", "2") "," ROW("osd-2", "exited", "false", "1") "]}");
    auto_strv struct strv lines = {0};

    (void)state;
    top_events_compare(&lines, NULL, after);
    assert_int_equal(lines.count, 0);
    top_events_compare(&lines, before, after);
    assert_int_equal(lines.count, 2);
    assert_string_equal(strchr(lines.items[0], ' ') + 1, "osd-1: silent, was ready");
    assert_string_equal(last(&lines), "osd-10: gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_filtered),
        cmocka_unit_test(the_choice_stays_with_its_instance),
        cmocka_unit_test(the_chosen_row_is_in_the_window),
        cmocka_unit_test(a_filter_is_typed_and_taken_back),
        cmocka_unit_test(bytes_take_five_columns),
        cmocka_unit_test(text_is_cut_and_harmless),
        cmocka_unit_test(events_are_told_in_words),
        cmocka_unit_test(a_change_of_state_is_an_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
