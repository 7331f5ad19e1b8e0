/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/spec_build.h"

enum { PUBLISHED_FIRST = 20000, PUBLISHED_COUNT = 12000 };

static const struct raw_override *find_override(const struct raw_component *raw, const char *name)
{
    for (size_t i = 0; i < raw->override_count; i++)
        if (strcmp(raw->overrides[i].name, name) == 0)
            return &raw->overrides[i];
    return NULL;
}

/* "8443", "0.0.0.0:8443", "[::]:8443". */
static bool parse_port(struct spec_port *out, const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    const char *colon = strrchr(text, ':');
    const char *digits = colon ? colon + 1 : text;
    size_t len = strspn(digits, "0123456789");

    if (len == 0 || len > 5 || digits[len] != '\0' || strtol(digits, NULL, 10) > 65535)
        return false;
    auto_free char *host =
        colon ? mem_strndup(text, (size_t)(colon - text)) : mem_strdup("127.0.0.1");
    size_t host_len = strlen(host);
    if (host[0] == '[' && host[host_len - 1] == ']') {
        memmove(host, host + 1, host_len - 2);
        host[host_len - 2] = '\0';
        if (inet_pton(AF_INET6, host, address) != 1)
            return false;
    } else if (inet_pton(AF_INET, host, address) != 1) {
        return false;
    }
    out->address = steal(host);
    out->host_port = (int)strtol(digits, NULL, 10);
    return true;
}

static void build_port(struct spec_build *b, struct spec_instance *i, const struct node *given)
{
    const struct manifest *m = i->manifest;
    auto_strv struct strv known = {0};
    size_t k = m->port_count;

    for (size_t n = 0; n < m->port_count; n++) {
        strv_add(&known, m->ports[n].name);
        if (strcmp(m->ports[n].name, given->key) == 0)
            k = n;
    }
    auto_free char *what = mem_printf("port of %s", m->name);
    struct spec_port *port = &i->ports[i->port_count];
    if (k == m->port_count)
        schema_unknown(b->problems, given, what, &known);
    else if (!given->text || !parse_port(port, given->text))
        problems_add(b->problems, given,
                     "%s: expected a port of the host like 8443, or with an address like "
                     "\"0.0.0.0:8443\"",
                     given->key);
    else
        i->ports[i->port_count++].port = m->ports[k].port;
}

/*
 * A port that is published always, where the document says nothing of it: the same one for the same
 * environment, so that an address that somebody noted holds, and for another environment of the
 * machine most likely another one. Below those that the kernel gives away.
 */
static void publish(struct spec_build *b, struct spec_instance *i, const struct port_decl *p)
{
    auto_free char *text =
        mem_printf("%s/%s/%d", b->spec->name ? b->spec->name : "", i->name, p->port);
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */

    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT32_C(16777619);
    i->ports[i->port_count++] =
        (struct spec_port){.address = mem_strdup("127.0.0.1"),
                           .host_port = PUBLISHED_FIRST + (int)(hash % PUBLISHED_COUNT),
                           .port = p->port,
                           .fallback = true};
}

static void build_ports(struct spec_build *b, struct spec_instance *i, const struct node *own)
{
    const struct manifest *m = i->manifest;
    const struct node *given;

    i->ports = mem_array((own ? own->count : 0) + m->port_count, sizeof(*i->ports));
    node_for_each (given, own) {
        build_port(b, i, given);
    }
    for (size_t k = 0; k < m->port_count; k++)
        if (m->ports[k].published && !node_get(own, m->ports[k].name))
            publish(b, i, &m->ports[k]);
}

char *spec_volume_name(const char *env, const char *instance, int number)
{
    return number == 1 ? mem_printf("%s-%s-data", env, instance)
                       : mem_printf("%s-%s-data%d", env, instance, number);
}

void spec_volume_names(struct strv *out, const struct node *document, const char *component,
                       const char *instance, int count)
{
    const struct node *c = node_get(node_get(document, "components"), component);
    const struct node *own = node_get(node_get(c, "overrides"), instance), *n;
    const char *env = node_get_text(document, "name");

    node_for_each (n, node_get(own, "volumes")) {
        strv_add(out, n->text ? n->text : "");
    }
    for (int i = 1; c && env && !node_get(own, "volumes") && i <= count; i++)
        strv_take(out, spec_volume_name(env, instance, i));
}

