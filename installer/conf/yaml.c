/* SPDX-License-Identifier: MIT */
/*
 * The event API never expands an alias and lets the depth be checked before libyaml's scanner,
 * which is quadratic in the number of open brackets, gets anywhere.
 */
#include "conf/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/problems.h"
#include "conf/text.h"

enum {
    TEXT_MAX = 1 << 20,
    DEPTH_MAX = 32,
    EVENTS_MAX = 20000,
    SCALAR_MAX = 64 << 10,
    KEY_MAX = 256,
    TOLD_MAX = 200,
};

/* What reading goes on with: refused things that leave the rest readable are noted in `problems`;
 * those that do not end the reading. */
struct reader {
    struct problems *problems;
    struct node *root;
    struct node *open[DEPTH_MAX]; /* lists and maps whose end has not come */
    int depth;
    char *key; /* of the open map, waiting for its value; owned */
    int key_line, key_column;
    int documents, events;
    bool partly; /* what follows would be complaints about what is not there */
};

enum step { STEP_GO_ON, STEP_STOP };

static void complain(struct reader *r, const yaml_mark_t *at, const char *what)
{
    struct node place = {.line = (int)at->line + 1, .column = (int)at->column + 1};

    problems_add(r->problems, &place, "%s", what);
}

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static enum node_kind kind_of_plain(const char *text)
{
    static const char *const nulls[] = {"", "~", "null"}, *const bools[] = {"true", "false"};

    if (is_one_of(text, nulls, ARRAY_LEN(nulls)))
        return NODE_KIND_NULL;
    if (is_one_of(text, bools, ARRAY_LEN(bools)))
        return NODE_KIND_BOOL;
    return node_text_is_number(text) ? NODE_KIND_NUMBER : NODE_KIND_STRING;
}

/* True when the next value is a key. */
static bool wants_key(const struct reader *r)
{
    return r->depth > 0 && r->open[r->depth - 1]->kind == NODE_KIND_MAP && !r->key;
}

static void place_value(struct reader *r, struct node *value)
{
    if (r->depth == 0) {
        node_free(r->root);
        r->root = value;
        return;
    }
    struct node *parent = r->open[r->depth - 1];
    if (parent->kind == NODE_KIND_LIST) {
        node_add(parent, value);
        return;
    }
    value->key_line = r->key_line;
    value->key_column = r->key_column;
    node_append(parent, r->key, value);
    free(steal(r->key));
}

static enum step on_key(struct reader *r, const yaml_event_t *ev)
{
    const char *text = (const char *)ev->data.scalar.value;
    size_t len = ev->data.scalar.length;
    const char *bad = len == 0        ? "a key is empty"
                      : len > KEY_MAX ? "a key is longer than 256 bytes"
                                      : NULL;

    if (memchr(text, '\0', len))
        bad = "a key holds a NUL character";
    if (bad) {
        complain(r, &ev->start_mark, bad);
        return STEP_STOP;
    }
    r->key = mem_strdup(text);
    r->key_line = (int)ev->start_mark.line + 1;
    r->key_column = (int)ev->start_mark.column + 1;
    return STEP_GO_ON;
}

static enum step on_scalar(struct reader *r, const yaml_event_t *ev)
{
    const char *text = (const char *)ev->data.scalar.value;

    if (ev->data.scalar.anchor || ev->data.scalar.tag)
        complain(r, &ev->start_mark,
                 ev->data.scalar.tag ? "tags (!) are not allowed" : "anchors (&) are not allowed");
    if (wants_key(r))
        return on_key(r, ev);
    if (memchr(text, '\0', ev->data.scalar.length))
        complain(r, &ev->start_mark, "a text holds a NUL character");
    if (ev->data.scalar.length > SCALAR_MAX)
        complain(r, &ev->start_mark, "a text is longer than 64 KiB");
    bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct node *n = node_new(plain ? kind_of_plain(text) : NODE_KIND_STRING);
    n->text = mem_strdup(text);
    n->line = (int)ev->start_mark.line + 1;
    n->column = (int)ev->start_mark.column + 1;
    place_value(r, n);
    return STEP_GO_ON;
}

