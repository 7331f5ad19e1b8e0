/* SPDX-License-Identifier: MIT */
#include "model/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"

static void free_config(struct manifest *m)
{
    for (size_t i = 0; i < m->config_count; i++) {
        free(m->config[i].name);
        free(m->config[i].help);
        node_free(m->config[i].fallback);
        strv_clear(&m->config[i].values);
        free(m->config[i].less_than);
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
    char *texts[] = {
        m->dir,      m->name,        m->summary,      m->image,          m->data_root,
        m->run.user, m->run.restart, m->run.host_dir, m->run.plugin_dir, m->run.engine_socket,
        m->update};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
    strv_clear(&m->requires);
    strv_clear(&m->instances_allowed);
    strv_clear(&m->run.capabilities);
    strv_clear(&m->run.devices);
    strv_clear(&m->run.device_rules);
    strv_clear(&m->edits);
    node_free(m->run.command);
    node_free(m->run.only_with);
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
