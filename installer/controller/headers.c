/* SPDX-License-Identifier: MIT */
#include "controller/headers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/quote.h"
#include "conf/json.h"

enum {
    VALUE_MAX = 200,   /* bytes of what came that are shown */
    COMMAND_MAX = 600, /* of a line to type */
};

void headers_add(struct headers *h, const char *name, const char *value)
{
    h->bytes += strlen(name) + strlen(value);
    if (h->count == HEADERS_MAX || h->bytes > HEADERS_BYTES_MAX)
        h->full = true;
    else
        h->items[h->count++] = (struct header){name, value};
}

const char *headers_get(const struct headers *h, const char *name)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcasecmp(h->items[i].name, name) == 0)
            return h->items[i].value;
    return NULL;
}

static size_t count_of(const struct headers *h, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < h->count; i++)
        n += strcasecmp(h->items[i].name, name) == 0;
    return n;
}

int headers_check_single(const struct headers *h, struct err *e)
{
    static const char *const once[] = {
        "Content-Length", "Transfer-Encoding", "Authorization", "Origin",       "Cookie",
        "Content-Type",   "If-Match",          "If-None-Match", "Last-Event-ID"};

    if (h->full)
        return err_set(e, ERR_USAGE, "more than %d headers, or %d bytes of them", HEADERS_MAX,
                       HEADERS_BYTES_MAX);
    if (count_of(h, "Host") != 1)
        return err_set(e, ERR_USAGE, "there must be one Host");
    for (size_t i = 0; i < ARRAY_LEN(once); i++)
        if (count_of(h, once[i]) > 1)
            return err_set(e, ERR_USAGE, "there is more than one %s", once[i]);
    if (headers_get(h, "Content-Length") && headers_get(h, "Transfer-Encoding"))
        return err_set(e, ERR_USAGE, "there are Content-Length and Transfer-Encoding");
    return 0;
}

int headers_length(int64_t *out, const struct headers *h, struct err *e)
{
    const char *length = headers_get(h, "Content-Length");
    const char *coding = headers_get(h, "Transfer-Encoding");
    size_t digits = length ? strspn(length, "0123456789") : 0;

    *out = 0;
    if (coding) {
        *out = -1;
        return strcasecmp(coding, "chunked") == 0
                   ? 0
                   : err_set(e, ERR_USAGE, "Transfer-Encoding is not chunked");
    }
    if (!length)
        return 0;
    if (!digits || length[digits] || digits > 18)
        return err_set(e, ERR_USAGE, "Content-Length is not a number");
    *out = strtoll(length, NULL, 10);
    return 0;
}

/* ---- where it is said to come from ---- */

