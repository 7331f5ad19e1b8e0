/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "base/mem.h"
#include "controller/routes.h"

char *route_operation(const struct route *r)
{
    char *name = mem_strdup(r->id), *to = name;

    for (const char *from = r->id; *from; from++)
        *to++ = (char)(*from == '_' ? toupper((unsigned char)*++from) : *from);
    *to = '\0';
    return name;
}
