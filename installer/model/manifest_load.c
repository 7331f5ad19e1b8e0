/* SPDX-License-Identifier: MIT */
/* From component.yaml to a manifest that is checked. */
#include <stdlib.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/yaml.h"
#include "model/manifest.h"
#include "model/manifest_check.h"
#include "model/manifest_table.h"

/* The raw arrays become the manifest's own; what was taken is NULL behind. */
static void take_arrays(struct manifest_raw *raw)
{
    struct manifest *m = &raw->m;

    m->early = raw->early != 0;
    m->config = mem_array(raw->config_count, sizeof(*m->config));
    m->shared = mem_array(raw->shared_count, sizeof(*m->shared));
    m->templates = mem_array(raw->template_count, sizeof(*m->templates));
    for (size_t i = 0; i < raw->config_count; i++) {
        m->config[m->config_count++] = raw->config[i].key;
        raw->config[i].key = (struct config_key){0};
    }
    for (size_t i = 0; i < raw->shared_count; i++) {
        m->shared[m->shared_count++] = raw->shared[i].value;
        raw->shared[i].value = (struct shared_value){0};
    }
    for (size_t i = 0; i < raw->template_count; i++) {
        m->templates[m->template_count++] = raw->templates[i].decl;
        raw->templates[i].decl = (struct template_decl){0};
    }
}

struct manifest *manifest_decode(const struct node *root, const char *dir, struct problems *p)
{
    size_t before = p->count;
    struct manifest_raw raw = {0};

    raw.m.dir = mem_strdup(dir);
    schema_decode(&raw, &manifest_table, root, p);
    if (root->kind == NODE_KIND_MAP)
        manifest_check(&raw, root, p);
    struct manifest *m = NULL;
    if (p->count == before) {
        take_arrays(&raw);
        m = mem_dup(&raw.m, sizeof(raw.m));
        raw.m = (struct manifest){0};
    } else {
        free(raw.m.dir);
    }
    for (size_t i = 0; i < raw.shared_count; i++)
        free(raw.shared[i].value.component);
    schema_clear(&raw, &manifest_table);
    return m;
}

struct manifest *manifest_load(const char *dir, struct problems *p)
{
    auto_free char *path = fs_join(dir, "component.yaml");
    const struct problems_part part = problems_begin(p, path);
    auto_node struct node *root = yaml_read_file(p, path);
    struct manifest *m = root ? manifest_decode(root, dir, p) : NULL;

    if (problems_end(p, &part))
        return m;
    manifest_free(m); /* good but for the text */
    return NULL;
}
