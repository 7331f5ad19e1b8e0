/* SPDX-License-Identifier: MIT */
#include "plan/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/object.h"

enum { SMALL_BITS = 24, LARGE_BITS = 20, SMALL_MAX = 200, FIRST_HOST = 2 };
/* A larger route is a part of the default route, as VPNs make it of two halves:
 * no private network is larger than 10.0.0.0/8. */
enum { ROUTE_BITS_MIN = 8 };
/* The last eighth of a subnet that is not tiny is for those whom we give no address. */
enum { GUEST_BITS = 3, GUESTS_BITS_MAX = 26 };

int cidr_parse(struct cidr *out, const char *text, struct err *e)
{
    const char *slash = strchr(text, '/');
    char address[INET_ADDRSTRLEN];
    struct in_addr in;
    char *end = NULL;
    long bits;

    if (!slash || (size_t)(slash - text) >= sizeof(address))
        return err_set(e, ERR_CONFIG, "subnet %s is not of the form 10.1.2.0/24", text);
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    bits = strtol(slash + 1, &end, 10);
    if (inet_pton(AF_INET, address, &in) != 1 || *end || end == slash + 1 || bits < 1 || bits > 32)
        return err_set(e, ERR_CONFIG, "subnet %s is not of the form 10.1.2.0/24", text);
    out->bits = (int)bits;
    out->base = ntohl(in.s_addr) & (uint32_t)(0xffffffffULL << (32 - bits));
    return 0;
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
    int bits = a->bits < b->bits ? a->bits : b->bits;
    uint32_t mask = (uint32_t)(0xffffffffULL << (32 - bits));

    return (a->base & mask) == (b->base & mask);
}

char *cidr_address(const struct cidr *c, uint32_t host)
{
    struct in_addr in = {.s_addr = htonl(c->base + host)};
    char text[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &in, text, sizeof(text));
    return mem_strdup(text);
}

char *cidr_guests(const struct cidr *c)
{
    int bits = c->bits + GUEST_BITS;
    uint32_t size = 1U << (32 - c->bits), part = size >> GUEST_BITS;

    if (c->bits > GUESTS_BITS_MAX)
        return NULL;
    auto_free char *address = cidr_address(c, size - part);
    return mem_printf("%s/%d", address, bits);
}

static const char *network_subnet(const struct node *network)
{
    const struct node *config = node_get(node_get(network, "IPAM"), "Config");

    return config && config->count ? node_get_text(config->items[0], "Subnet") : NULL;
}

/* What `c` would collide with, or NULL: another Docker network, else a route of this machine. */
static const char *taken_by(const struct observed *w, const struct cidr *c, const char *own_network)
{
    const struct node *n;
    struct cidr other;
    struct err ignored;

    node_for_each (n, w->networks) {
        const char *subnet = network_subnet(n);
        const char *name = node_get_text(n, "Name");

        if (!subnet || (name && strcmp(name, own_network) == 0))
            continue;
        if (cidr_parse(&other, subnet, &ignored) == 0 && cidr_overlaps(c, &other))
            return name ? name : subnet;
    }
    for (size_t i = 0; i < w->routes.count; i++)
        if (cidr_parse(&other, w->routes.items[i], &ignored) == 0 && other.bits >= ROUTE_BITS_MIN &&
            cidr_overlaps(c, &other))
            return w->routes.items[i];
    return NULL;
}

bool address_is_docker_host(const struct observed *w)
{
    struct cidr network, route;
    const struct node *n;
    struct err ignored;

    node_for_each (n, w->networks) {
        const char *subnet = network_subnet(n);

        if (!node_text_is(n, "Driver", "bridge") || !subnet ||
            cidr_parse(&network, subnet, &ignored) < 0)
            continue;
        for (size_t i = 0; i < w->routes.count; i++)
            if (cidr_parse(&route, w->routes.items[i], &ignored) == 0 &&
                route.base == network.base && route.bits == network.bits)
                return true;
    }
    return false;
}

/* A volume of the environment that knows its subnet, or NULL. */
static const struct node *bound_volume(const struct observed *w, const struct env_key *key)
{
    const struct node *v;

    node_for_each (v, w->volumes) {
        if (object_is_ours(v, key->uuid) && object_label(v, LABEL_SUBNET))
            return v;
    }
    return NULL;
}

