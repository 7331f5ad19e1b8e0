/* SPDX-License-Identifier: MIT */
/* Options from a table: parsing. opt_text.c prints. */
#include "base/opt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What "a" in "-abc" or "--name" in "--name=value" turned out to be. */
struct found {
    const struct opt_spec *spec;
    void *target;
    char shown[64]; /* as the user knows it: --name or -n */
};

static bool find(struct found *f, const struct opt_set *sets, const char *name, size_t len)
{
    for (const struct opt_set *s = sets; s->specs; s++)
        for (const struct opt_spec *o = s->specs; o->name; o++)
            if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) {
                *f = (struct found){.spec = o, .target = s->target};
                snprintf(f->shown, sizeof(f->shown), "--%s", o->name);
                return true;
            }
    return false;
}

static bool find_letter(struct found *f, const struct opt_set *sets, char letter)
{
    for (const struct opt_set *s = sets; s->specs; s++)
        for (const struct opt_spec *o = s->specs; o->name; o++)
            if (o->letter == letter) {
                *f = (struct found){.spec = o, .target = s->target};
                snprintf(f->shown, sizeof(f->shown), "-%c", letter);
                return true;
            }
    return false;
}

static int unknown(const struct opt_set *sets, const char *name, size_t len, struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *word = mem_printf("--%.*s", (int)len, name);
    auto_free char *hint = NULL;

    for (const struct opt_set *s = sets; s->specs; s++)
        for (const struct opt_spec *o = s->specs; o->name; o++)
            if (!o->hidden)
                strv_addf(&names, "--%s", o->name);
    hint = strv_hint(&names, word);
    return err_set(e, ERR_USAGE, "unknown option %s%s; --help lists the options", word, hint);
}

static bool takes_value(const struct opt_spec *o)
{
    return o->kind != OPT_FLAG && o->kind != OPT_COUNT;
}

bool opt_duration(int64_t *ms, const char *text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1000},     {"ms", 1},      {"s", 1000},    {"m", 60000},
                 {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    for (size_t i = 0; errno == 0 && i < ARRAY_LEN(units); i++)
        if (strcmp(end, units[i].unit) == 0)
            return !__builtin_mul_overflow((int64_t)n, units[i].ms, ms);
    return false;
}

static bool parse_int(int64_t *out, const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;
    char *end;

    if (*digits < '0' || *digits > '9')
        return false;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static int number(int64_t *out, const struct found *f, const char *text, struct err *e)
{
    const struct opt_spec *o = f->spec;
    bool free_range = o->min == 0 && o->max == 0, duration = o->kind == OPT_DURATION;
    int64_t n = 0;

    if (!(duration ? opt_duration(&n, text) : parse_int(&n, text)))
        return err_set(e, ERR_USAGE, "%s: \"%.40s\" is not a %s", f->shown, text,
                       duration ? "duration, as in 500ms, 30s, 5min, 2h, 1d" : "whole number");
    if (n < o->min || (!free_range && n > o->max)) {
        const char *unit = duration ? " ms" : "";

        if (free_range)
            return err_set(e, ERR_USAGE, "%s: \"%.40s\" is below 0", f->shown, text);
        return err_set(e, ERR_USAGE, "%s: \"%.40s\" is not within %lld%s and %lld%s", f->shown,
                       text, (long long)o->min, unit, (long long)o->max, unit);
    }
    *out = n;
    return 0;
}

static int allowed(const struct found *f, const char *text, struct err *e)
{
    auto_strv struct strv values = {0};

    if (!f->spec->values)
        return 0;
    for (const char *const *v = f->spec->values; *v; v++)
        strv_add(&values, *v);
    if (strv_has(&values, text))
        return 0;
    auto_free char *list = strv_join(&values, ", ");
    return err_set(e, ERR_USAGE, "%s: \"%.40s\" is not one of %s", f->shown, text, list);
}

static int apply(const struct found *f, const char *value, struct err *e)
{
    void *field = (char *)f->target + f->spec->offset;

    switch (f->spec->kind) {
    case OPT_FLAG:
        *(bool *)field = true;
        return 0;
    case OPT_COUNT:
        ++*(int *)field;
        return 0;
    case OPT_STRING:
        if (allowed(f, value, e) < 0)
            return -1;
        *(const char **)field = value;
        return 0;
    case OPT_INT:
    case OPT_DURATION:
        return number(field, f, value, e);
    case OPT_LIST:
        if (allowed(f, value, e) < 0)
            return -1;
        strv_add(field, value);
        return 0;
    }
    return 0;
}

static int needs(const struct found *f, struct err *e)
{
    return err_set(e, ERR_USAGE, "%s needs a value: %s", f->shown,
                   f->spec->arg ? f->spec->arg : "VALUE");
}

/* Returns how many arguments it took, or -1. */
static int parse_long(const struct opt_set *sets, const char *const *argv, struct err *e)
{
    const char *name = argv[0] + 2, *value = strchr(name, '=');
    size_t len = value ? (size_t)(value - name) : strlen(name);
    struct found f;

    if (!find(&f, sets, name, len))
        return unknown(sets, name, len, e);
    if (!takes_value(f.spec)) {
        if (value)
            return err_set(e, ERR_USAGE, "%s takes no value", f.shown);
        return apply(&f, NULL, e) < 0 ? -1 : 1;
    }
    if (value)
        return apply(&f, value + 1, e) < 0 ? -1 : 1;
    if (!argv[1])
        return needs(&f, e);
    return apply(&f, argv[1], e) < 0 ? -1 : 2;
}

/* "-abc", "-nVALUE", "-n VALUE". Returns how many arguments it took, or -1. */
static int parse_cluster(const struct opt_set *sets, const char *const *argv, struct err *e)
{
    struct found f;

    for (const char *at = argv[0] + 1; *at; at++) {
        if (!find_letter(&f, sets, *at))
            return err_set(e, ERR_USAGE, "unknown option -%.1s%s; --help lists the options", at,
                           argv[0][2] ? " in a group of letters" : "");
        if (!takes_value(f.spec)) {
            if (apply(&f, NULL, e) < 0)
                return -1;
            continue;
        }
        if (at[1])
            return apply(&f, at + 1, e) < 0 ? -1 : 1;
        if (!argv[1])
            return needs(&f, e);
        return apply(&f, argv[1], e) < 0 ? -1 : 2;
    }
    return 1;
}

int opt_parse(struct strv *operands, const struct opt_set *sets, const char *const *argv,
              enum opt_mode mode, struct err *e)
{
    while (*argv) {
        int taken = 1;

        if (strcmp(*argv, "--") == 0) {
            argv++;
            break;
        }
        if (argv[0][0] == '-' && argv[0][1] == '-')
            taken = parse_long(sets, argv, e);
        else if (argv[0][0] == '-' && argv[0][1])
            taken = parse_cluster(sets, argv, e);
        else if (mode == OPT_STOP_AT_OPERAND)
            break;
        else
            strv_add(operands, *argv);
        if (taken < 0)
            return -1;
        argv += taken;
    }
    for (; *argv; argv++)
        strv_add(operands, *argv);
    return 0;
}
