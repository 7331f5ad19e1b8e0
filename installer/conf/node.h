/* SPDX-License-Identifier: MIT */
/*
 * The tree that YAML and JSON both become, with the place of every value. Scalars keep their text:
 * typing is the schema's business (YAML 1.1 guessing never happens); `kind` keeps what the writer
 * said. Map order is the document's order.
 */
#ifndef CONF_NODE_H
#define CONF_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_kind {
    NODE_KIND_NULL,
    NODE_KIND_BOOL,
    NODE_KIND_NUMBER,
    NODE_KIND_STRING,
    NODE_KIND_LIST,
    NODE_KIND_MAP,
};

struct node {
    enum node_kind kind; /* a plain YAML scalar: NULL for ~ null and empty; BOOL for true false;
                            NUMBER for JSON number grammar; else STRING. Quoted: STRING */
    char *text;          /* scalars: NUL-free text as written (BOOL, NUMBER too); owned */
    char *key;           /* name in the parent map, or NULL; owned */
    int line, column;    /* from 1; 0 when made by the program */
    int key_line, key_column;
    struct node **items; /* children of LIST and MAP; owned */
    size_t count;
};

/* Without a place and a key. Owned; what it is made of is copied. */
struct node *node_new(enum node_kind kind);
struct node *node_new_string(const char *text);
struct node *node_new_number(int64_t value);
struct node *node_new_bool(bool value);
struct node *node_new_list(void);
struct node *node_new_map(void);
/* With all below; NULL is fine. */
void node_free(struct node *n);
/* With all below, keys and places. NULL gives NULL. Owned. */
struct node *node_copy(const struct node *n);
bool node_equal(const struct node *a, const struct node *b); /* values; map order does not count */

/* Child of a map by name, or NULL (also for n NULL or not a map). Borrowed. */
struct node *node_get(const struct node *n, const char *key);
/* Text of a scalar child; NULL when missing, null, a list or a map. Borrowed. */
const char *node_get_text(const struct node *n, const char *key);
/* Whether that text is there and equal to `value`. */
bool node_text_is(const struct node *n, const char *key, const char *value);
/* Integer of a scalar child, or `fallback` when missing or not an int64. */
int64_t node_get_int(const struct node *n, const char *key, int64_t fallback);
bool node_get_bool(const struct node *n, const char *key, bool fallback);
/* True, and *out, when n is a scalar whose text is a decimal int64 (JSON from etcd writes them as
 * strings). */
bool node_to_int(const struct node *n, int64_t *out);
/* True for the text of a JSON number (RFC 8259 section 6). */
bool node_text_is_number(const char *text);
/* Child by "a.b.0.c"; NULL when missing. */
struct node *node_find(const struct node *n, const char *path);

/* Take the value. node_set replaces an existing key. Return the value, borrowed. */
struct node *node_set(struct node *map, const char *key, struct node *value);
struct node *node_set_text(struct node *map, const char *key, const char *text);
struct node *node_set_int(struct node *map, const char *key, int64_t value);
struct node *node_set_bool(struct node *map, const char *key, bool value);
/* Appends without looking for an existing key: for parsers, which check once at the end with
 * node_duplicate: the first child whose key stands earlier in the map too, or NULL. */
struct node *node_append(struct node *map, const char *key, struct node *value);
struct node *node_duplicate(const struct node *map);
/* Takes the later ones of equal keys out of a map, into *taken, in their order; both are owned by
 * the caller. The number of them. */
size_t node_take_duplicates(struct node *map, struct node ***taken);
struct node *node_add(struct node *list, struct node *value);
struct node *node_add_text(struct node *list, const char *text);
/* Removes a key of a map; true when it was there. */
bool node_remove(struct node *map, const char *key);
/* Sorts the keys of every map below n: for canonical text and hashes. */
void node_sort(struct node *n);

#define node_for_each(child, parent)                                                               \
    for (size_t i_##child = 0;                                                                     \
         (parent) && i_##child < (parent)->count && ((child) = (parent)->items[i_##child]);        \
         i_##child++)

/* For auto_node. */
void node_cleanup(struct node **n);
#define auto_node __attribute__((cleanup(node_cleanup)))

#endif
