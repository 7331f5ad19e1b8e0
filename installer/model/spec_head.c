/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/spec_build.h"

static void check_profile(struct spec_build *b)
{
    const char *profile = b->spec->profile;
    auto_strv struct strv known = {0};

    strv_add(&known, "production");
    for (size_t i = 0; i < b->catalog->count; i++) {
        const struct node *named;

        node_for_each (named, b->catalog->items[i]->profiles) {
            if (!strv_has(&known, named->key))
                strv_add(&known, named->key);
        }
    }
    if (!profile || strv_has(&known, profile))
        return;
    strv_sort(&known);
    auto_free char *hint = strv_hint(&known, profile);
    auto_free char *all = strv_join(&known, ", ");
    problems_add(b->problems, node_get(b->root, "profile"),
                 "profile: no component knows \"%s\"%s; known: %s", profile, hint, all);
}

/* Address and prefix length of a.b.c.d/n. */
static bool parse_subnet(uint32_t *address, int *bits, const char *text)
{
    const char *slash = strchr(text, '/');

    if (!slash || strspn(slash + 1, "0123456789") != strlen(slash + 1) || strlen(slash) != 3)
        return false;
    auto_free char *host = mem_strndup(text, (size_t)(slash - text));
    struct in_addr in;
    if (inet_pton(AF_INET, host, &in) != 1)
        return false;
    *address = ntohl(in.s_addr);
    *bits = (int)strtol(slash + 1, NULL, 10);
    return true;
}

static bool is_private(uint32_t address)
{
    return address >> 24 == 10 || address >> 20 == (172 << 4 | 1) ||
           address >> 16 == (192 << 8 | 168);
}

static void check_subnet(struct spec_build *b)
{
    const struct node *at = node_find(b->root, "network.subnet");
    const char *text = b->spec->subnet;
    uint32_t address;
    int bits;

    if (!text)
        return;
    if (!parse_subnet(&address, &bits, text)) {
        problems_add(b->problems, at,
                     "subnet: expected an IPv4 range like 10.90.7.0/24, not \"%.40s\"", text);
        return;
    }
    if (!is_private(address))
        problems_add(b->problems, at,
                     "subnet: %s is not private; allowed are ranges in 10.0.0.0/8, 172.16.0.0/12 "
                     "and 192.168.0.0/16",
                     text);
    if (bits < 16 || bits > 28)
        problems_add(b->problems, at, "subnet: /%d is not between /16 and /28", bits);
    else if (address & ((UINT32_C(1) << (32 - bits)) - 1))
        problems_add(b->problems, at, "subnet: %s has bits set behind the first %d", text, bits);
}

static void check_image(struct spec_build *b)
{
    const char *image = b->spec->base_image;
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = image ? strlen(image) : 0;

    if (image && (len == 0 || len > 255 || !strchr(first, image[0]) ||
                  strspn(image, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "._/:@-") != len))
        problems_add(b->problems, node_get(b->root, "base_image"),
                     "base_image: expected the name of an image like debian:trixie-slim, not "
                     "\"%.60s\"",
                     image);
}

static void check_mirror(struct spec_build *b)
{
    const char *mirror = b->spec->mirror;

    if (!mirror)
        return;
    bool scheme = strncmp(mirror, "http://", 7) == 0 || strncmp(mirror, "https://", 8) == 0;
    size_t len = strspn(mirror, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                ":/._~%+-[]");
    if (!scheme || mirror[len] != '\0' || len > 255)
        problems_add(b->problems, node_get(b->root, "mirror"),
                     "mirror: expected an address like http://deb.debian.org/debian, not \"%.60s\"",
                     mirror);
}

static void check_ssh(struct spec_build *b)
{
    if (b->raw.ssh && b->raw.ssh->kind != NODE_KIND_BOOL)
        problems_add(b->problems, node_get(b->root, "ssh"), "ssh: expected true or false");
}

