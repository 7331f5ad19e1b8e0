/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"

struct options {
    bool json, dry;
    int verbose;
    const char *file, *level;
    int64_t count, wait_ms;
    struct strv set;
    bool help;
};

static const char *const levels[] = {"low", "high", NULL};

static const struct opt_spec own[] = {
    {"json", 'j', OPT_FLAG, NULL, "print JSON", offsetof(struct options, json), NULL, 0, 0, false},
    {"dry-run", 'n', OPT_FLAG, NULL, "only say it", offsetof(struct options, dry), NULL, 0, 0,
     false},
    {"file", 'f', OPT_STRING, "FILE", "read FILE", offsetof(struct options, file), NULL, 0, 0,
     false},
    {"level", 0, OPT_STRING, "LEVEL", "how much", offsetof(struct options, level), levels, 0, 0,
     false},
    {"count", 'c', OPT_INT, "N", "how many", offsetof(struct options, count), NULL, 1, 10, false},
    {"wait", 'w', OPT_DURATION, "TIME", "how long", offsetof(struct options, wait_ms), NULL, 0, 0,
     false},
    {"set", 's', OPT_LIST, "KEY=VALUE",
     "set a key of the configuration, which may be given several times and has a long text",
     offsetof(struct options, set), NULL, 0, 0, false},
    {"secret-door", 0, OPT_FLAG, NULL, "hidden", offsetof(struct options, dry), NULL, 0, 0, true},
    {0},
};

struct common {
    int verbose;
};

static const struct opt_spec common_specs[] = {
    {"verbose", 'v', OPT_COUNT, NULL, "say more", offsetof(struct common, verbose), NULL, 0, 0,
     false},
    {0},
};

static const struct opt_command command = {
    .name = "up",
    .summary = "create or change an environment",
    .args = "[ENV.yaml]",
    .details = "First paragraph.\n\n.second\\ one with - dash",
    .options = own,
    .examples = (const struct opt_example[]){{"tool up my.yaml", "do it"}, {NULL, NULL}},
    .group = NULL,
};

static int parse(struct options *o, struct common *c, struct strv *rest, const char *line,
                 struct err *e)
{
    struct opt_set sets[] = {{own, o}, {common_specs, c}, {NULL, NULL}};
    struct strv words = {0};

    /* Values are borrowed from argv: the words live as long as the program. */
    strv_split(&words, line, " ");
    static struct strv keep;
    size_t first = keep.count;
    strv_add_all(&keep, &words);
    strv_clear(&words);
    static const char *argv[64];
    size_t n = 0;
    for (size_t i = first; i < keep.count; i++)
        argv[n++] = keep.items[i];
    argv[n] = NULL;
    return opt_parse(rest, sets, argv, OPT_ANYWHERE, e);
}

static void every_kind_is_read_in_every_spelling(void **state)
{
    auto_strv struct strv rest = {0};
    struct options o = {0};
    struct common c = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(parse(&o, &c, &rest,
                           "a --json --file=x.yaml b -c3 -w 5min --set k=v -vv -s a=b -nv "
                           "--level high -- --json -x",
                           &e),
                     0);
    assert_true(o.json);
    assert_true(o.dry);
    assert_string_equal(o.file, "x.yaml");
    assert_string_equal(o.level, "high");
    assert_int_equal(o.count, 3);
    assert_int_equal(o.wait_ms, 300000);
    assert_int_equal(c.verbose, 3);
    auto_free char *set = strv_join(&o.set, " ");
    auto_free char *operands = strv_join(&rest, " ");
    assert_string_equal(set, "k=v a=b");
    assert_string_equal(operands, "a b --json -x");
    strv_clear(&o.set);
}

