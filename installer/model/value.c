/* SPDX-License-Identifier: MIT */
/* Values of configuration keys: what a document may say, what is stored, and the way back. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/crontab.h"
#include "conf/json.h"
#include "conf/schema.h"
#include "conf/units.h"
#include "model/manifest.h"

/* Hooks and daemons get a value as one variable, for which Linux has 128 KiB with the name. */
enum { TEXT_MAX = 64 << 10, TREE_MAX = 120 << 10 };

const char *manifest_type_name(enum value_type type)
{
    static const char *const names[] = {
        [VALUE_TYPE_STRING] = "a text",       [VALUE_TYPE_INT] = "a whole number",
        [VALUE_TYPE_FLOAT] = "a number",      [VALUE_TYPE_BOOL] = "true or false",
        [VALUE_TYPE_SIZE] = "a size",         [VALUE_TYPE_DURATION] = "a duration",
        [VALUE_TYPE_SCHEDULE] = "a schedule", [VALUE_TYPE_ENUM] = "one of the known values",
        [VALUE_TYPE_LIST] = "a list",         [VALUE_TYPE_MAP] = "a map",
    };

    return names[type];
}

bool manifest_type_is_text(enum value_type type)
{
    return type == VALUE_TYPE_STRING || type == VALUE_TYPE_ENUM || type == VALUE_TYPE_SCHEDULE;
}

static struct node *refuse(const struct config_key *key, const struct node *value, const char *what,
                           struct problems *p)
{
    char there[80];

    schema_describe(there, value);
    problems_add(p, value, "%s: expected %s, not %s", key->name, what, there);
    return NULL;
}

static void format_amount(char out[32], const struct config_key *key, int64_t amount)
{
    if (key->type == VALUE_TYPE_SIZE)
        units_format_size(out, amount);
    else if (key->type == VALUE_TYPE_DURATION)
        units_format_duration(out, amount);
    else
        snprintf(out, 32, "%" PRId64, amount);
}

static bool in_range(const struct config_key *key, const struct node *value, double amount,
                     struct problems *p)
{
    bool low = key->has_min && amount < (double)key->min;
    bool high = key->has_max && amount > (double)key->max;

    if (!low && !high)
        return true;
    char min[32], max[32], range[100];
    format_amount(min, key, key->min);
    format_amount(max, key, key->max);
    if (key->has_min && key->has_max)
        snprintf(range, sizeof(range), "between %s and %s", min, max);
    else
        snprintf(range, sizeof(range), "at %s %s", low ? "least" : "most", low ? min : max);
    bool tree = key->type == VALUE_TYPE_LIST || key->type == VALUE_TYPE_MAP;
    if (tree)
        problems_add(p, value, "%s: %zu items, must be %s", key->name, value->count, range);
    else
        problems_add(p, value, "%s: %.60s must be %s", key->name, value->text, range);
    return false;
}

static struct node *exact(const struct config_key *key, const struct node *value, int64_t amount,
                          struct problems *p)
{
    /* int64 limits compare exactly here; a double would round the largest ones. */
    bool fits = (!key->has_min || amount >= key->min) && (!key->has_max || amount <= key->max);

    if (fits)
        return node_new_number(amount);
    in_range(key, value, amount < key->min ? -1e300 : 1e300, p);
    return NULL;
}

static struct node *check_float(const struct config_key *key, const struct node *value,
                                struct problems *p)
{
    if (!node_text_is_number(value->text) || strlen(value->text) > 60)
        return refuse(key, value, "a number", p);
    if (!in_range(key, value, strtod(value->text, NULL), p))
        return NULL;
    struct node *out = node_new(NODE_KIND_NUMBER);
    out->text = mem_strdup(value->text);
    return out;
}

static struct node *check_enum(const struct config_key *key, const struct node *value,
                               struct problems *p)
{
    if (strv_has(&key->values, value->text))
        return node_new_string(value->text);
    auto_free char *all = strv_join(&key->values, ", ");
    auto_free char *what = mem_printf("one of %s", all);
    return refuse(key, value, what, p);
}

static struct node *check_schedule(const struct config_key *key, const struct node *value,
                                   struct problems *p)
{
    struct crontab c;
    struct err e;

    if (value->kind == NODE_KIND_NULL || strcmp(value->text, CONFIG_NEVER) == 0)
        return node_new_string(CONFIG_NEVER);
    if (crontab_parse(&c, value->text, &e) == 0)
        return node_new_string(value->text);
    auto_free char *what =
        mem_printf("a schedule like \"0 3 * * *\" or @daily in UTC, or null (%s)", e.msg);
    return refuse(key, value, what, p);
}

