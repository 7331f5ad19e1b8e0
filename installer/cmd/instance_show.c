/* SPDX-License-Identifier: MIT */
/* show: one instance, from etcd, its agent and Docker, in our own words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/instances.h"
#include "cmd/out.h"
#include "cmd/status.h"
#include "plan/connect.h"

enum { TEXT_MAX = 1 << 20, LABEL_WIDTH = 13 };

/* ---- what is known: {...} -----------------------------------------------------------------------
 * Of Docker's answer only what is named here: neither variables nor arguments, where others keep
 * passwords. */

static void set_text(struct node *n, const char *key, const char *text)
{
    if (text && *text)
        node_set_text(n, key, text);
}

/* "0001-01-01T00:00:00Z" is Docker's never. */
static void set_time(struct node *n, const char *key, const struct node *state, const char *name)
{
    const char *text = node_get_text(state, name);

    if (text && strncmp(text, "0001-", 5) != 0)
        node_set_text(n, key, text);
}

static void set_container(struct node *n, const struct node *seen)
{
    const struct node *state = node_get(seen, "State"), *config = node_get(seen, "Config");
    const struct node *host = node_get(seen, "HostConfig");
    struct node *c = node_set(n, "container", node_new_map()), *image;
    const char *name = node_get_text(seen, "Name"), *status = node_get_text(state, "Status");

    set_text(c, "id", node_get_text(seen, "Id"));
    set_text(c, "name", name && name[0] == '/' ? name + 1 : name);
    set_text(c, "state", status);
    set_time(c, "created", seen, "Created");
    set_time(c, "started", state, "StartedAt");
    if (status && strcmp(status, "running") != 0) {
        set_time(c, "finished", state, "FinishedAt");
        node_set_int(c, "exit_status", node_get_int(state, "ExitCode", 0));
        set_text(c, "error", node_get_text(state, "Error"));
        if (node_get_bool(state, "OOMKilled", false))
            node_set_bool(c, "out_of_memory", true);
    }
    set_text(c, "restart", node_get_text(node_get(host, "RestartPolicy"), "Name"));
    node_set_int(c, "restarted", node_get_int(seen, "RestartCount", 0));
    set_text(c, "hash", node_get_text(node_get(config, "Labels"), LABEL_HASH));
    image = node_set(n, "image", node_new_map());
    set_text(image, "name", node_get_text(config, "Image"));
    set_text(image, "id", node_get_text(seen, "Image"));
}

/* {"port":"3260/tcp","at":["0.0.0.0:3260"]}; "at" is empty for one that is not published. */
static void set_ports(struct node *n, const struct node *seen)
{
    const struct node *ports = node_find(seen, "NetworkSettings.Ports"), *p, *b;
    struct node *list = node_set(n, "ports", node_new_list());

    if (!ports || ports->count == 0) /* of a stopped one: what it asks for */
        ports = node_find(seen, "HostConfig.PortBindings");
    node_for_each (p, ports) {
        struct node *row = node_add(list, node_new_map()), *at;

        node_set_text(row, "port", p->key);
        at = node_set(row, "at", node_new_list());
        node_for_each (b, p) {
            const char *ip = node_get_text(b, "HostIp"), *port = node_get_text(b, "HostPort");
            bool six = ip && strchr(ip, ':');
            auto_free char *text = mem_printf("%s%s%s:%s", six ? "[" : "", ip ? ip : "",
                                              six ? "]" : "", port ? port : "");
            node_add_text(at, text);
        }
    }
}

static void set_mounts(struct node *n, const struct node *seen)
{
    const struct node *mounts = node_get(seen, "Mounts"), *m;
    struct node *volumes = node_set(n, "volumes", node_new_list());
    struct node *folders = node_set(n, "folders", node_new_list());

    node_for_each (m, mounts) {
        const char *name = node_get_text(m, "Name");
        struct node *row = node_add(name ? volumes : folders, node_new_map());

        set_text(row, "name", name);
        set_text(row, "host_path", node_get_text(m, "Source"));
        set_text(row, "path", node_get_text(m, "Destination"));
        node_set_bool(row, "read_only", !node_get_bool(m, "RW", true));
    }
}

static void set_networks(struct node *n, const struct node *seen)
{
    const struct node *networks = node_find(seen, "NetworkSettings.Networks"), *w;
    struct node *list = node_set(n, "networks", node_new_list());

    node_for_each (w, networks) {
        struct node *row = node_add(list, node_new_map());
        const char *address = node_get_text(w, "IPAddress");

        if (!address || !*address) /* stopped: what it keeps */
            address = node_get_text(node_get(w, "IPAMConfig"), "IPv4Address");
        node_set_text(row, "name", w->key);
        set_text(row, "address", address);
        set_text(row, "address6", node_get_text(w, "GlobalIPv6Address"));
    }
}