static void build_volumes(struct spec_build *b, struct spec_instance *i,
                          const struct raw_component *raw, const struct raw_override *own)
{
    const struct manifest *m = i->manifest;

    if (own && own->volumes.count > 0) {
        const struct node *at = node_find(spec_build_place(b, m->name), "overrides");

        at = node_get(node_get(at, i->name), "volumes");
        if (!m->data_root)
            problems_add(b->problems, at, "volumes: %s keeps no data", m->name);
        else if (own->volumes.count < (size_t)m->data_volumes ||
                 own->volumes.count > (size_t)m->data_volumes_max)
            problems_add(b->problems, at, "volumes: %zu names; %s takes %d to %d",
                         own->volumes.count, m->name, m->data_volumes, m->data_volumes_max);
        strv_add_all(&i->volumes, &own->volumes);
        return;
    }
    const char *env = b->spec->name ? b->spec->name : "";
    int count = raw->volumes ? raw->volumes : m->data_volumes;
    for (int n = 1; n <= count; n++)
        strv_take(&i->volumes, spec_volume_name(env, i->name, n));
}

static void build_instance(struct spec_build *b, struct spec_instance *i,
                           const struct raw_component *raw)
{
    const struct raw_override *own = find_override(raw, i->name);

    i->memory_bytes = own && own->memory ? own->memory : raw->memory;
    build_volumes(b, i, raw, own);
    build_ports(b, i, own ? own->ports : NULL);
    if (own && own->config && own->config->count > 0)
        i->overrides = spec_build_config(b, i->manifest, own->config);
}

static void check_volume_count(struct spec_build *b, const struct raw_component *raw,
                               const struct manifest *m)
{
    const struct node *at = node_get(spec_build_place(b, m->name), "volumes");

    if (raw->volumes == 0)
        return;
    if (!m->data_root)
        problems_add(b->problems, at, "volumes: %s keeps no data", m->name);
    else if (raw->volumes < m->data_volumes || raw->volumes > m->data_volumes_max)
        problems_add(b->problems, at, "volumes: %d; %s takes %d to %d", raw->volumes, m->name,
                     m->data_volumes, m->data_volumes_max);
}

void spec_build_instances(struct spec_build *b, struct spec_component *c,
                          const struct raw_component *raw)
{
    const char *name = c->manifest->name;
    const struct node *ssh = raw->ssh ? raw->ssh : b->raw.ssh;

    check_volume_count(b, raw, c->manifest);
    if (raw->ssh && raw->ssh->kind != NODE_KIND_BOOL)
        problems_add(b->problems, node_get(spec_build_place(b, name), "ssh"),
                     "ssh: expected true or false");
    c->instances = mem_array((size_t)c->count, sizeof(*c->instances));
    for (int k = 0; k < c->count; k++) {
        struct spec_instance *i = &c->instances[k];

        i->manifest = c->manifest;
        i->ssh = ssh && ssh->text ? strcmp(ssh->text, "true") == 0 : c->manifest->ssh;
        i->ordinal = k + 1;
        i->name = mem_printf("%s-%d", name, k + 1);
        build_instance(b, i, raw);
    }
    const struct node *overrides = node_get(spec_build_place(b, name), "overrides"), *own;
    node_for_each (own, overrides) {
        bool known = !own->key; /* of a list, which is a problem already */

        for (int k = 0; k < c->count && !known; k++)
            known = strcmp(c->instances[k].name, own->key) == 0;
        if (!known && c->count == 1)
            problems_add_key(b->problems, own,
                             "overrides: \"%s\" is not an instance; %s-1 is the one", own->key,
                             name);
        else if (!known)
            problems_add_key(
                b->problems, own,
                "overrides: \"%s\" is not an instance; with instances: %d they are %s-1 "
                "to %s-%d",
                own->key, c->count, name, name, c->count);
    }
}
