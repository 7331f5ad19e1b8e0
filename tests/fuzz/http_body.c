/* SPDX-License-Identifier: MIT */
/* The name of a schema on the first line, a body behind it: held against the schema, redacted. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "controller/form.h"
#include "controller/openapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text of a field that is secret must be nowhere in what is written down. */
static void check_redacted(const struct node *safe, const struct node *properties)
{
    const struct node *n;

    node_for_each (n, properties) {
        const struct node *field = node_get(safe, n->key);

        if (field && node_get_bool(n, "writeOnly", false) &&
            (!field->text || strcmp(field->text, "[redacted]") != 0))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = mem_strndup((const char *)data, size);
    auto_node struct node *schemas = openapi_schemas(), *body = NULL, *safe = NULL;
    char *line = strchr(text, '\n');
    struct problems p;
    struct err e;

    if (!line)
        return 0;
    *line++ = '\0';
    if (!node_get(schemas, text) || json_parse(&body, "body", line, strlen(line), &e) < 0)
        return 0;
    problems_init(&p, NULL);
    form_check(schemas, text, body, &p);
    if (p.lines.count == 0) {
        safe = form_redact(schemas, text, body);
        check_redacted(safe, node_get(node_get(schemas, text), "properties"));
    }
    problems_clear(&p);
    form_camel(body);
    return 0;
}
