/* SPDX-License-Identifier: MIT */
/* Part of plan_up: what the host does not have for an instance that is to start. */
#include <string.h>

#include "base/mem.h"
#include "plan/object.h"
#include "plan/plan_up.h"

/* Whether two addresses of one port cannot both be published. */
static bool collides(const char *a, const char *b)
{
    bool six = strchr(a, ':') != NULL;

    if (six != (strchr(b, ':') != NULL))
        return false;
    return strcmp(a, b) == 0 || strcmp(a, six ? "::" : "0.0.0.0") == 0 ||
           strcmp(b, six ? "::" : "0.0.0.0") == 0;
}

/* The name of a container that publishes the port now, or NULL. Borrowed. */
static const char *publisher(const struct node *containers, const struct spec_port *p)
{
    const struct node *c, *port;

    node_for_each (c, containers) {
        node_for_each (port, node_get(c, "Ports")) {
            const char *address = node_get_text(port, "IP");

            if (node_get_int(port, "PublicPort", 0) == p->host_port &&
                !node_text_is(port, "Type", "udp") && collides(address ? address : "", p->address))
                return object_name(c);
        }
    }
    return NULL;
}

static void check_port(struct builder *b, const struct desired_instance *it,
                       const struct spec_port *p)
{
    auto_free char *name = mem_printf("%s:%d", p->address, p->host_port);
    const char *reason = node_get_text(b->w->host_ports, name);
    const char *foreign = publisher(b->w->others, p);

    if (p->host_port == 0 || (!foreign && (!reason || publisher(b->w->containers, p))))
        return;
    if (foreign)
        problems_add(&b->wrong, NULL,
                     "port %s of %s: container %s publishes it; stop that, or publish another port",
                     name, it->spec->name, foreign);
    else
        problems_add(&b->wrong, NULL, "port %s of %s: %s; publish another port, or free it", name,
                     it->spec->name, reason);
}

void builder_check_host(struct builder *b)
{
    for (size_t i = 0; i < b->d->count; i++) {
        const struct desired_instance *it = &b->d->items[i];
        const struct strv *devices = &it->spec->manifest->run.devices;

        if (b->start[i] == PLAN_NONE)
            continue;
        for (size_t k = 0; k < it->spec->port_count; k++)
            check_port(b, it, &it->spec->ports[k]);
        for (size_t k = 0; k < devices->count; k++)
            if (strv_has(&b->w->no_devices, devices->items[k]))
                problems_add(&b->wrong, NULL,
                             "device %s of %s: this machine does not have it; load its kernel "
                             "module (`modprobe fuse` for /dev/fuse)",
                             devices->items[k], it->spec->name);
    }
}