/* Daemons keep the addresses of each other with their data: etcd and monitors cannot move. */
static int refuse_bound(const struct node *volume, const char *wanted, const char *env,
                        struct err *e)
{
    const char *bound = object_label(volume, LABEL_SUBNET);
    struct cidr a, b;

    if (cidr_parse(&a, wanted, e) < 0)
        return -1;
    if (cidr_parse(&b, bound, e) < 0 || (a.base == b.base && a.bits == b.bits))
        return 0;
    return err_set(e, ERR_CONFLICT,
                   "the data of environment %s is bound to the subnet %s (%s and others keep their "
                   "addresses in it), the document wants %s; write `network: {subnet: %s}`, or "
                   "give up the data first: `slipway -e %s down --volumes`",
                   env, bound, node_get_text(volume, "Name"), wanted, bound, env);
}

static int choose_free(char **out, const struct observed *w, const struct spec *s,
                       const struct env_key *key, const char *network, struct err *e)
{
    size_t instances = 0;
    int bits;
    uint32_t count, start;

    for (size_t i = 0; i < s->component_count; i++)
        instances += (size_t)s->components[i].count;
    bits = instances > SMALL_MAX ? LARGE_BITS : SMALL_BITS;
    count = 1U << (bits - 10);
    start = ((uint32_t)key->bytes[0] << 8 | key->bytes[1]) % count;
    for (uint32_t i = 0; i < count; i++) {
        struct cidr c = {.bits = bits};

        /* 10.64.0.0/10 */
        c.base = 0x0a400000U + (((start + i) % count) << (32 - bits));
        if (!taken_by(w, &c, network)) {
            auto_free char *address = cidr_address(&c, 0);

            *out = mem_printf("%s/%d", address, bits);
            return 0;
        }
    }
    return err_set(e, ERR_CONFLICT,
                   "no free subnet in 10.64.0.0/10; name one with `network: {subnet: ...}`");
}

static bool inside(const struct cidr *c, const char *address)
{
    struct in_addr in;

    if (inet_pton(AF_INET, address, &in) != 1)
        return false;
    return (ntohl(in.s_addr) & (uint32_t)(0xffffffffULL << (32 - c->bits))) == c->base;
}

/* Addresses that containers and volumes of the environment hold, whether wanted now or not. */
static void collect_used(struct strv *used, const struct observed *w, const char *uuid)
{
    const struct node *n;

    node_for_each (n, w->containers) {
        if (object_label(n, LABEL_ADDRESS))
            strv_add(used, object_label(n, LABEL_ADDRESS));
    }
    node_for_each (n, w->volumes) {
        if (object_is_ours(n, uuid) && object_label(n, LABEL_ADDRESS))
            strv_add(used, object_label(n, LABEL_ADDRESS));
    }
}

static bool holds_any(const struct node *network, const struct strv *addresses)
{
    const char *subnet = network_subnet(network);
    struct cidr c;
    struct err ignored;

    if (!subnet || cidr_parse(&c, subnet, &ignored) < 0)
        return false;
    for (size_t i = 0; i < addresses->count; i++)
        if (inside(&c, addresses->items[i]))
            return true;
    return false;
}

static bool is_older(const struct node *a, const struct node *b)
{
    const char *x = node_get_text(a, "Created"), *y = node_get_text(b, "Created");

    return x && y && strcmp(x, y) < 0;
}

const struct node *address_network(const struct observed *w, const char *name, const char *uuid)
{
    auto_strv struct strv used = {0};
    const struct node *n, *best = NULL;

    node_for_each (n, w->networks) {
        bool in_use, best_used;

        if (!node_text_is(n, "Name", name))
            continue;
        if (!best) { /* mostly it is the only one, and this is asked for each instance */
            best = n;
            continue;
        }
        if (used.count == 0)
            collect_used(&used, w, uuid);
        in_use = holds_any(n, &used);
        best_used = holds_any(best, &used);
        if ((in_use && !best_used) || (in_use == best_used && is_older(n, best)))
            best = n;
    }
    return best;
}

