/* SPDX-License-Identifier: MIT */
#include "controller/openapi.h"

#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/mem.h"
#include "conf/json.h"
#include "controller/routes.h"

EMBED_TEXT(openapi_schemas_text, "installer/controller/schemas.json");
extern const char openapi_schemas_text[];

struct node *openapi_schemas(void)
{
    struct node *n = NULL;
    struct err e;

    if (json_parse(&n, "schemas.json", openapi_schemas_text, strlen(openapi_schemas_text), &e) < 0)
        return node_new_map();
    return n;
}

static struct node *reference(const char *schema)
{
    struct node *n = node_new_map();
    auto_free char *ref = mem_printf("#/components/schemas/%s", schema);

    node_set_text(n, "$ref", ref);
    return n;
}

static void set_content(struct node *of, const char *type, struct node *schema)
{
    struct node *content = node_set(of, "content", node_new_map());

    node_set(node_set(content, type, node_new_map()), "schema", schema);
}

static struct node *parameter(const char *name, const char *in)
{
    struct node *n = node_new_map();

    node_set_text(n, "name", name);
    node_set_text(n, "in", in);
    if (strcmp(in, "path") == 0)
        node_set_bool(n, "required", true);
    node_set_text(node_set(n, "schema", node_new_map()), "type", "string");
    return n;
}

static void add_parameters(struct node *operation, const struct route *r)
{
    struct node *list = node_new_list();
    auto_strv struct strv names = {0};

    for (const char *at = strchr(r->path, '{'); at; at = strchr(at + 1, '{')) {
        auto_free char *name = mem_strndup(at + 1, strcspn(at + 1, "}"));

        node_add(list, parameter(name, "path"));
    }
    strv_split(&names, r->query, " ");
    for (size_t i = 0; i < names.count; i++)
        node_add(list, parameter(names.items[i], "query"));
    if (list->count)
        node_set(operation, "parameters", list);
    else
        node_free(list);
}

static const char *type_of(const struct route *r)
{
    if (strcmp(r->id, "events") == 0)
        return "text/event-stream";
    if (strcmp(r->id, "logs") == 0)
        return "application/x-ndjson";
    return strcmp(r->id, "metrics") == 0 ? "text/plain" : "application/json";
}

static void add_replies(struct node *operation, const struct route *r)
{
    struct node *replies = node_set(operation, "responses", node_new_map()), *good, *bad;
    auto_free char *status = mem_printf("%d", r->status);

    good = node_set(replies, status, node_new_map());
    node_set_text(good, "description", r->status == 202 ? "A task was begun" : "Done");
    if (r->reply)
        set_content(good, "application/json", reference(r->reply));
    else if (r->status != 204)
        set_content(good, type_of(r), node_new_map());
    bad = node_set(replies, "default", node_new_map());
    node_set_text(bad, "description", "What is wrong");
    set_content(bad, "application/problem+json", reference("Problem"));
}

static struct node *operation_of(const struct route *r)
{
    struct node *n = node_new_map();
    auto_free char *id = route_operation(r);

    node_set_text(n, "operationId", id);
    node_set_text(n, "summary", r->summary);
    node_set_text(n, "x-role", access_role_name(r->role));
    if (r->role == ACCESS_ROLE_ANYBODY)
        node_set(n, "security", node_new_list());
    add_parameters(n, r);
    if (r->body)
        set_content(node_set(n, "requestBody", node_new_map()), "application/json",
                    reference(r->body));
    add_replies(n, r);
    return n;
}

static void add_security(struct node *root, struct node *components)
{
    struct node *schemes = node_set(components, "securitySchemes", node_new_map()), *one, *list;

    one = node_set(schemes, "token", node_new_map());
    node_set_text(one, "type", "http");
    node_set_text(one, "scheme", "bearer");
    one = node_set(schemes, "session", node_new_map());
    node_set_text(one, "type", "apiKey");
    node_set_text(one, "in", "cookie");
    node_set_text(one, "name", "__Host-slipway");
    list = node_set(root, "security", node_new_list());
    node_set(node_add(list, node_new_map()), "token", node_new_list());
    node_set(node_add(list, node_new_map()), "session", node_new_list());
}

char *openapi_text(const struct node *schemas)
{
    auto_node struct node *root = node_new_map();
    struct node *info, *paths, *components;

    node_set_text(root, "openapi", "3.1.0");
    info = node_set(root, "info", node_new_map());
    node_set_text(info, "title", "Slipway controller");
    node_set_text(info, "version", SLIPWAY_VERSION);
    paths = node_set(root, "paths", node_new_map());
    for (const struct route *r = ROUTES; r->id; r++) {
        struct node *path = node_get(paths, r->path);
        auto_free char *method = mem_strdup(method_name(r->method));

        for (char *at = method; *at; at++)
            *at = (char)(*at | 0x20);
        if (!path)
            path = node_set(paths, r->path, node_new_map());
        node_set(path, method, operation_of(r));
    }
    components = node_set(root, "components", node_new_map());
    node_set(components, "schemas", node_copy(schemas));
    add_security(root, components);
    return json_text(root);
}
