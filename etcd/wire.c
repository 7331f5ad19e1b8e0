/* SPDX-License-Identifier: MIT */
#include "etcd/wire.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"

/* A struct wire is a cJSON; the name keeps cJSON out of every other file. */
static const cJSON *node(const struct wire *w)
{
    return (const cJSON *)(const void *)w;
}

static const struct wire *wrapped(const cJSON *j)
{
    return (const struct wire *)(const void *)j;
}

int wire_parse(struct wire **out, const char *text, size_t len, struct err *e)
{
    const char *end = NULL;
    cJSON *root;

    *out = NULL;
    /* cJSON takes a NUL for the end of the text and cuts strings at an escaped one. */
    if (memchr(text, '\0', len))
        return err_set(e, ERR_REMOTE, "etcd's reply holds a NUL byte");
    root = cJSON_ParseWithLengthOpts(text, len, &end, false);
    if (!root)
        return err_set(e, ERR_REMOTE, "etcd's reply is not JSON");
    while (end < text + len && (*end == ' ' || *end == '\n' || *end == '\r' || *end == '\t'))
        end++;
    if (end != text + len || !cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return err_set(e, ERR_REMOTE, "etcd's reply is not one JSON object");
    }
    *out = (struct wire *)(void *)root;
    return 0;
}

void wire_free(struct wire *root)
{
    cJSON_Delete((cJSON *)(void *)root);
}

void wire_cleanup(struct wire **root)
{
    wire_free(*root);
    *root = NULL;
}

const struct wire *wire_get(const struct wire *object, const char *name)
{
    if (!cJSON_IsObject(node(object)))
        return NULL;
    return wrapped(cJSON_GetObjectItemCaseSensitive(node(object), name));
}

const struct wire *wire_first(const struct wire *array)
{
    return cJSON_IsArray(node(array)) ? wrapped(node(array)->child) : NULL;
}

const struct wire *wire_next(const struct wire *item)
{
    return wrapped(node(item)->next);
}

int64_t wire_int(const struct wire *object, const char *name)
{
    const cJSON *j = node(wire_get(object, name));

    if (cJSON_IsString(j)) {
        char *end;

        errno = 0;
        int64_t n = strtoll(j->valuestring, &end, 10);
        return errno || end == j->valuestring || *end ? 0 : n;
    }
    /* Beyond 2^53 a double is not the number that was written. */
    if (cJSON_IsNumber(j) && fabs(j->valuedouble) <= 9007199254740992.0)
        return (int64_t)j->valuedouble;
    return 0;
}

uint64_t wire_uint(const struct wire *object, const char *name)
{
    const cJSON *j = node(wire_get(object, name));
    char *end;

    if (!cJSON_IsString(j)) {
        int64_t n = wire_int(object, name);

        return n > 0 ? (uint64_t)n : 0;
    }
    if (j->valuestring[0] < '0' || j->valuestring[0] > '9')
        return 0;
    errno = 0;
    uint64_t n = strtoull(j->valuestring, &end, 10);
    return errno || *end ? 0 : n;
}

bool wire_bool(const struct wire *object, const char *name)
{
    return cJSON_IsTrue(node(wire_get(object, name)));
}

const char *wire_as_text(const struct wire *value)
{
    return cJSON_IsString(node(value)) ? node(value)->valuestring : "";
}

const char *wire_text(const struct wire *object, const char *name)
{
    return wire_as_text(wire_get(object, name));
}

int wire_bytes(char **out, size_t *len, const struct wire *object, const char *name, struct err *e)
{
    const char *text = wire_text(object, name);
    size_t decoded = 0;

    *out = NULL;
    if (base64_decode(out, &decoded, text, strlen(text), e) < 0)
        return err_wrap(e, "etcd's reply: \"%s\"", name);
    if (len)
        *len = decoded;
    return 0;
}

void etcd_kv_clear(struct etcd_kv *kv)
{
    free(kv->key);
    mem_wipe_free(kv->value, kv->value_len);
    *kv = (struct etcd_kv){0};
}

