/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLER_OPENAPI_H
#define CONTROLLER_OPENAPI_H

#include "conf/node.h"

/* The schemas of schemas.json by name, owned. */
struct node *openapi_schemas(void);
/* The OpenAPI 3.1 document of all routes, as JSON. Owned. */
char *openapi_text(const struct node *schemas);

#endif