static enum step on_open(struct reader *r, const yaml_event_t *ev)
{
    bool map = ev->type == YAML_MAPPING_START_EVENT;
    const void *anchor = map ? ev->data.mapping_start.anchor : ev->data.sequence_start.anchor;
    const void *tag = map ? ev->data.mapping_start.tag : ev->data.sequence_start.tag;

    if (anchor || tag)
        complain(r, &ev->start_mark,
                 tag ? "tags (!) are not allowed" : "anchors (&) are not allowed");
    if (wants_key(r)) {
        complain(r, &ev->start_mark, "a key must be text, not a list or a map");
        return STEP_STOP;
    }
    if (r->depth == DEPTH_MAX) {
        complain(r, &ev->start_mark, "nested more than 32 deep");
        return STEP_STOP;
    }
    struct node *n = map ? node_new_map() : node_new_list();
    n->line = (int)ev->start_mark.line + 1;
    n->column = (int)ev->start_mark.column + 1;
    place_value(r, n);
    r->open[r->depth++] = n;
    return STEP_GO_ON;
}

/* Of two maps under one key the later fills the earlier up, so that what is wrong inside of either
 * is found, and nothing is missed that the later has. */
static void fill_up(struct node *into, struct node *from)
{
    if (into->kind != NODE_KIND_MAP || from->kind != NODE_KIND_MAP)
        return;
    struct node both = {.kind = NODE_KIND_MAP, .count = into->count + from->count};
    both.items = mem_array(both.count + 1, sizeof(*both.items));
    for (size_t i = 0; i < both.count; i++)
        both.items[i] = i < into->count ? into->items[i] : from->items[i - into->count];
    from->count = 0;
    free(into->items);
    into->items = both.items;
    into->count = both.count;
    struct node **later;
    size_t count = node_take_duplicates(into, &later);
    for (size_t i = 0; i < count; i++) {
        fill_up(node_get(into, later[i]->key), later[i]);
        node_free(later[i]);
    }
    free(later);
}

static void on_close(struct reader *r)
{
    struct node *n = r->open[--r->depth], **later = NULL;
    size_t count = n->kind == NODE_KIND_MAP ? node_take_duplicates(n, &later) : 0;

    for (size_t i = 0; i < count; i++) {
        /* Beyond what is shown they are only counted: thousands take no long time. */
        struct node *first = r->problems->count < TOLD_MAX ? node_get(n, later[i]->key) : NULL;

        problems_add_key(r->problems, later[i], "the key \"%s\" is given twice; first on line %d",
                         later[i]->key, first ? first->key_line : 0);
        if (first)
            fill_up(first, later[i]);
        node_free(later[i]);
    }
    free(later);
}

static enum step on_alias(struct reader *r, const yaml_event_t *ev)
{
    complain(r, &ev->start_mark, "aliases (*) are not allowed");
    r->partly = true;
    if (wants_key(r))
        return STEP_STOP;
    place_value(r, node_new(NODE_KIND_NULL));
    return STEP_GO_ON;
}

static enum step on_event(struct reader *r, const yaml_event_t *ev)
{
    if (++r->events > EVENTS_MAX) {
        complain(r, &ev->start_mark, "more than 20000 values and brackets");
        return STEP_STOP;
    }
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++r->documents > 1) {
            complain(r, &ev->start_mark, "a second document; one is allowed");
            return STEP_STOP;
        }
        return STEP_GO_ON;
    case YAML_ALIAS_EVENT:
        return on_alias(r, ev);
    case YAML_SCALAR_EVENT:
        return on_scalar(r, ev);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_open(r, ev);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_close(r);
        return STEP_GO_ON;
    default:
        return ev->type == YAML_STREAM_END_EVENT ? STEP_STOP : STEP_GO_ON;
    }
}

