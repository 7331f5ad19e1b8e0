/* SPDX-License-Identifier: MIT */
#include "controller/api.h"

/* clang-format off */
#define ROUTE(id, method, path, role, where, query, body, reply, status, summary)                  \
    {#id,    METHOD_##method, path,    ACCESS_ROLE_##role, ROUTE_##where, query, body, reply,      \
     status, summary,         api_##id},
const struct route ROUTES[] = {
#include "controller/routes.def"
    {0}};
#undef ROUTE
/* clang-format on */
