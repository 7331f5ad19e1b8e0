/* SPDX-License-Identifier: MIT */
/* show: one instance, from etcd, its agent and Docker, in our own words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/out.h"
#include "env/show.h"
#include "env/status.h"

enum { TEXT_MAX = 1 << 20, LABEL_WIDTH = 13 };

/* ---- for people ---- */

static void line(struct buf *b, const char *label, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void line(struct buf *b, const char *label, const char *fmt, ...)
{
    auto_free char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = mem_vprintf(fmt, ap);
    va_end(ap);
    buf_printf(b, "%-*s ", LABEL_WIDTH, label);
    out_safe(b, text, strlen(text));
    buf_putc(b, '\n');
}

static void optional(struct buf *b, const char *label, const char *text)
{
    if (text && *text)
        line(b, label, "%s", text);
}

static void format_state(struct buf *b, const struct node *n)
{
    const char *state = node_get_text(n, "state"), *health = node_get_text(n, "health");
    const char *at = node_get_text(n, "since");
    int64_t since, crashes = node_get_int(n, "crashes", 0);
    const struct node *c = node_get(n, "container");
    char span[32];

    if (at && clock_parse(&since, at)) {
        clock_format_span(span, clock_wall_ms() - since);
        line(b, "State:", "%s since %.19sZ (%s)", state, at, span);
    } else {
        line(b, "State:", "%s", state);
    }
    line(b, "Health:", "%s", health);
    optional(b, "Reason:", node_get_text(n, "reason"));
    if (node_get(c, "exit_status"))
        line(b, "Ended:", "%.19s%s, exit status %" PRId64 "%s",
             node_get_text(c, "finished") ? node_get_text(c, "finished") : "never started",
             node_get_text(c, "finished") ? "Z" : "", node_get_int(c, "exit_status", 0),
             node_get_bool(c, "out_of_memory", false) ? ", out of memory" : "");
    optional(b, "Error:", node_get_text(c, "error"));
    if (crashes)
        line(b, "Restarts:", "%" PRId64 ", of them %" PRId64 " by Docker after it ended by itself",
             node_get_int(n, "restarts", 0), crashes);
    else
        line(b, "Restarts:", "%" PRId64, node_get_int(n, "restarts", 0));
}

static void format_config(struct buf *b, const struct node *config)
{
    const struct node *pending = node_get(config, "pending"), *p;
    const char *result = node_get_text(config, "result");
    int64_t desired = node_get_int(config, "desired_revision", 0);

    if (!config) {
        line(b, "Config:", "unknown, etcd does not answer");
        return;
    }
    line(b, "Desired:", "revision %" PRId64 ", %s", desired, node_get_text(config, "desired"));
    if (!node_get_text(config, "applied"))
        line(b, "Applied:", "not yet");
    else
        line(b, "Applied:", "revision %" PRId64 ", %s%s", node_get_int(config, "revision", 0),
             node_get_text(config, "applied"),
             result && strcmp(result, "failed") == 0    ? ", failed"
             : pending && pending->count                ? ", more is pending"
             : !node_get_bool(config, "current", false) ? ", behind"
                                                        : "");
    optional(b, "", node_get_text(config, "error"));
    node_for_each (p, pending) {
        optional(b, "Pending:", p->text);
    }
}

static void format_container(struct buf *b, const struct node *n)
{
    const struct node *c = node_get(n, "container"), *image = node_get(n, "image");
    const char *started = node_get_text(c, "started"), *hash = node_get_text(c, "hash");
    const char *id = node_get_text(image, "id");

    if (!c) {
        line(b, "Container:", "none; `slipway up` makes it");
        return;
    }
    line(b, "Container:", "%s, %s", node_get_text(c, "name"), node_get_text(c, "state"));
    line(b, "", "id %.12s, hash %.12s, started %.19s%s", node_get_text(c, "id"), hash ? hash : "-",
         started ? started : "never", started ? "Z" : "");
    line(b, "", "Docker restarts it: %s",
         node_get_text(c, "restart") ? node_get_text(c, "restart") : "no");
    if (id && strncmp(id, "sha256:", 7) == 0)
        id += 7;
    line(b, "Image:", "%s", node_get_text(image, "name"));
    line(b, "", "id %.12s", id ? id : "-");
    optional(b, "Agent:", node_get_text(n, "agent"));
    optional(b, "Release:", node_get_text(n, "release"));
    optional(b, "  since:", node_get_text(n, "release_since"));
}

/* One line for each; the label before the first. */
static void format_places(struct buf *b, const char *label, const struct node *list)
{
    const struct node *m;

    node_for_each (m, list) {
        const char *name = node_get_text(m, "name"), *at = node_get_text(m, "at");

        if (at) /* of `reach`, where the path is the host's */
            name = node_get_text(m, "path");
        line(b, label, "%s at %s%s", name ? name : node_get_text(m, "host_path"),
             at ? at : node_get_text(m, "path"),
             node_get_bool(m, "read_only", false) ? ", read-only" : "");
        label = "";
    }
}

static void format_net(struct buf *b, const struct node *n)
{
    const struct node *networks = node_get(n, "networks"), *ports = node_get(n, "ports"), *w, *at;
    const char *label = "Network:";

    node_for_each (w, networks) {
        const char *six = node_get_text(w, "address6"), *four = node_get_text(w, "address");

        line(b, label, "%s, %s%s%s", node_get_text(w, "name"), four ? four : "no address",
             six ? ", " : "", six ? six : "");
        label = "";
    }
    label = "Ports:";
    node_for_each (w, ports) {
        const struct node *places = node_get(w, "at");

        if (places->count == 0)
            line(b, label, "%s, not published", node_get_text(w, "port"));
        node_for_each (at, places) {
            line(b, label, "%s at %s", node_get_text(w, "port"), at->text);
            label = "";
        }
        label = "";
    }
}

/* Wrapped below itself: names without a space in them, so that they can be searched for. */
static void format_words(struct buf *b, const char *label, const struct node *words)
{
    enum { COLUMNS = 79 - LABEL_WIDTH };
    auto_buf struct buf text;
    const struct node *w;

    buf_init(&text, TEXT_MAX);
    node_for_each (w, words) {
        if (text.len && text.len + strlen(w->text) + 2 > COLUMNS) {
            line(b, label, "%s,", buf_str(&text));
            buf_reset(&text);
            label = "";
        }
        buf_printf(&text, "%s%s", text.len ? ", " : "", w->text);
    }
    if (text.len)
        line(b, label, "%s", buf_str(&text));
}

/* One line for each, a label before the first. */
static void format_list(struct buf *b, const char *label, const struct node *list)
{
    const struct node *n;

    node_for_each (n, list) {
        line(b, label, "%s", n->text);
        label = "";
    }
}

/* What a program that broke in could use. */
static void format_reach(struct buf *b, const struct node *reach)
{
    const struct node *etcd = node_get(reach, "etcd");

    if (!reach)
        return;
    buf_puts(b, "Reach, for a program that broke in:\n");
    format_places(b, "  host:", node_get(reach, "host"));
    if (node_get_bool(reach, "docker_plugins", false))
        line(b, "  Docker:", "it can take the place of every plugin of Docker");
    if (node_get_bool(reach, "docker", false))
        line(b, "  Docker:", "its socket: everything on this host");
    if (node_get_bool(reach, "environment_key", false))
        line(b, "  key:", "that of the environment: all passwords and keys in it");
    if (node_get_text(reach, "mounts"))
        line(b, "  mounts:", "by a helper, in its folder of the host: %s",
             node_get_text(reach, "mounts"));
    format_words(b, "  devices:", node_get(reach, "devices"));
    format_words(b, "  rights:", node_get(reach, "capabilities"));
    format_list(b, "  published:", node_get(reach, "published"));
    format_list(b, "  networks:", node_get(reach, "networks"));
    if (!etcd)
        line(b, "  etcd:", "unknown, etcd does not answer");
    format_list(b, "  reads:", node_get(etcd, "read"));
    format_list(b, "  writes:", node_get(etcd, "write"));
}

static void format(struct buf *b, const struct node *n)
{
    line(b, "Instance:", "%s of %s, host %s", node_get_text(n, "instance"),
         node_get_text(n, "environment"), node_get_text(n, "host"));
    line(b, "Component:", "%s", node_get_text(n, "component"));
    format_state(b, n);
    format_config(b, node_get(n, "config"));
    format_container(b, n);
    format_net(b, n);
    format_places(b, "Volumes:", node_get(n, "volumes"));
    format_places(b, "Folders:", node_get(n, "folders"));
    format_words(b, "Devices:", node_get(n, "devices"));
    format_words(b, "Capabilities:", node_get(n, "capabilities"));
    if (node_get_int(n, "memory_limit", 0))
        line(b, "Memory:", "at most %" PRId64 " MiB", node_get_int(n, "memory_limit", 0) >> 20);
    if (node_text_is(n, "via", "ssh"))
        line(b, "Managed:", "over SSH; `slipway ssh %s`", node_get_text(n, "instance"));
    else if (node_get_text(n, "via"))
        line(b, "Managed:", "through Docker's API; `slipway exec %s sh`",
             node_get_text(n, "instance"));
    format_reach(b, node_get(n, "reach"));
}

/* ---- the command ---- */

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    auto_node struct node *status = NULL, *all = node_new_list();
    auto_buf struct buf b;

    (void)options;
    buf_init(&b, TEXT_MAX);
    if (status_read(&status, x->env, e) < 0)
        return -1;
    for (size_t i = 0; i < operands->count; i++) {
        struct node *n = NULL;

        if (show_instance(&n, x->env, status, operands->items[i], e) < 0)
            return -1;
        node_add(all, n);
        if (i)
            buf_putc(&b, '\n');
        format(&b, n);
    }
    if (x->json)
        out_json(operands->count == 1 ? all->items[0] : all);
    else
        out_buf(&b);
    return 0;
}

static const struct opt_example examples[] = {
    {"slipway show ceph-osd-1", "by the instance's name"},
    {"slipway show 3f2a91c0b7d4", "by the beginning of its container's id"},
    {"slipway show --json ceph-osd-1", "the same for programs; a list for several instances"},
    {0},
};

const struct cmd cmd_show = {
    .help = {.name = "show",
             .summary = "all about one instance: state, image, ports, volumes, rights",
             .args = "INSTANCE ...",
             .details =
                 "Also by the name of the container or the beginning of its id, at least four "
                 "digits. An instance that should be there and has no container is shown too.\n\n"
                 "Desired is what etcd holds for the instance, applied what it has in effect: the "
                 "newest key's revision and a hash over all of them. No passwords are shown: "
                 "neither variables nor arguments of the container. An unknown instance is exit "
                 "status 1; whether it is well is said by `slipway status`.",
             .examples = examples,
             .group = "Instances"},
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CONTAINERS,
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