static struct node *check_tree(const struct config_key *key, const struct node *value,
                               struct problems *p)
{
    bool list = key->type == VALUE_TYPE_LIST;

    if (value->kind != (list ? NODE_KIND_LIST : NODE_KIND_MAP))
        return refuse(key, value, list ? "a list" : "a map", p);
    if (!in_range(key, value, (double)value->count, p))
        return NULL;
    auto_free char *text = json_text(value);
    if (strlen(text) > TREE_MAX) {
        problems_add(p, value, "%s: larger than 120 KiB", key->name);
        return NULL;
    }
    struct node *copy = node_copy(value);
    free(steal(copy->key));
    /* The order of a map's keys says nothing: one text for each value, so that nothing seems to
     * change. */
    node_sort(copy);
    return copy;
}

static struct node *check_scalar(const struct config_key *key, const struct node *value,
                                 struct problems *p)
{
    int64_t amount;

    switch (key->type) {
    case VALUE_TYPE_INT:
        return node_to_int(value, &amount) ? exact(key, value, amount, p)
                                           : refuse(key, value, "a whole number", p);
    case VALUE_TYPE_FLOAT:
        return check_float(key, value, p);
    case VALUE_TYPE_BOOL:
        if (strcmp(value->text, "true") == 0 || strcmp(value->text, "false") == 0)
            return node_new_bool(value->text[0] == 't');
        return refuse(key, value, "true or false", p);
    case VALUE_TYPE_SIZE:
        return units_parse_size(&amount, value->text) ? exact(key, value, amount, p)
                                                      : refuse(key, value, UNITS_SIZE_HELP, p);
    case VALUE_TYPE_DURATION:
        return units_parse_duration(&amount, value->text)
                   ? exact(key, value, amount, p)
                   : refuse(key, value, UNITS_DURATION_HELP, p);
    case VALUE_TYPE_SCHEDULE:
        return check_schedule(key, value, p);
    case VALUE_TYPE_ENUM:
        return check_enum(key, value, p);
    default:
        return node_new_string(value->text);
    }
}

struct node *manifest_value(const struct config_key *key, const struct node *value,
                            struct problems *p)
{
    struct node *out;

    if (key->type == VALUE_TYPE_LIST || key->type == VALUE_TYPE_MAP) {
        out = check_tree(key, value, p);
    } else if ((value->kind == NODE_KIND_NULL && key->type != VALUE_TYPE_SCHEDULE) ||
               value->kind == NODE_KIND_LIST || value->kind == NODE_KIND_MAP) {
        out = refuse(key, value, manifest_type_name(key->type), p);
    } else if (value->text && strlen(value->text) > TEXT_MAX) {
        problems_add(p, value, "%s: longer than 64 KiB", key->name);
        return NULL;
    } else {
        out = check_scalar(key, value, p);
    }
    if (out) {
        out->line = value->line;
        out->column = value->column;
    }
    return out;
}

char *manifest_value_text(const struct node *value)
{
    if (value->kind == NODE_KIND_LIST || value->kind == NODE_KIND_MAP)
        return json_text(value);
    return mem_strdup(value->kind == NODE_KIND_NULL ? "" : value->text);
}

int manifest_value_parse(struct node **out, const struct config_key *key, const char *text,
                         struct err *e)
{
    auto_node struct node *value = NULL;

    *out = NULL;
    if (key->type == VALUE_TYPE_LIST || key->type == VALUE_TYPE_MAP) {
        if (json_parse(&value, key->name, text, strlen(text), e) < 0)
            return -1;
        value->line = 0; /* the line of a text from etcd says nothing */
    } else {
        value = node_new_string(text);
        int64_t ms;
        if (key->type == VALUE_TYPE_DURATION && node_to_int(value, &ms) && ms >= 0) {
            free(value->text); /* as it is stored */
            value->text = mem_printf("%" PRId64 "ms", ms);
        }
    }
    struct problems p;
    problems_init(&p, "value");
    struct node *checked = manifest_value(key, value, &p);
    int r = problems_result(&p, e);
    problems_clear(&p);
    *out = checked;
    return r;
}

struct node *manifest_value_document(const struct config_key *key, const struct node *value)
{
    char text[32];
    int64_t amount;

    if ((key->type != VALUE_TYPE_SIZE && key->type != VALUE_TYPE_DURATION) ||
        !node_to_int(value, &amount)) {
        struct node *copy = node_copy(value);

        free(steal(copy->key));
        return copy;
    }
    format_amount(text, key, amount);
    struct node *out = node_new_string(text);
    if (node_text_is_number(text))
        out->kind = NODE_KIND_NUMBER;
    return out;
}
