/* SPDX-License-Identifier: MIT */
#include "model/spec.h"

#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"

static void clear_instance(struct spec_instance *i)
{
    free(i->name);
    node_free(i->overrides);
    strv_clear(&i->volumes);
    for (size_t k = 0; k < i->port_count; k++)
        free(i->ports[k].address);
    free(i->ports);
}

void spec_free(struct spec *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->component_count; i++) {
        struct spec_component *c = &s->components[i];

        for (int k = 0; c->instances && k < c->count; k++)
            clear_instance(&c->instances[k]);
        free(c->instances);
        node_free(c->config);
        node_free(c->given);
    }
    free(s->components);
    free(s->name);
    free(s->profile);
    free(s->subnet);
    free(s->base_image);
    free(s->mirror);
    node_free(s->document);
    free(s);
}

const struct spec_component *spec_component(const struct spec *s, const char *name)
{
    for (size_t i = 0; i < s->component_count; i++)
        if (strcmp(s->components[i].manifest->name, name) == 0)
            return &s->components[i];
    return NULL;
}

const struct spec_instance *spec_instance(const struct spec *s, const char *name)
{
    for (size_t i = 0; i < s->component_count; i++)
        for (int k = 0; k < s->components[i].count; k++)
            if (strcmp(s->components[i].instances[k].name, name) == 0)
                return &s->components[i].instances[k];
    return NULL;
}

const struct node *spec_value(const struct spec *s, const struct spec_instance *i, const char *key)
{
    const struct node *own = node_get(i->overrides, key);
    const struct spec_component *c = spec_component(s, i->manifest->name);

    return own ? own : c ? node_get(c->config, key) : NULL;
}

bool spec_name_is_valid(const char *name)
{
    return schema_word_is_valid(SCHEMA_WORD_NAME, name);
}
