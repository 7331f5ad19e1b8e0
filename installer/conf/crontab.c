/* SPDX-License-Identifier: MIT */
#include "conf/crontab.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"

enum {
    FIELD_COUNT = 5,
    LINE_MAX_BYTES = 500,
    MINUTE_MS = 60 * 1000,
    DAY_MINUTES = 24 * 60,
    DAY_SECONDS = DAY_MINUTES * 60,
    DAYS_MAX = 41 * 366, /* 29 February on one weekday may be 40 years off */
};

static const struct field {
    const char *name, *words; /* words: of three letters each, for low and the numbers after it */
    int low, high;
} FIELDS[FIELD_COUNT] = {
    {"minute", "", 0, 59},
    {"hour", "", 0, 23},
    {"day", "", 1, 31},
    {"month", "janfebmaraprmayjunjulaugsepoctnovdec", 1, 12},
    {"weekday", "sunmontuewedthufrisat", 0, 7},
};

static const struct {
    const char *word, *line;
} WORDS[] = {
    {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
};

/* ---- reading a line ---- */

/* Digits, or a word of the field; moves *at past it. */
static bool take(int *out, const char **at, const struct field *f)
{
    size_t digits = strspn(*at, "0123456789");

    *out = 0;
    for (size_t i = 0; i < strlen(f->words); i += 3)
        if (digits == 0 && strncasecmp(*at, f->words + i, 3) == 0) {
            *out = f->low + (int)(i / 3);
            *at += 3;
            return true;
        }
    for (size_t i = 0; digits <= 4 && i < digits; i++)
        *out = *out * 10 + *(*at)++ - '0';
    return digits > 0 && digits <= 4;
}

/* "*", "5", "1-5" or one of them with "/2". */
static bool read_part(uint64_t *set, const struct field *f, const char *at)
{
    int low = f->low, high = f->high, step = 1;
    bool is_range = true;

    if (*at == '*') {
        at++;
    } else {
        if (!take(&low, &at, f))
            return false;
        is_range = *at == '-';
        high = low;
        if (is_range && (at++, !take(&high, &at, f)))
            return false;
        if (is_range && f->high == 7 && high == 0 && low > 0)
            high = 7; /* fri-sun */
    }
    if (is_range && *at == '/') {
        at++;
        if (!isdigit((unsigned char)*at) || !take(&step, &at, f))
            return false;
    }
    if (*at || low < f->low || high > f->high || low > high || step < 1 || step > f->high - f->low)
        return false;
    for (int n = low; n <= high; n += step)
        *set |= UINT64_C(1) << n;
    return true;
}

/* Cuts `text` at its commas. */
static int read_field(uint64_t *set, const struct field *f, char *text, struct err *e)
{
    char *rest = text;

    *set = 0;
    while (rest) {
        const char *part = strsep(&rest, ",");

        if (!read_part(set, f, part))
            return err_set(
                e, ERR_CONFIG,
                "the %s \"%.40s\" is not one: %d to %d%s are allowed, as 5, 1-5, 1,5, * or "
                "*/5",
                f->name, part, f->low, f->high, *f->words ? " or its first letters" : "");
    }
    return 0;
}

/* Cuts `line` into its fields, which are borrowed from it. How many there are. */
static size_t split(char *fields[FIELD_COUNT], char *line)
{
    size_t count = 0;
    char *save = NULL;

    for (char *f = strtok_r(line, " \t", &save); f; f = strtok_r(NULL, " \t", &save)) {
        if (count < FIELD_COUNT)
            fields[count] = f;
        count++;
    }
    return count;
}

static int read_fields(struct crontab *out, char *line, struct err *e)
{
    uint64_t *const sets[FIELD_COUNT] = {&out->minutes, &out->hours, &out->days, &out->months,
                                         &out->weekdays};
    char *fields[FIELD_COUNT];
    size_t count = split(fields, line);

    if (count != FIELD_COUNT)
        return err_set(e, ERR_CONFIG,
                       "it has %zu field%s, not the five minute, hour, day, month and weekday",
                       count, count == 1 ? "" : "s");
    out->any_day = *fields[2] == '*';
    out->any_weekday = *fields[4] == '*';
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (read_field(sets[i], &FIELDS[i], fields[i], e) < 0)
            return -1;
    if (out->weekdays & UINT64_C(1) << 7)
        out->weekdays = (out->weekdays & 0x7f) | 1;
    return 0;
}

/* What a word stands for, or the line itself; NULL: there is no such word. */
static const char *expand(const char *line)
{
    if (*line != '@')
        return line;
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++)
        if (strcmp(WORDS[i].word, line) == 0)
            return WORDS[i].line;
    return NULL;
}

/* ---- when it is ---- */

/* `day`: since 1970. */
static bool fits_day(const struct crontab *c, int64_t day)
{
    time_t seconds = (time_t)day * DAY_SECONDS;
    struct tm t;
    bool month, by_day, by_weekday;

    gmtime_r(&seconds, &t);
    month = c->months >> (t.tm_mon + 1) & 1;
    by_day = c->days >> t.tm_mday & 1;
    by_weekday = c->weekdays >> t.tm_wday & 1;
    return month && (c->any_day || c->any_weekday ? by_day && by_weekday : by_day || by_weekday);
}

/* The first minute of a day from `minute` on that fits; -1: none. */
static int fitting_minute(const struct crontab *c, int minute)
{
    for (; minute < DAY_MINUTES; minute++)
        if (c->hours >> (minute / 60) & 1 && c->minutes >> (minute % 60) & 1)
            return minute;
    return -1;
}

/* -1: it never comes. */
static int64_t find_next(const struct crontab *c, int64_t after)
{
    int64_t first = after / MINUTE_MS + 1, day = first / DAY_MINUTES;

    for (int64_t d = day; d < day + DAYS_MAX; d++) {
        int minute =
            fits_day(c, d) ? fitting_minute(c, d == day ? (int)(first % DAY_MINUTES) : 0) : -1;

        if (minute >= 0)
            return (d * DAY_MINUTES + minute) * MINUTE_MS;
    }
    return -1;
}

int crontab_parse(struct crontab *out, const char *line, struct err *e)
{
    const char *fields = expand(line);

    *out = (struct crontab){0};
    if (!fields)
        return err_set(e, ERR_CONFIG,
                       "of the words there are @hourly, @daily, @weekly, @monthly and @yearly");
    for (const char *at = line; *at; at++)
        if (at - line >= LINE_MAX_BYTES || (*at != '\t' && !isprint((unsigned char)*at)))
            return err_set(e, ERR_CONFIG, "it is one line of at most %d plain characters",
                           LINE_MAX_BYTES);
    auto_free char *copy = mem_strdup(fields);

    if (read_fields(out, copy, e) < 0)
        return -1;
    if (find_next(out, 0) < 0)
        return err_set(e, ERR_CONFIG, "no month of it has that day");
    return 0;
}

int64_t crontab_next(const struct crontab *c, int64_t after)
{
    return find_next(c, after);
}

int64_t crontab_newest(const struct crontab *c, int64_t after, int64_t until)
{
    int64_t newest = 0;

    for (int64_t t = find_next(c, after); t >= 0 && t <= until; t = find_next(c, t))
        newest = t;
    return newest;
}
