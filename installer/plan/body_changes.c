/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/units.h"
#include "plan/body.h"
#include "plan/object.h"

enum { VALUE_MAX = 400 };

/* The settings that a person knows by a name. */
static const struct setting {
    const char *name;
    const char *group; /* of the body; NULL: its top, which an inspection has as Config */
    const char *key;
    enum { AS_TEXT, AS_SIZE, AS_SECONDS } form;
} settings[] = {
    {"image", NULL, "Image", AS_TEXT},
    {"hostname", NULL, "Hostname", AS_TEXT},
    {"stop.grace", NULL, "StopTimeout", AS_SECONDS},
    {"memory", "HostConfig", "Memory", AS_SIZE},
    {"ports", "HostConfig", "PortBindings", AS_TEXT},
    {"volumes", "HostConfig", "Mounts", AS_TEXT},
    {"folders of the host", "HostConfig", "Binds", AS_TEXT},
    {"capabilities", "HostConfig", "CapAdd", AS_TEXT},
    {"devices", "HostConfig", "Devices", AS_TEXT},
    {"device_rules", "HostConfig", "DeviceCgroupRules", AS_TEXT},
    {"security", "HostConfig", "SecurityOpt", AS_TEXT},
    {"restart", "HostConfig", "RestartPolicy", AS_TEXT},
    {"read_only", "HostConfig", "ReadonlyRootfs", AS_TEXT},
    {"pids", "HostConfig", "PidsLimit", AS_TEXT},
    {"tmpfs", "HostConfig", "Tmpfs", AS_TEXT},
    {"log", "HostConfig", "LogConfig", AS_TEXT},
    {"address", "Labels", LABEL_ADDRESS, AS_TEXT},
    {"ssh", "Labels", LABEL_SSH, AS_TEXT},
};

static char *text_of(const struct node *n);

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What Docker adds to an answer by itself, or that says the same of all. */
static bool is_default(const struct node *n, const char *text)
{
    static const char *const keys[] = {"MaximumRetryCount", "CgroupPermissions", "PathInContainer",
                                       "Type"};

    for (size_t i = 0; n->key && i < ARRAY_LEN(keys); i++)
        if (strcmp(n->key, keys[i]) == 0)
            return true;
    return !*text || strcmp(text, "false") == 0;
}

/* Of lists and maps the order means nothing; but an item of a list, a mount or a port, has its
 * parts as Docker and we write them. */
static char *text_of_items(const struct node *n)
{
    bool parts = n->kind == NODE_KIND_MAP && !n->key;
    auto_strv struct strv items = {0};
    const struct node *item;

    node_for_each (item, n) {
        auto_free char *text = text_of(item);

        if (is_default(item, text))
            continue;
        if (n->kind == NODE_KIND_MAP && item->kind == NODE_KIND_LIST)
            strv_addf(&items, "%s from %s", item->key, text); /* a port */
        else if (n->kind == NODE_KIND_MAP && item->key[0] == '/')
            strv_addf(&items, "%s (%s)", item->key, text); /* a mount of its own */
        else
            strv_add(&items, text);
    }
    if (items.count && !parts)
        qsort(items.items, items.count, sizeof(*items.items), by_text);
    return strv_join(&items, parts ? ":" : " ");
}

/* Owned; "" for what is not there. */
static char *text_of(const struct node *n)
{
    static const char prefix[] = "CAP_"; /* which Docker adds to the names of capabilities */

    if (!n || n->kind == NODE_KIND_NULL)
        return mem_strdup("");
    if (n->kind == NODE_KIND_LIST || n->kind == NODE_KIND_MAP)
        return text_of_items(n);
    return mem_strdup(strncmp(n->text, prefix, strlen(prefix)) == 0 ? n->text + strlen(prefix)
                                                                    : n->text);
}

static char *value_of(const struct node *of, const struct setting *s)
{
    const struct node *n = node_get(s->group ? node_get(of, s->group) : of, s->key);
    char size[32];

    if (s->form == AS_TEXT)
        return text_of(n);
    if (!n || node_get_int(s->group ? node_get(of, s->group) : of, s->key, 0) == 0)
        return mem_strdup("");
    if (s->form == AS_SECONDS)
        return mem_printf("%ss", n->text);
    units_format_size(size, strtoll(n->text, NULL, 10));
    return mem_strdup(size);
}

void body_changes(struct strv *out, const struct node *body, const struct node *inspect)
{
    const struct node *config = node_get(inspect, "Config");

    for (size_t i = 0; inspect && i < ARRAY_LEN(settings); i++) {
        const struct setting *s = &settings[i];
        bool host = s->group && strcmp(s->group, "HostConfig") == 0;
        auto_free char *was = value_of(host ? inspect : config, s);
        auto_free char *now = value_of(body, s);

        if (strcmp(was, now) != 0)
            strv_addf(out, "%s %.*s -> %.*s", s->name, VALUE_MAX, *was ? was : "none", VALUE_MAX,
                      *now ? now : "none");
    }
}