static void set_rights(struct node *n, const struct node *seen)
{
    const struct node *host = node_get(seen, "HostConfig"), *d;
    const struct node *devices = node_get(host, "Devices");
    const struct node *rules = node_get(host, "DeviceCgroupRules");
    const struct node *add = node_get(host, "CapAdd");
    struct node *list = node_set(n, "devices", node_new_list());

    node_for_each (d, devices) {
        if (node_get_text(d, "PathOnHost"))
            node_add_text(list, node_get_text(d, "PathOnHost"));
    }
    node_for_each (d, rules) {
        if (d->text)
            node_add_text(list, d->text);
    }
    list = node_set(n, "capabilities", node_new_list());
    node_for_each (d, add) {
        if (d->text)
            node_add_text(list, d->text);
    }
    if (node_get_int(host, "Memory", 0) > 0)
        node_set_int(n, "memory_limit", node_get_int(host, "Memory", 0));
}

static int build(struct node **out, struct cmd_context *x, const struct node *row, struct err *e)
{
    const struct node *c = connect_find(x->containers, node_get_text(row, "instance"));
    auto_node struct node *seen = NULL, *n = node_new_map();

    node_set_text(n, "environment", x->env);
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(row->items[i]->key, "container") != 0 &&
            strcmp(row->items[i]->key, "image") != 0 && strcmp(row->items[i]->key, "id") != 0)
            node_set(n, row->items[i]->key, node_copy(row->items[i]));
    node_set_text(n, "host", "local");
    if (c && engine_container_inspect(&seen, x->engine, node_get_text(c, "Id"), e) < 0)
        return -1;
    if (seen) {
        set_container(n, seen);
        node_set_bool(n, "ssh", connect_label(c, LABEL_SSH) != NULL);
        set_ports(n, seen);
        set_mounts(n, seen);
        set_networks(n, seen);
        set_rights(n, seen);
    }
    *out = steal(n);
    return 0;
}

/* ---- for people --------------------------------------------------------------------------------
 */

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
    int64_t since = node_get_int(n, "since", 0), crashes = node_get_int(n, "crashes", 0);
    const struct node *c = node_get(n, "container");
    char span[32], at[32];

    if (since > 0) {
        clock_format_span(span, clock_wall_ms() - since);
        clock_format(at, since);
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
}

/* One line for each; the label before the first. */
static void format_places(struct buf *b, const char *label, const struct node *list)
{
    const struct node *m;

    node_for_each (m, list) {
        const char *name = node_get_text(m, "name");

        line(b, label, "%s at %s%s", name ? name : node_get_text(m, "host_path"),
             node_get_text(m, "path"), node_get_bool(m, "read_only", false) ? ", read-only" : "");
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
    if (node_get_bool(n, "ssh", false))
        line(b, "SSH:", "`slipway ssh %s`", node_get_text(n, "instance"));
}

/* ---- the command -------------------------------------------------------------------------------
 */

/* Among those of status: one without a container counts too. */
static int find_row(const struct node **out, const struct cmd_context *x,
                    const struct node *instances, const char *word, struct err *e)
{
    auto_strv struct strv known = {0};
    const struct node *c, *row;
    const char *name;

    if (instances_find(&c, x, word, e) < 0)
        return -1;
    name = c ? connect_label(c, LABEL_INSTANCE) : word;
    node_for_each (row, instances) {
        *out = row;
        if (strcmp(node_get_text(row, "instance"), name) == 0)
            return 0;
        strv_add(&known, node_get_text(row, "instance"));
    }
    *out = NULL;
    return instances_unknown(x, word, &known, e);
}

static int show(struct node **out, struct cmd_context *x, const struct node *instances,
                const char *word, struct err *e)
{
    const struct node *row;

    return find_row(&row, x, instances, word, e) < 0 ? -1 : build(out, x, row, e);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    auto_node struct node *status = NULL, *all = node_new_list();
    auto_buf struct buf b;

    (void)options;
    buf_init(&b, TEXT_MAX);
    if (status_read(&status, x, e) < 0)
        return -1;
    for (size_t i = 0; i < operands->count; i++) {
        struct node *n = NULL;

        if (show(&n, x, node_get(status, "instances"), operands->items[i], e) < 0)
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
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CONTAINERS,
    .min_operands = 1,
    .max_operands = -1,
    .run = run,
};
