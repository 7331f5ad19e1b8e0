/* SPDX-License-Identifier: MIT */
/* Any bytes as component.yaml: no crash; an accepted one has documentation, a schema and defaults
 * that survive the way to etcd and back. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/yaml.h"
#include "model/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_default(const struct config_key *key)
{
    struct problems p;
    struct err e;

    problems_init(&p, "default");
    auto_node struct node *value = manifest_value(key, key->fallback, &p), *parsed = NULL;
    if (!value)
        abort();
    auto_free char *text = manifest_value_text(value);
    auto_node struct node *document = manifest_value_document(key, value);
    auto_node struct node *again = manifest_value(key, document, &p);
    if (manifest_value_parse(&parsed, key, text, &e) < 0 || !node_equal(parsed, value) ||
        !node_equal(again, value))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problems p;

    problems_init(&p, "f");
    auto_node struct node *root = yaml_read(&p, (const char *)data, size);
    size_t before = p.count;
    struct manifest *m = root ? manifest_decode(root, NULL, &p) : NULL;
    if (root && (m == NULL) != (p.count > before))
        abort();
    problems_clear(&p);
    if (!m || before > 0) {
        manifest_free(m);
        return 0;
    }
    auto_buf struct buf b;
    buf_init(&b, 8 << 20);
    manifest_print_doc(&b, m);
    node_free(manifest_schema(m));
    for (size_t i = 0; i < m->config_count; i++)
        if (m->config[i].fallback)
            check_default(&m->config[i]);
    manifest_free(m);
    return 0;
}