void spec_build_head(struct spec_build *b)
{
    struct spec_raw *raw = &b->raw;

    b->spec->name = steal(raw->name);
    b->spec->profile = steal(raw->profile);
    b->spec->subnet = steal(raw->subnet);
    b->spec->base_image = steal(raw->base_image);
    b->spec->mirror = steal(raw->mirror);
    check_profile(b);
    check_subnet(b);
    check_image(b);
    check_mirror(b);
    check_ssh(b);
}

/* The volumes and published ports of all instances, with the instance each belongs to. */
struct claim {
    const char *what, *instance;
    const struct spec_port *port;
};

static bool is_any(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static bool same_port(const struct spec_port *a, const struct spec_port *b)
{
    return a->host_port != 0 && a->host_port == b->host_port &&
           (is_any(a->address) || is_any(b->address) || strcmp(a->address, b->address) == 0);
}

static int by_what(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = strcmp(x->what, y->what);

    return order ? order : strcmp(x->instance, y->instance);
}

/* Where the document gives `key` to the instance, or NULL. */
static const struct node *given_place(const struct spec_build *b, const char *instance,
                                      const char *key)
{
    const struct spec_instance *i = spec_instance(b->spec, instance);
    const struct node *component = spec_build_place(b, i->manifest->name);

    return node_get(node_get(node_get(component, "overrides"), instance), key);
}

static void check_volumes(struct spec_build *b, struct claim *claims, size_t count)
{
    qsort(claims, count, sizeof(*claims), by_what);
    for (size_t i = 1; i < count; i++)
        if (strcmp(claims[i - 1].what, claims[i].what) == 0) {
            const struct node *first = given_place(b, claims[i - 1].instance, "volumes");
            const struct node *second = given_place(b, claims[i].instance, "volumes");

            problems_add(b->problems, second ? second : first,
                         "volumes: %s is used by %s and by %s", claims[i].what,
                         claims[i - 1].instance, claims[i].instance);
        }
}

static void check_ports(struct spec_build *b, const struct claim *claims, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (same_port(claims[i].port, claims[k].port)) {
                problems_add(b->problems, given_place(b, claims[i].instance, "ports"),
                             "ports: %d of the host is used by %s and by %s",
                             claims[i].port->host_port, claims[k].instance, claims[i].instance);
                break;
            }
}

static void check_addresses(struct spec_build *b, size_t instances)
{
    uint32_t address;
    int bits;

    if (!b->spec->subnet || !parse_subnet(&address, &bits, b->spec->subnet) || bits > 28)
        return;
    /* Network, gateway, broadcast. */
    size_t room = ((size_t)1 << (32 - bits)) - 3;
    if (instances > room)
        problems_add(b->problems, node_find(b->root, "network.subnet"),
                     "subnet: %s has addresses for %zu instances; there are %zu", b->spec->subnet,
                     room, instances);
}

void spec_build_check_all(struct spec_build *b)
{
    const struct spec *s = b->spec;
    size_t volumes = 0, ports = 0, instances = 0;

    for (size_t c = 0; c < s->component_count; c++)
        for (int k = 0; k < s->components[c].count; k++) {
            instances++;
            volumes += s->components[c].instances[k].volumes.count;
            ports += s->components[c].instances[k].port_count;
        }
    auto_free struct claim *volume = mem_array(volumes + 1, sizeof(*volume));
    auto_free struct claim *port = mem_array(ports + 1, sizeof(*port));
    volumes = ports = 0;
    for (size_t c = 0; c < s->component_count; c++)
        for (int k = 0; k < s->components[c].count; k++) {
            const struct spec_instance *i = &s->components[c].instances[k];

            for (size_t v = 0; v < i->volumes.count; v++)
                volume[volumes++] = (struct claim){i->volumes.items[v], i->name, NULL};
            for (size_t n = 0; n < i->port_count; n++)
                port[ports++] = (struct claim){NULL, i->name, &i->ports[n]};
        }
    check_volumes(b, volume, volumes);
    check_ports(b, port, ports);
    check_addresses(b, instances);
}
