/* SPDX-License-Identifier: MIT */
/* What is only read. */
#include <string.h>

#include "base/mem.h"
#include "conf/yaml.h"
#include "remote/call.h"
#include "remote/reply.h"
#include "remote/target.h"

/* ---- status ---- */

static int check_instances(const struct node *instances, struct err *e)
{
    const struct node *row;

    if (reply_rows(instances, "instance component state health", e) < 0)
        return -1;
    node_for_each (row, instances) {
        if (reply_texts(node_get(node_get(row, "config"), "pending"), e) < 0)
            return -1;
    }
    return 0;
}

int remote_status(struct node **out, struct remote *r, const struct strv *words, struct err *e)
{
    const struct call c = {.route = CALL_status, .words = words};
    auto_node struct node *n = NULL;
    const struct node *strays;

    *out = NULL;
    if (call_run(&n, r, &c, e) < 0 || reply_map(n, "environment healthy", e) < 0 ||
        check_instances(node_get(n, "instances"), e) < 0 ||
        reply_map(node_get(n, "etcd"), "answers", e) < 0 ||
        reply_texts(node_get(node_get(n, "etcd"), "alarms"), e) < 0)
        return -1;
    strays = node_get(n, "strays");
    if (strays && reply_rows(strays, "container instance", e) < 0)
        return -1;
    *out = steal(n);
    return 0;
}

/* ---- configuration ---- */

int remote_config_get(struct node **out, struct remote *r, const char *target, const char *word,
                      struct err *e)
{
    auto_free char *name = target_name(target);
    const struct call c = {
        .route = CALL_configuration_value, .args = {name}, .params = {{"key", word}}};
    auto_node struct node *n = NULL;

    *out = NULL;
    if (call_run(&n, r, &c, e) < 0)
        return -1;
    if (!node_get(n, "value") || node_get(n, "value")->kind == NODE_KIND_NULL)
        return reply_map(n, "value", e);
    *out = node_copy(node_get(n, "value"));
    return 0;
}

int remote_config_list(struct node **rows, struct remote *r, const char *target, struct err *e)
{
    struct call c = {.route = CALL_configuration_list, .params = {{"target", target}}};
    auto_node struct node *n = NULL;

    *rows = NULL;
    if (call_rows(&n, r, &c, e) < 0 || reply_rows(n, "component key source", e) < 0)
        return -1;
    *rows = steal(n);
    return 0;
}

int remote_document(struct node **out, struct remote *r, struct err *e)
{
    const struct call c = {.route = CALL_document};
    auto_node struct node *n = NULL;
    const char *text;

    *out = NULL;
    if (call_run(&n, r, &c, e) < 0)
        return -1;
    text = node_get_text(n, "text");
    if (!text)
        return reply_map(n, "text", e);
    return yaml_parse(out, "the server's document", text, strlen(text), e);
}

/* The API has the newest first. */
int remote_history(struct node **out, struct remote *r, const char *target, const char *key,
                   struct err *e)
{
    struct call c = {.route = CALL_history, .params = {{"target", target}, {"key", key}}};
    auto_node struct node *newest = NULL;
    struct node *list;

    *out = NULL;
    if (call_rows(&newest, r, &c, e) < 0 || reply_rows(newest, "time who what", e) < 0)
        return -1;
    list = node_new_list();
    for (size_t i = newest->count; i > 0; i--)
        node_add(list, node_copy(newest->items[i - 1]));
    *out = list;
    return 0;
}

/* ---- volumes ---- */

/* The state is computed from the rest wherever it is printed. */
static int check_volume(struct node *row, struct err *e)
{
    struct node *attached = node_get(row, "attached"), *a;

    if (reply_map(row, "name", e) < 0 || reply_rows(attached, "instance", e) < 0 ||
        reply_texts(node_get(row, "problems"), e) < 0)
        return -1;
    node_for_each (a, attached) {
        const struct node *use = node_get(a, "use");

        if (use && reply_rows(use, "title line", e) < 0)
            return -1;
    }
    node_remove(row, "state");
    return 0;
}

int remote_volume_list(struct node **rows, struct remote *r, struct err *e)
{
    struct call c = {.route = CALL_volume_list};
    auto_node struct node *n = NULL;
    struct node *row;

    *rows = NULL;
    if (call_rows(&n, r, &c, e) < 0)
        return -1;
    node_for_each (row, n) {
        if (check_volume(row, e) < 0)
            return -1;
    }
    *rows = steal(n);
    return 0;
}

int remote_volume_show(struct node **row, struct remote *r, const char *name, struct err *e)
{
    const struct call c = {.route = CALL_volume, .args = {name}};
    auto_node struct node *n = NULL;

    *row = NULL;
    if (call_run(&n, r, &c, e) < 0 || check_volume(n, e) < 0)
        return -1;
    *row = steal(n);
    return 0;
}