/* The host of "HOST", "HOST:PORT" or "[IPV6]:PORT" into out[256]; false when it is not one. */
static bool host_of(char out[256], const char *text)
{
    bool bracket = *text == '[';
    size_t len = strcspn(text += bracket, bracket ? "]" : ":");
    const char *rest = text + len + (bracket && text[len]);

    if (len == 0 || len > 255 || (bracket && !text[len]))
        return false;
    if (*rest &&
        (*rest != ':' || !rest[1] || rest[1 + strspn(rest + 1, "0123456789")] || strlen(rest) > 6))
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static bool is_known(const struct headers_known *k, const char *value)
{
    for (size_t i = 0; i < k->items->count; i++)
        if (strcasecmp(k->items->items[i], value) == 0)
            return true;
    return false;
}

static bool is_address(const char *host)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Anybody sends what he likes: other values are not worth a command that somebody may copy. */
static bool is_plain(const char *value)
{
    static const char *const letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:/[]";

    return *value && *value != '-' && strlen(value) <= VALUE_MAX &&
           strspn(value, letters) == strlen(value);
}

/* The command that sets the key to all that is known and the value; owned, or NULL when it would
 * be too long to be shown. */
static char *command_to_add(const struct headers_known *k, const char *key, const char *value)
{
    auto_node struct node *list = node_new_list();
    auto_free char *json = NULL, *line = NULL;

    for (size_t i = 0; i < k->items->count; i++)
        node_add_text(list, k->items->items[i]);
    node_add_text(list, value);
    json = json_text(list);
    line = quote_words((const char *const[]){"slipway", "-e", k->env, "config", "set", "controller",
                                             key, json, NULL});
    return strlen(line) <= COMMAND_MAX ? steal(line) : NULL;
}

/* ": add it with `...`", or nothing; owned. */
static char *how_to_add(const struct headers_known *k, const char *const names[2],
                        const char *value)
{
    auto_free char *command = NULL;

    if (!is_plain(value))
        return mem_strdup("");
    if (!k->env)
        return mem_printf(": start it with `%s %s`", names[0], value);
    command = command_to_add(k, names[1], value);
    return command ? mem_printf(": add it with `%s`", command)
                   : mem_printf(": add it to %s of the component controller", names[1]);
}

int headers_check_host(const struct headers *h, const struct headers_known *names, struct err *e)
{
    static const char *const option_and_key[] = {"--name", "names"};
    const char *value = headers_get(h, "Host");
    auto_free char *how = NULL;
    char host[256];

    if (!value || !host_of(host, value))
        return err_set(e, ERR_USAGE, "Host is not a name or an address with a port");
    if (is_address(host) || strcasecmp(host, "localhost") == 0)
        return 0;
    if (is_known(names, host))
        return 0;
    how = how_to_add(names, option_and_key, host);
    return err_set(e, ERR_AUTH, "this server is not called %.*s%s, or use its address", VALUE_MAX,
                   host, how);
}

int headers_check_origin(const struct headers *h, const struct headers_known *trusted, bool bearer,
                         struct err *e)
{
    const char *origin = headers_get(h, "Origin"), *host = headers_get(h, "Host");
    static const char *const option_and_key[] = {"--trusted-origin", "trusted_origins"};
    static const char scheme[] = "https://";
    auto_free char *how = NULL;

    if (!origin)
        return bearer ? 0
                      : err_set(e, ERR_AUTH,
                                "a change needs the header Origin, or a token in "
                                "Authorization");
    if (strncasecmp(origin, scheme, sizeof(scheme) - 1) == 0 && host &&
        strcasecmp(origin + sizeof(scheme) - 1, host) == 0)
        return 0;
    if (is_known(trusted, origin))
        return 0;
    how = how_to_add(trusted, option_and_key, origin);
    return err_set(e, ERR_AUTH, "a page of %.*s may not change anything here%s", VALUE_MAX, origin,
                   how);
}

bool headers_is_json(const struct headers *h)
{
    static const char json[] = "application/json";
    const char *type = headers_get(h, "Content-Type");

    if (!type || strncasecmp(type, json, sizeof(json) - 1) != 0)
        return false;
    type += sizeof(json) - 1;
    type += strspn(type, " \t");
    if (*type == ';')
        type += 1 + strspn(type + 1, " \t");
    return !*type || strcasecmp(type, "charset=utf-8") == 0;
}

/* ---- who ---- */

/* RFC 6265 without its quotes: our values never have them. */
static bool is_cookie_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\",;\\", text[i]))
            return false;
    return true;
}

char *headers_cookie(const struct headers *h, const char *name)
{
    const char *at = headers_get(h, "Cookie"), *found = NULL;
    size_t name_len = strlen(name), found_len = 0;

    for (; at && *at; at += *at == ';') {
        size_t len = strcspn(at += strspn(at, " \t"), ";");

        if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=') {
            if (found)
                return NULL;
            found = at + name_len + 1;
            found_len = len - name_len - 1;
        }
        at += len;
    }
    return found && found_len && is_cookie_value(found, found_len) ? mem_strndup(found, found_len)
                                                                   : NULL;
}

const char *headers_bearer(const struct headers *h)
{
    static const char scheme[] = "Bearer ";
    const char *value = headers_get(h, "Authorization");

    if (!value || strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
        return NULL;
    value += sizeof(scheme) - 1;
    value += strspn(value, " ");
    return *value && is_cookie_value(value, strlen(value)) ? value : NULL;
}

bool headers_tag(char **out, const char *value)
{
    size_t len;

    *out = NULL;
    if (strcmp(value, "*") == 0)
        return true;
    if (strncmp(value, "W/", 2) == 0)
        value += 2;
    if (*value++ != '"')
        return false;
    len = strcspn(value, "\"");
    if (len == 0 || strcmp(value + len, "\"") != 0)
        return false;
    *out = mem_strndup(value, len);
    return true;
}

bool headers_has_tag(const char *value, const char *tag)
{
    size_t len = strlen(tag);

    if (value && strcmp(value, "*") == 0)
        return true;
    while (value && *value) {
        value += strspn(value, " \t,");
        if (strncmp(value, "W/", 2) == 0)
            value += 2;
        if (*value == '"' && strncmp(value + 1, tag, len) == 0 && value[len + 1] == '"')
            return true;
        value += strcspn(value, ",");
    }
    return false;
}

static bool read_number(int64_t *out, const char **at)
{
    size_t digits = strspn(*at, "0123456789");

    if (digits == 0 || digits > 18)
        return false;
    *out = strtoll(*at, NULL, 10);
    *at += digits;
    return true;
}

bool headers_event_id(int64_t *epoch, int64_t *number, const char *text)
{
    return text && read_number(epoch, &text) && *text++ == '-' && read_number(number, &text) &&
           !*text;
}