int wire_kv(struct etcd_kv *out, size_t *key_len, const struct wire *object, struct err *e)
{
    *out = (struct etcd_kv){0};
    if (wire_bytes(&out->key, key_len, object, "key", e) < 0 ||
        wire_bytes(&out->value, &out->value_len, object, "value", e) < 0) {
        etcd_kv_clear(out);
        return -1;
    }
    out->create_revision = wire_int(object, "create_revision");
    out->mod_revision = wire_int(object, "mod_revision");
    out->version = wire_int(object, "version");
    out->lease = wire_int(object, "lease");
    return 0;
}

/* ---- failures ---- */

/* What etcd says (api/v3rpc/rpctypes/error.go of 3.4 and 3.5), by a piece of its message. First
 * match wins. `text`: what the operator reads instead, NULL: etcd's own words. */
static const struct {
    const char *piece;
    enum wire_fault fault;
    enum err_code code;
    const char *text;
} messages[] = {
    {"user name is empty", WIRE_FAULT_TOKEN, ERR_AUTH, "etcd wants a user and a password"},
    {"invalid auth token", WIRE_FAULT_TOKEN, ERR_AUTH, "etcd does not know the token any more"},
    {"revision of auth store is old", WIRE_FAULT_AUTH_MOVED, ERR_AUTH, NULL},
    {"revision in header is old", WIRE_FAULT_AUTH_MOVED, ERR_AUTH, NULL},
    {"authentication is not enabled", WIRE_FAULT_AUTH_OFF, ERR_CONFLICT, NULL},
    {"authentication failed", WIRE_FAULT_LOGIN, ERR_AUTH, "etcd refuses the user or the password"},
    {"permission denied", WIRE_FAULT_OTHER, ERR_AUTH, "etcd denies the permission"},
    {"required revision has been compacted", WIRE_FAULT_COMPACTED, ERR_CONFLICT, NULL},
    {"request is too large", WIRE_FAULT_OTHER, ERR_CONFIG,
     "the request is larger than etcd takes (1.5 MiB)"},
    {"message larger than max", WIRE_FAULT_OTHER, ERR_CONFIG,
     "the request is larger than etcd takes (1.5 MiB)"},
    {"too many operations", WIRE_FAULT_OTHER, ERR_USAGE,
     "more operations in one transaction than etcd takes (128)"},
    {"duplicate key given", WIRE_FAULT_OTHER, ERR_USAGE, "one key twice in one transaction"},
    {"database space exceeded", WIRE_FAULT_OTHER, ERR_REMOTE,
     "etcd's quota is used up; `slipway etcd compact` makes room"},
    {"too many requests", WIRE_FAULT_UNAVAILABLE, ERR_NET, NULL},
    {"not supported for learner", WIRE_FAULT_NOT_HERE, ERR_NET, NULL},
    {"no leader", WIRE_FAULT_UNAVAILABLE, ERR_NET, "the etcd cluster has no leader"},
    {"not capable", WIRE_FAULT_UNAVAILABLE, ERR_NET, NULL},
    {"leader changed", WIRE_FAULT_UNAVAILABLE, ERR_NET, NULL},
    {"request timed out", WIRE_FAULT_UNAVAILABLE, ERR_NET, NULL},
    {"server stopped", WIRE_FAULT_UNAVAILABLE, ERR_NET, NULL},
    {"already exist", WIRE_FAULT_OTHER, ERR_CONFLICT, NULL},
    {"not found", WIRE_FAULT_OTHER, ERR_NOTFOUND, NULL},
};

/* gRPC's codes that say enough without a known message. */
static enum wire_fault code_fault(int64_t code, enum err_code *ec)
{
    switch (code) {
    case 4: /* DeadlineExceeded */
        *ec = ERR_TIMEOUT;
        return WIRE_FAULT_UNAVAILABLE;
    case 5: /* NotFound */
        *ec = ERR_NOTFOUND;
        return WIRE_FAULT_OTHER;
    case 7: /* PermissionDenied */
        *ec = ERR_AUTH;
        return WIRE_FAULT_OTHER;
    case 14: /* Unavailable */
        *ec = ERR_NET;
        return WIRE_FAULT_UNAVAILABLE;
    case 16: /* Unauthenticated */
        *ec = ERR_AUTH;
        return WIRE_FAULT_TOKEN;
    default:
        *ec = ERR_REMOTE;
        return WIRE_FAULT_OTHER;
    }
}

