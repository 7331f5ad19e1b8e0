/* SPDX-License-Identifier: MIT */
/* Part of observe: what only somebody who knows what is wanted looks for. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/sockaddr.h"
#include "plan/address.h"
#include "plan/desired.h"
#include "plan/object.h"

/* Why nobody can listen there, static; NULL when somebody can, or when that cannot be known. The
 * socket is closed before anybody can connect: it never listens. */
static const char *why_not(const struct spec_port *p)
{
    struct sockaddr_storage where;
    socklen_t len = sockaddr_parse(&where, p->address, p->host_port);
    auto_close int fd = len ? socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    int on = 1;

    /* As Docker does: connections that ended lately are not in the way. */
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        (where.ss_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
        bind(fd, (struct sockaddr *)&where, len) == 0)
        return NULL;
    if (errno == EADDRNOTAVAIL)
        return "the address is not one of this machine";
    return errno == EADDRINUSE ? "another program listens there (`ss -ltnp` shows which)" : NULL;
}

void observed_observe_host(struct observed *w, const struct spec *s, const char *self)
{
    if (self || !address_is_docker_host(w))
        return;
    w->host_ports = node_new_map();
    for (size_t i = 0; i < s->component_count; i++) {
        const struct spec_component *c = &s->components[i];
        const struct strv *devices = &c->manifest->run.devices;

        for (size_t k = 0; k < devices->count; k++)
            if (!fs_exists(devices->items[k]) && !strv_has(&w->no_devices, devices->items[k]))
                strv_add(&w->no_devices, devices->items[k]);
        for (int n = 0; n < c->count; n++)
            for (size_t k = 0; k < c->instances[n].port_count; k++) {
                const struct spec_port *p = &c->instances[n].ports[k];
                auto_free char *name = mem_printf("%s:%d", p->address, p->host_port);
                const char *reason = p->host_port ? why_not(p) : NULL;

                if (reason)
                    node_set_text(w->host_ports, name, reason);
            }
    }
}

void observed_inspect_changed(struct observed *w, struct engine *g, const struct desired *d,
                              const char *only)
{
    w->changed = node_new_map();
    for (size_t i = 0; i < d->count; i++) {
        const struct desired_instance *it = &d->items[i];
        const struct node *c;
        struct node *seen = NULL;
        struct err e;

        if (only && strcmp(it->spec->name, only) != 0)
            continue;
        c = object_find_instance(w->containers, it->spec->name);
        if (!c || node_text_is(node_get(c, "Labels"), LABEL_HASH, it->hash))
            continue;
        if (engine_container_inspect(&seen, g, node_get_text(c, "Id"), &e) < 0)
            err_drop(&e, "what changed of a container");
        else
            node_set(w->changed, it->container, seen);
    }
}
