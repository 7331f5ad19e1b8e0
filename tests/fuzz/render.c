/* SPDX-License-Identifier: MIT */
/* A template and its variables, both YAML, divided by a line "---": no crash, no ini or env output
 * with more lines than the template has entries. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/yaml.h"
#include "model/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = mem_strndup((const char *)data, size);
    char *middle = strstr(text, "\n---\n");

    if (!middle)
        return 0;
    auto_node struct node *tree = NULL;
    auto_node struct node *vars = NULL;
    auto_node struct node *out = NULL;
    struct err e;
    if (yaml_parse(&tree, "t", text, (size_t)(middle - text), &e) < 0 ||
        yaml_parse(&vars, "v", middle + 5, strlen(middle + 5), &e) < 0 || !tree || !vars)
        return 0;
    auto_strv struct strv args = {0};
    (void)!render_args(&args, tree, vars, &e);
    if (render_expand(&out, tree, vars, &e) < 0)
        return 0;
    for (int f = TEMPLATE_FORMAT_INI; f <= TEMPLATE_FORMAT_ARGS; f++) {
        auto_buf struct buf b;

        buf_init(&b, 8 << 20);
        (void)!render_format(&b, (enum template_format)f, out, &e);
        if ((f == TEMPLATE_FORMAT_INI || f == TEMPLATE_FORMAT_ENV) && strchr(buf_str(&b), '\r'))
            abort();
    }
    return 0;
}