/* etcd's words as one printable line of bounded length. */
static void printable(char out[300], const char *text)
{
    size_t n = 0;

    for (; *text && n < 299; text++)
        out[n++] = (unsigned char)*text < 0x20 || *text == 0x7F ? ' ' : *text;
    while (n && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

enum wire_fault wire_message_fault(const char *message, int64_t code, struct err *e)
{
    char line[300];
    enum err_code ec;

    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        if (!strstr(message, messages[i].piece))
            continue;
        printable(line, messages[i].text ? messages[i].text : message);
        err_set(e, messages[i].code, "%s", line);
        return messages[i].fault;
    }
    enum wire_fault fault = code_fault(code, &ec);
    printable(line, message);
    err_set(e, ec, "etcd answered: %s", line[0] ? line : "(nothing)");
    return fault;
}

/* {"error":"..","message":"..","code":N} (3.4, 3.5), {"error":{"grpc_code":N,"message":".."}}
 * (streams),
 * {"code":N,"message":".."} (3.6). */
static bool is_failure(const struct wire *root, const char **message, int64_t *code)
{
    const struct wire *error = wire_get(root, "error");

    if (cJSON_IsObject(node(error))) {
        *message = wire_text(error, "message");
        *code =
            wire_get(error, "grpc_code") ? wire_int(error, "grpc_code") : wire_int(error, "code");
        return true;
    }
    if (!error && !(wire_get(root, "code") && wire_get(root, "message")))
        return false;
    *message = *wire_text(root, "message") ? wire_text(root, "message") : wire_as_text(error);
    *code = wire_int(root, "code");
    return true;
}

enum wire_fault wire_failure(long http_status, const char *reply, size_t len, struct err *e)
{
    auto_wire struct wire *root = NULL;
    const char *message = NULL;
    int64_t code = -1;
    struct err why;
    char line[300];

    if (http_status == 200 && len > 4096)
        return WIRE_FAULT_NONE; /* no failure is that long; parsing it twice would cost */
    if (wire_parse(&root, reply, len, &why) == 0) {
        if (is_failure(root, &message, &code))
            return wire_message_fault(message, code, e);
        if (http_status == 200)
            return WIRE_FAULT_NONE;
    }
    if (http_status == 200) {
        err_set(e, why.code, "%s", why.msg);
        return WIRE_FAULT_OTHER;
    }
    auto_free char *text = mem_strndup(reply, len < 299 ? len : 299);
    printable(line, text);
    err_set(e, ERR_REMOTE, "HTTP status %ld: %s", http_status, line[0] ? line : "(no text)");
    return http_status >= 500 ? WIRE_FAULT_UNAVAILABLE : WIRE_FAULT_OTHER;
}

/* ---- requests ---- */

void wire_put_bytes(struct buf *b, const char *name, const void *p, size_t len)
{
    auto_free char *text = base64_encode(p, len);

    buf_printf(b, "\"%s\":\"", name);
    buf_puts(b, text);
    buf_putc(b, '"');
}

void wire_put_text(struct buf *b, const char *name, const char *text)
{
    buf_printf(b, "\"%s\":\"", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20)
            buf_printf(b, "\\u%04x", (unsigned char)*text);
        else
            buf_putc(b, *text);
    }
    buf_putc(b, '"');
}

char *wire_prefix_end(size_t *len, const char *prefix, size_t prefix_len)
{
    while (prefix_len && (unsigned char)prefix[prefix_len - 1] == 0xFF)
        prefix_len--;
    if (prefix_len == 0) {
        *len = 1;
        return mem_alloc(2);
    }
    char *end = mem_strndup(prefix, prefix_len);
    end[prefix_len - 1] = (char)(end[prefix_len - 1] + 1);
    *len = prefix_len;
    return end;
}

bool wire_is_prefix(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && name[len - 1] == '/';
}

void wire_put_range(struct buf *b, const char *name)
{
    size_t len = strlen(name), end_len;

    wire_put_bytes(b, "key", name, len);
    if (!wire_is_prefix(name))
        return;
    auto_free char *end = wire_prefix_end(&end_len, name, len);
    buf_putc(b, ',');
    wire_put_bytes(b, "range_end", end, end_len);
}