static void complain_syntax(struct reader *r, const yaml_parser_t *parser, const char *text)
{
    const char *problem = parser->problem ? parser->problem : "cannot be read as YAML";
    struct node place = {.line = (int)parser->problem_mark.line + 1,
                         .column = (int)parser->problem_mark.column + 1};

    if (parser->error == YAML_READER_ERROR) { /* knows the byte, not the line */
        struct text_place at = text_place_at(text, parser->problem_offset);

        place = (struct node){.line = at.line, .column = at.column};
    }
    if (parser->context && parser->context_mark.line != parser->problem_mark.line)
        problems_add(r->problems, &place, "%s %s that begins on line %d", problem, parser->context,
                     (int)parser->context_mark.line + 1);
    else
        problems_add(r->problems, &place, "%s%s%s", problem, parser->context ? " " : "",
                     parser->context ? parser->context : "");
}

static void read_events(struct reader *r, const char *text, size_t len)
{
    static const char bom[] = "\xEF\xBB\xBF";

    if (len >= 3 && memcmp(text, bom, 3) == 0) {
        text += 3;
        len -= 3;
    }
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        mem_die("libyaml");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    for (enum step step = STEP_GO_ON; step == STEP_GO_ON;) {
        yaml_event_t ev;

        if (!yaml_parser_parse(&parser, &ev)) {
            complain_syntax(r, &parser, text);
            r->partly = true;
            break;
        }
        step = on_event(r, &ev);
        if (step == STEP_STOP && ev.type != YAML_STREAM_END_EVENT)
            r->partly = true;
        yaml_event_delete(&ev);
    }
    yaml_parser_delete(&parser);
}

struct node *yaml_read(struct problems *p, const char *text, size_t len)
{
    struct err e;

    if (len > TEXT_MAX) {
        err_set(&e, ERR_CONFIG, "%s:1:1: larger than 1 MiB", p->name);
        problems_add_err(p, &e);
        return NULL;
    }
    if (text_check(p->name, text, len, &e) < 0) {
        problems_add_err(p, &e);
        return NULL;
    }
    struct reader r = {.problems = p};
    size_t before = p->count;
    read_events(&r, text, len);
    if (p->count == before && !r.root)
        problems_add(p, &(struct node){.line = 1, .column = 1}, "the document is empty");
    free(r.key);
    if (r.partly) {
        node_free(r.root);
        r.root = NULL;
    }
    return r.root;
}

int yaml_parse(struct node **out, const char *name, const char *text, size_t len, struct err *e)
{
    struct problems p;

    *out = NULL;
    problems_init(&p, name);
    auto_node struct node *root = yaml_read(&p, text, len);
    int r = problems_result(&p, e);
    if (r == 0)
        *out = steal(root);
    problems_clear(&p);
    return r;
}

struct node *yaml_read_file(struct problems *p, const char *path)
{
    auto_free char *text = NULL;
    size_t len;
    struct err e;

    if (fs_read(&text, &len, path, TEXT_MAX, &e) == 0)
        return yaml_read(p, text, len);
    problems_add_err(p, &e);
    return NULL;
}

struct node *yaml_read_input(struct problems *p, const char *path)
{
    auto_free char *text = NULL;
    size_t len;
    struct err e;

    if (fs_read_input(&text, &len, path, TEXT_MAX, &e) == 0)
        return yaml_read(p, text, len);
    problems_add_err(p, &e);
    return NULL;
}

int yaml_load(struct node **out, const char *path, struct err *e)
{
    auto_free char *text = NULL;
    size_t len;

    *out = NULL;
    if (fs_read(&text, &len, path, TEXT_MAX, e) < 0)
        return -1;
    return yaml_parse(out, path, text, len, e);
}
