/* SPDX-License-Identifier: MIT */
#include "controller/routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { BODY_ANYBODY_MAX = 4 << 10, BODY_MAX = 64 << 10 };

static const char *const METHODS[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

const char *method_name(enum method m)
{
    return METHODS[m];
}

bool method_parse(enum method *out, const char *name)
{
    if (strcmp(name, "HEAD") == 0)
        name = METHODS[METHOD_GET];
    for (size_t i = 0; i < ARRAY_LEN(METHODS); i++) {
        if (strcmp(METHODS[i], name) == 0) {
            *out = (enum method)i;
            return true;
        }
    }
    return false;
}

/* Whether the parts are those of the path. */
static bool matches(const char *args[ROUTE_ARGS_MAX], const char *path, const struct query *q)
{
    size_t arg = 0;

    for (size_t i = 0; i < q->part_count; i++) {
        size_t len = strlen(q->parts[i]);

        if (*path++ != '/')
            return false;
        if (*path == '{') {
            args[arg++] = q->parts[i];
            len = strcspn(path, "/");
        } else if (strncmp(path, q->parts[i], len) != 0 || (path[len] && path[len] != '/')) {
            return false;
        }
        path += len;
    }
    return !*path && q->part_count > 0;
}

const struct route *route_find(const char *args[ROUTE_ARGS_MAX], unsigned *allowed,
                               const struct query *q, enum method method)
{
    const struct route *found = NULL;

    *allowed = 0;
    for (const struct route *r = ROUTES; r->id; r++) {
        const char *these[ROUTE_ARGS_MAX] = {NULL};

        if (!matches(these, r->path, q))
            continue;
        *allowed |= 1U << r->method;
        if (r->method != method)
            continue;
        memcpy(args, these, sizeof(these));
        found = r;
    }
    return found;
}

size_t route_body_max(const struct route *r)
{
    if (r->role == ACCESS_ROLE_ANYBODY)
        return BODY_ANYBODY_MAX;
    return r->body && (strcmp(r->body, "DocumentText") == 0 || strcmp(r->body, "Edit") == 0)
               ? ROUTE_BODY_MAX
               : BODY_MAX;
}

int route_check_query(const struct route *r, const struct query *q, struct err *e)
{
    auto_strv struct strv known = {0};

    strv_split(&known, r->query, " ");
    for (size_t i = 0; i < q->param_count; i++) {
        auto_free char *hint = NULL;

        if (strv_has(&known, q->params[i].name))
            continue;
        hint = strv_hint(&known, q->params[i].name);
        return err_set(e, ERR_USAGE, "there is no parameter %.60s%s", q->params[i].name, hint);
    }
    return 0;
}