static void every_mistake_is_one_clear_sentence(void **state)
{
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"--jsno", "unknown option --jsno (did you mean --json?); --help lists the options"},
        {"--zzzzzz", "unknown option --zzzzzz; --help lists the options"},
        {"--jsno=x", "unknown option --jsno (did you mean --json?); --help lists the options"},
        {"-z", "unknown option -z; --help lists the options"},
        {"-jz", "unknown option -z in a group of letters; --help lists the options"},
        {"--json=yes", "--json takes no value"},
        {"--file", "--file needs a value: FILE"},
        {"-f", "-f needs a value: FILE"},
        {"-jf", "-f needs a value: FILE"},
        {"--count=x", "--count: \"x\" is not a whole number"},
        {"--count=", "--count: \"\" is not a whole number"},
        {"--count=3x", "--count: \"3x\" is not a whole number"},
        {"--count=99999999999999999999", "--count: \"99999999999999999999\" is not a whole number"},
        {"--count=11", "--count: \"11\" is not within 1 and 10"},
        {"-c -1", "-c: \"-1\" is not within 1 and 10"},
        {"--wait=5parsec", "--wait: \"5parsec\" is not a duration, as in 500ms, 30s, 5min, 2h, 1d"},
        {"--wait=99999999999999999d",
         "--wait: \"99999999999999999d\" is not a duration, as in 500ms, 30s, 5min, 2h, 1d"},
        {"--level=loud", "--level: \"loud\" is not one of low, high"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_strv struct strv rest = {0};
        struct options o = {0};
        struct common c = {0};
        struct err e = {0};

        assert_int_equal(parse(&o, &c, &rest, rows[i].line, &e), -1);
        assert_int_equal(e.code, ERR_USAGE);
        assert_string_equal(e.msg, rows[i].message);
    }
}

static void options_may_end_at_the_first_operand(void **state)
{
    auto_strv struct strv rest = {0};
    struct common c = {0};
    struct err e = {0};
    struct opt_set sets[] = {{common_specs, &c}, {NULL, NULL}};
    const char *const argv[] = {"-v", "up", "-v", "--", "x", NULL};

    (void)state;
    assert_int_equal(opt_parse(&rest, sets, argv, OPT_STOP_AT_OPERAND, &e), 0);
    assert_int_equal(c.verbose, 1);
    auto_free char *operands = strv_join(&rest, " ");
    assert_string_equal(operands, "up -v -- x");
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"0", 0},         {"5", 5000},     {"10ms", 10},     {"10s", 10000}, {"2m", 120000},
                {"2min", 120000}, {"1h", 3600000}, {"1d", 86400000}, {"", -1},       {"s", -1},
                {"-5s", -1},      {"5 s", -1},     {"5sec", -1},     {"1.5s", -1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = -1;

        assert_int_equal(opt_duration(&ms, rows[i].text), rows[i].ms >= 0);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void help_is_made_from_the_table(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 10000);
    opt_help(&b, "tool", &command, common_specs);
    assert_string_equal(
        buf_str(&b),
        "Usage: tool up [OPTIONS] [ENV.yaml]\n"
        "\n"
        "tool up: create or change an environment\n"
        "\n"
        "First paragraph.\n"
        "\n"
        ".second\\ one with - dash\n"
        "\n"
        "Options:\n"
        "  -j, --json              print JSON\n"
        "  -n, --dry-run           only say it\n"
        "  -f, --file FILE         read FILE\n"
        "      --level LEVEL       how much (low, high)\n"
        "  -c, --count N           how many\n"
        "  -w, --wait TIME         how long\n"
        "  -s, --set KEY=VALUE     set a key of the configuration, which may be given\n"
        "                          several times and has a long text\n"
        "\n"
        "Common options:\n"
        "  -v, --verbose           say more\n"
        "\n"
        "Examples:\n"
        "  tool up my.yaml\n"
        "      do it\n");
}

static void the_man_page_is_made_from_the_table(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 10000);
    opt_man_head(&b, "tool", "1.0", "does things");
    opt_man_command(&b, "tool", &command);
    assert_non_null(strstr(buf_str(&b), ".TH TOOL 1 \"\" \"tool 1.0\" \"User Commands\"\n"));
    assert_non_null(strstr(buf_str(&b), ".SS tool up [OPTIONS] [ENV.yaml]\n"));
    assert_non_null(strstr(buf_str(&b), "\\&.second\\e one with \\- dash\n"));
    assert_non_null(strstr(buf_str(&b), ".TP\n.B \\-f, \\-\\-file FILE\nread FILE\n"));
    assert_null(strstr(buf_str(&b), "secret"));
}

static void completion_words_are_made_from_the_table(void **state)
{
    auto_buf struct buf b;

    (void)state;
    buf_init(&b, 10000);
    opt_words(&b, own);
    assert_string_equal(buf_str(&b),
                        "--json\n-j\n--dry-run\n-n\n--file=\n-f\n--level=\n--count=\n-c\n"
                        "--wait=\n-w\n--set=\n-s\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read_in_every_spelling),
        cmocka_unit_test(every_mistake_is_one_clear_sentence),
        cmocka_unit_test(options_may_end_at_the_first_operand),
        cmocka_unit_test(durations),
        cmocka_unit_test(help_is_made_from_the_table),
        cmocka_unit_test(the_man_page_is_made_from_the_table),
        cmocka_unit_test(completion_words_are_made_from_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
