/* SPDX-License-Identifier: MIT */
/* Any bytes as a file of steps: no crash; what was accepted says the same when it is printed and
 * read again, and a program can be told each of its steps: in few enough words for a shell. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/quote.h"
#include "conf/yaml.h"
#include "model/steps.h"

enum { TEXT_MAX = 8 << 20, LINE_MAX_LEN = 112 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything that the programs of the steps would get. */
static char *told(const struct steps *all)
{
    auto_node struct node *target = steps_target("osd-1", "osd", "demo", NULL);
    struct buf b;

    buf_init(&b, 2 * TEXT_MAX);
    for (size_t i = 0; i < all->count; i++) {
        auto_strv struct strv words = {0};
        auto_free char *input = NULL, *line = NULL;
        size_t len = 0;
        struct err e;

        steps_words(&words, &all->items[i], false);
        line = quote_words((const char *const *)words.items);
        if (strlen(line) > LINE_MAX_LEN)
            abort();
        buf_printf(&b, "%s\n%s\n", all->items[i].title, line);
        /* Of a template it may be too long, or want an address. */
        if (steps_input(&input, &len, all, &all->items[i], target, &e) == 0 && input)
            buf_add(&b, input, len);
    }
    return buf_take(&b);
}

static void check_again(const struct steps *all, const struct node *root)
{
    struct problems p;
    struct buf text;
    auto_free char *first = told(all), *second = NULL;

    buf_init(&text, TEXT_MAX);
    yaml_format(&text, root);
    problems_init(&p, "again");
    auto_node struct node *tree = yaml_read(&p, buf_str(&text), text.len);
    struct steps *again = tree ? steps_decode(tree, NULL, &p) : NULL;
    if (!again)
        abort();
    second = told(again);
    if (strcmp(first, second) != 0)
        abort();
    steps_free(again);
    buf_clear(&text);
    problems_clear(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problems p;

    problems_init(&p, "f");
    auto_node struct node *root = yaml_read(&p, (const char *)data, size);
    struct steps *all = root ? steps_decode(root, NULL, &p) : NULL;
    if ((all == NULL) != (p.count > 0))
        abort();
    problems_clear(&p);
    if (all)
        check_again(all, root);
    steps_free(all);
    return 0;
}
