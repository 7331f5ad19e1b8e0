/* SPDX-License-Identifier: MIT */
/* Headers, a line each: their rules, cookies, tags, and Last-Event-ID. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "controller/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static void look(const struct headers *h)
{
    auto_strv struct strv names = strv_of("a.example");
    const struct headers_known known = {&names, h->count % 2 ? "demo" : NULL};
    auto_free char *cookie = headers_cookie(h, "__Host-slipway");
    const char *bearer = headers_bearer(h);
    int64_t length = 0, epoch = 0, number = 0;
    struct err e;

    if (headers_check_single(h, &e) == 0 && headers_length(&length, h, &e) == 0)
        must(length >= -1);
    if (headers_check_host(h, &known, &e) == 0)
        must(headers_get(h, "host") && !strchr(headers_get(h, "host"), '/'));
    headers_check_origin(h, &known, false, &e);
    headers_is_json(h);
    must(!cookie || (*cookie && !strpbrk(cookie, " ;,\"\\\r\n")));
    must(!bearer || (*bearer && !strpbrk(bearer, " ;,\"\\\r\n")));
    headers_has_tag(headers_get(h, "If-Match"), "tag");
    if (headers_event_id(&epoch, &number, headers_get(h, "Last-Event-ID"))) {
        char text[64];

        must(epoch >= 0 && number >= 0);
        snprintf(text, sizeof(text), "%lld-%lld", (long long)epoch, (long long)number);
        must(headers_event_id(&epoch, &number, text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = mem_strndup((const char *)data, size);
    auto_free struct headers *h = mem_alloc(sizeof(*h));
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n"))) {
        char *colon = strchr(line, ':');

        if (!colon)
            continue;
        *colon = '\0';
        headers_add(h, line, colon[1] == ' ' ? colon + 2 : colon + 1);
    }
    look(h);
    return 0;
}
