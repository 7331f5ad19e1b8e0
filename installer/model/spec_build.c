/* SPDX-License-Identifier: MIT */
#include "model/spec_build.h"

#include "base/mem.h"

const struct node *spec_build_place(const struct spec_build *b, const char *name)
{
    return node_get(node_get(b->root, "components"), name);
}

struct node *spec_build_config(struct spec_build *b, const struct manifest *m,
                               const struct node *given)
{
    struct node *out = node_new_map();
    auto_strv struct strv known = {0};

    manifest_config_names(m, &known);
    auto_free char *what = mem_printf("configuration key of %s", m->name);
    const struct node *value;
    node_for_each (value, given) {
        const struct config_key *key = manifest_config(m, value->key);
        struct node *checked = key ? manifest_value(key, value, b->problems) : NULL;

        if (!key)
            schema_unknown(b->problems, value, what, &known);
        else if (checked)
            node_append(out, key->name, checked);
    }
    return out;
}
