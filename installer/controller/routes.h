/* SPDX-License-Identifier: MIT */
/* The table of routes.def: which request is answered by what, and who may ask. */
#ifndef CONTROLLER_ROUTES_H
#define CONTROLLER_ROUTES_H

#include "controller/query.h"
#include "env/access.h"

struct controller;
struct request;

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE };
/* Static name; and back, where HEAD is a GET. */
const char *method_name(enum method m);
bool method_parse(enum method *out, const char *name);

enum route_where {
    ROUTE_NOW,  /* in the server's thread, which must not wait */
    ROUTE_WORK, /* in a worker */
};

enum { ROUTE_ARGS_MAX = 2, ROUTE_BODY_MAX = 1 << 20 };

struct route {
    const char *id; /* "instance_list" */
    enum method method;
    const char *path; /* "/api/v1/instances/{instance}" */
    enum access_role role;
    enum route_where where;
    const char *query;        /* parameters it knows, with spaces between */
    const char *body, *reply; /* schemas, or NULL */
    int status;               /* of success */
    const char *summary;
    /* Fills the request's reply. -1: *e is what is answered. */
    int (*run)(struct controller *c, struct request *q, struct err *e);
};

/* Ends with a row whose id is NULL. */
extern const struct route ROUTES[];

/* The route of a path, or NULL. `args` gets the parts that stand for {x}, borrowed from the query.
 * *allowed: a bit (1 << method) for each method that the path has. */
const struct route *route_find(const char *args[ROUTE_ARGS_MAX], unsigned *allowed,
                               const struct query *q, enum method method);
/* 0 when every parameter of the query is one that the route knows. ERR_USAGE with the nearest. */
int route_check_query(const struct route *r, const struct query *q, struct err *e);
/* How long its body may be, in bytes: what nobody in particular sends is small, and what is parsed
 * in the server's thread is not long, but for documents. */
size_t route_body_max(const struct route *r);
/* "instance_list" as "instanceList", owned. */
char *route_operation(const struct route *r);

#endif
