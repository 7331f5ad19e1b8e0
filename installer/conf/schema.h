/* SPDX-License-Identifier: MIT */
/*
 * A document format as a table: one row is one key with its type, default and help. From the rows
 * come the decoding into a struct, every error sentence (an unknown key with the nearest known one,
 * a wrong type with what was expected), the documentation and the JSON Schema.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "conf/node.h"
#include "conf/problems.h"

/* What the row's field in the struct is: */
enum schema_type {
    SCHEMA_TYPE_STRING,   /* char *, owned; `word` says which characters, or `values` which texts */
    SCHEMA_TYPE_INT,      /* int, between min and max */
    SCHEMA_TYPE_BOOL,     /* bool */
    SCHEMA_TYPE_SIZE,     /* int64_t bytes, between min and max */
    SCHEMA_TYPE_DURATION, /* int64_t milliseconds, between min and max */
    SCHEMA_TYPE_MODE,     /* mode_t, octal text */
    SCHEMA_TYPE_ENUM,     /* int: index in `values`, or numbers[index] */
    SCHEMA_TYPE_STRINGS,  /* struct strv: a list of texts */
    SCHEMA_TYPE_ANY,      /* struct node *, owned copy */
    SCHEMA_TYPE_LIST,     /* struct node *: a list of whatever */
    SCHEMA_TYPE_DICT,     /* struct node *: a map of whatever */
    SCHEMA_TYPE_TABLE,    /* the fields of `table`, in the same struct */
    SCHEMA_TYPE_ENTRIES, /* pointer to an owned array, one element per key of the map, in its order,
                            each decoded by `table`; the count is at count_offset */
};

/* Which characters a text may have. */
enum schema_word {
    SCHEMA_WORD_ANY,
    SCHEMA_WORD_NAME,   /* a-z 0-9 -, letter first, not - last, at most 40: components, profiles */
    SCHEMA_WORD_KEY,    /* a-z 0-9 _, letter first, at most 64: also an environment variable */
    SCHEMA_WORD_FILE,   /* A-Z a-z 0-9 . _ -, not a dot first */
    SCHEMA_WORD_VOLUME, /* Docker's names: A-Z a-z 0-9 . _ -, letter or digit first, 2 or more */
    SCHEMA_WORD_PATH,   /* absolute, without .. */
    SCHEMA_WORD_UPPER,  /* A-Z _: capabilities */
};

struct schema;

struct schema_row {
    const char *key, *help;
    enum schema_type type;
    bool required;
    size_t offset, count_offset;
    const char *fallback; /* default as it would be written, or NULL: the field stays zero */
    enum schema_word word;
    int64_t min, max;          /* max 0: no range */
    const char *const *values; /* NULL-terminated */
    const int *numbers;
    const struct schema *table;
};

struct schema {
    const struct schema_row *rows;
    size_t count;
    size_t size;           /* ENTRIES: of one element */
    size_t name_offset;    /* ENTRIES: char *, owned: the key in the map */
    enum schema_word word; /* ENTRIES: of the keys */
    const char *entry; /* ENTRIES: what a key names, for messages and documentation: "component" */
};

/* Fills the zeroed struct at `out`; a null or missing root map counts as empty. Every problem goes
 * to p; what could be decoded is there even so. */
void schema_decode(void *out, const struct schema *s, const struct node *root, struct problems *p);
/* Frees what schema_decode put there. */
void schema_clear(void *out, const struct schema *s);
bool schema_word_is_valid(enum schema_word word, const char *text);
/* Static: "letters a-z, digits ...". */
const char *schema_word_help(enum schema_word word);
/* Problem at the key of `at`: unknown `what`, with the nearest of `known` and all of them. */
void schema_unknown(struct problems *p, const struct node *at, const char *what,
                    const struct strv *known);
/* "the text \"abc\"", "a list", "nothing": what stands there instead, into out[80]. */
void schema_describe(char out[80], const struct node *n);

/* The rows as a Markdown table, keys of inner tables as a.b; and as JSON Schema (draft-07). */
void schema_print(struct buf *b, const struct schema *s);
struct node *schema_json(const struct schema *s);

#endif
