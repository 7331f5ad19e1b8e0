/* SPDX-License-Identifier: MIT */
#include "model/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/yaml.h"
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
    const char *name = p->name;
    size_t before = p->count;
    p->name = path;
    auto_node struct node *root = yaml_read_file(p, path);
    bool good = root && p->count == before;
    struct manifest *m = root ? manifest_decode(root, dir, p) : NULL;
    p->name = name;
    if (!good) {
        manifest_free(m);
        m = NULL;
    }
    return m;
}

static void free_config(struct manifest *m)
{
    for (size_t i = 0; i < m->config_count; i++) {
        free(m->config[i].name);
        free(m->config[i].help);
        node_free(m->config[i].fallback);
        strv_clear(&m->config[i].values);
    }
    free(m->config);
}

static void free_declared(struct manifest *m)
{
    for (size_t i = 0; i < m->shared_count; i++) {
        free(m->shared[i].name);
        free(m->shared[i].component);
    }
    for (size_t i = 0; i < m->secret_count; i++)
        free(m->secrets[i].name);
    for (size_t i = 0; i < m->template_count; i++) {
        free(m->templates[i].name);
        free(m->templates[i].path);
        free(m->templates[i].owner);
    }
    for (size_t i = 0; i < m->port_count; i++) {
        free(m->ports[i].name);
        free(m->ports[i].help);
    }
    free(m->shared);
    free(m->secrets);
    free(m->templates);
    free(m->ports);
}

void manifest_free(struct manifest *m)
{
    if (!m)
        return;
    free_config(m);
    free_declared(m);
    char *texts[] = {m->dir,      m->name,        m->summary,      m->image,          m->data_root,
                     m->run.user, m->run.restart, m->run.host_dir, m->run.plugin_dir, m->update};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    strv_clear(&m->requires);
    strv_clear(&m->instances_allowed);
    strv_clear(&m->run.capabilities);
    strv_clear(&m->run.devices);
    strv_clear(&m->run.device_rules);
    strv_clear(&m->edits);
    node_free(m->run.command);
    node_free(m->run.env);
    node_free(m->profiles);
    free(m);
}

const struct config_key *manifest_config(const struct manifest *m, const char *name)
{
    for (size_t i = 0; i < m->config_count; i++)
        if (strcmp(m->config[i].name, name) == 0)
            return &m->config[i];
    return NULL;
}

void manifest_config_names(const struct manifest *m, struct strv *out)
{
    for (size_t i = 0; i < m->config_count; i++)
        strv_add(out, m->config[i].name);
}

char *manifest_hook(const struct manifest *m, const char *name)
{
    if (!m->dir)
        return NULL;
    auto_free char *path = mem_printf("%s/hooks/%s", m->dir, name);
    return fs_is_executable(path) ? steal(path) : NULL;
}

const char *manifest_type_name(enum value_type type)
{
    static const char *const names[] = {
        [VALUE_TYPE_STRING] = "a text",
        [VALUE_TYPE_INT] = "a whole number",
        [VALUE_TYPE_FLOAT] = "a number",
        [VALUE_TYPE_BOOL] = "true or false",
        [VALUE_TYPE_SIZE] = "a size",
        [VALUE_TYPE_DURATION] = "a duration",
        [VALUE_TYPE_ENUM] = "one of the known values",
        [VALUE_TYPE_LIST] = "a list",
        [VALUE_TYPE_MAP] = "a map",
    };
    return names[type];
}
