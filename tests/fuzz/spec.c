/* SPDX-License-Identifier: MIT */
/* Any bytes as an environment document, against the catalog in tests/data: no crash; the normalised
 * document of an accepted one is a fixed point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "model/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct catalog *catalog(void)
{
    static const char *const dirs[] = {"tests/data/catalog"};
    static struct catalog *loaded;
    struct problems p;

    problems_init(&p, "catalog");
    if (!loaded && catalog_load(&loaded, dirs, 1, &p) < 0)
        abort();
    return loaded;
}

static void check_fixed_point(const struct spec *s)
{
    struct err e;
    struct problems p;
    auto_node struct node *root = NULL;
    auto_free char *text = json_text(s->document);

    problems_init(&p, "again");
    if (json_parse(&root, "again", text, strlen(text), &e) < 0)
        abort();
    struct spec *again = spec_decode(root, catalog(), &p);
    if (!again)
        abort();
    auto_free char *second = json_text(again->document);
    if (strcmp(text, second) != 0)
        abort();
    spec_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problems p;

    problems_init(&p, "f");
    auto_node struct node *root = yaml_read(&p, (const char *)data, size);
    size_t before = p.count;
    struct spec *s = root ? spec_decode(root, catalog(), &p) : NULL;
    if (root && (s == NULL) != (p.count > before))
        abort();
    problems_clear(&p);
    if (s && before == 0)
        check_fixed_point(s);
    spec_free(s);
    return 0;
}