int address_subnet(char **out, const struct observed *w, const struct spec *s,
                   const struct env_key *key, struct err *e)
{
    auto_free char *network = object_network_name(s->name);
    const char *have = network_subnet(address_network(w, network, key->uuid));
    const struct node *bound = bound_volume(w, key);
    const char *wanted = s->subnet ? s->subnet : object_label(bound, LABEL_SUBNET);
    struct cidr a, b;
    const char *other;

    if (s->subnet && bound && refuse_bound(bound, s->subnet, s->name, e) < 0)
        return -1;
    if (have && s->subnet && cidr_parse(&a, have, e) == 0) {
        if (cidr_parse(&b, s->subnet, e) < 0)
            return -1;
        if (a.base != b.base || a.bits != b.bits)
            return err_set(e, ERR_CONFLICT,
                           "network %s has the subnet %s, the document wants %s; a subnet cannot "
                           "change under running instances: `slipway down` first",
                           network, have, s->subnet);
    }
    if (have) {
        *out = mem_strdup(have);
        return 0;
    }
    if (!wanted)
        return choose_free(out, w, s, key, network, e);
    if (cidr_parse(&a, wanted, e) < 0)
        return -1;
    other = taken_by(w, &a, network);
    if (other)
        return err_set(
            e, ERR_CONFLICT,
            "subnet %s is taken by %s; name another with `network: {subnet: ...}`%s", wanted, other,
            s->subnet
                ? ""
                : " (the volumes of this environment were made in it, so free it if you can)");
    *out = mem_strdup(wanted);
    return 0;
}

char *address_drift(const struct observed *w, const struct node *container, const char *network)
{
    const struct node *networks = node_get(container, "Networks");
    const struct node *place = node_get(networks, network);
    const struct node *ours = address_network(w, network, object_label(container, LABEL_ENV));
    const char *want = object_label(container, LABEL_ADDRESS);
    const char *have = node_get_text(place, "IPAddress"), *id = node_get_text(place, "NetworkID");

    if (!networks || !want)
        return NULL;
    if (!place)
        return mem_printf("is not connected to the network %s", network);
    if (id && *id && !node_text_is(ours, "Id", id))
        return mem_printf("was connected to a network %s that is gone", network);
    if (have && *have && strcmp(have, want) != 0)
        return mem_printf("has the address %s instead of %s", have, want);
    return NULL;
}

/* The address an instance has by an existing container or volume, or NULL. */
static const char *kept_address(const struct observed *w, const char *uuid, const char *instance)
{
    const struct node *c = object_find_instance(w->containers, instance), *v;

    if (c && object_label(c, LABEL_ADDRESS))
        return object_label(c, LABEL_ADDRESS);
    node_for_each (v, w->volumes) {
        const char *owner = object_label(v, LABEL_INSTANCE);

        if (object_is_ours(v, uuid) && owner && strcmp(owner, instance) == 0)
            return object_label(v, LABEL_ADDRESS);
    }
    return NULL;
}

/* The next address above *next that nobody has; NULL when the subnet is full. Owned. */
static char *free_address(const struct cidr *c, uint32_t *next, const struct strv *used)
{
    while (*next < (1U << (32 - c->bits)) - 1) {
        auto_free char *address = cidr_address(c, (*next)++);

        if (!strv_has(used, address))
            return steal(address);
    }
    return NULL;
}

int address_assign(struct strv *out, const struct observed *w, const struct address_request *r,
                   struct err *e)
{
    auto_strv struct strv used = {0};
    struct cidr c;
    uint32_t next = FIRST_HOST;

    if (cidr_parse(&c, r->subnet, e) < 0)
        return -1;
    collect_used(&used, w, r->uuid);
    for (size_t i = 0; i < r->instances->count; i++) {
        const char *kept = kept_address(w, r->uuid, r->instances->items[i]);
        char *address = NULL;

        if (kept && inside(&c, kept)) {
            strv_add(out, kept);
            continue;
        }
        address = free_address(&c, &next, &used);
        if (!address)
            return err_set(e, ERR_CONFIG, "subnet %s is too small for %zu instances", r->subnet,
                           r->instances->count);
        strv_take(out, address);
    }
    return 0;
}
