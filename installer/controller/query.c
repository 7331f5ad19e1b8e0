/* SPDX-License-Identifier: MIT */
#include "controller/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_text(const char *text)
{
    size_t left = strlen(text), step;
    uint32_t c = 0;

    for (; left; text += step, left -= step) {
        step = utf8_decode(&c, text, left);
        if (!step || utf8_is_control(c))
            return false;
    }
    return true;
}

/* The `len` bytes at `from` decoded, owned; NULL when they are not well formed. */
static char *decode(const char *from, size_t len, bool plus)
{
    char *out = mem_alloc(len + 1), *to = out;

    for (size_t i = 0; i < len; i++) {
        int high, low;

        if (from[i] != '%') {
            *to++ = plus && from[i] == '+' ? ' ' : from[i];
            continue;
        }
        if (len - i < 3 || (high = digit(from[i + 1])) < 0 || (low = digit(from[i + 2])) < 0 ||
            (high == 0 && low == 0)) {
            free(out);
            return NULL;
        }
        *to++ = (char)(high << 4 | low);
        i += 2;
    }
    if (is_text(out))
        return out;
    free(out);
    return NULL;
}

static int add_part(struct query *q, const char *from, size_t len, struct err *e)
{
    char *part = decode(from, len, false);

    if (!part)
        return err_set(e, ERR_USAGE, "the path is not percent-encoded UTF-8 without controls");
    if (q->part_count == QUERY_PARTS_MAX || !*part || strchr(part, '/') || strcmp(part, ".") == 0 ||
        strcmp(part, "..") == 0) {
        free(part);
        return err_set(e, ERR_USAGE,
                       "the path has a part that is empty, \".\", \"..\", holds a "
                       "slash, or is one too many");
    }
    q->parts[q->part_count++] = part;
    return 0;
}

static int parse_path(struct query *q, const char *path, size_t len, struct err *e)
{
    const char *end = path + len;

    if (len == 0 || *path != '/')
        return err_set(e, ERR_USAGE, "the target of the request must begin with a slash");
    for (const char *at = path + 1; at < end;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *stop = slash ? slash : end;

        if (add_part(q, at, (size_t)(stop - at), e) < 0)
            return -1;
        if (slash && slash + 1 == end)
            return err_set(e, ERR_USAGE, "the path ends with a slash");
        at = stop + 1;
    }
    return 0;
}

static int add_param(struct query *q, const char *from, size_t len, struct err *e)
{
    const char *equal = memchr(from, '=', len);
    size_t name_len = equal ? (size_t)(equal - from) : len;
    struct query_param p = {.name = decode(from, name_len, true)};

    p.value = equal ? decode(equal + 1, len - name_len - 1, true) : mem_strdup("");
    if (!p.name || !p.value || !*p.name || q->param_count == QUERY_PARAMS_MAX) {
        free(p.name);
        free(p.value);
        return err_set(e, ERR_USAGE,
                       "the query is not at most %d times NAME=VALUE in percent-encoded UTF-8",
                       QUERY_PARAMS_MAX);
    }
    q->params = mem_grow(q->params, q->param_count + 1, sizeof(*q->params));
    q->params[q->param_count++] = p;
    return 0;
}

int query_parse(struct query *out, const char *target, struct err *e)
{
    size_t len = strlen(target);
    const char *mark = strchr(target, '?');
    int r;

    *out = (struct query){0};
    if (len > QUERY_TARGET_MAX)
        return err_set(e, ERR_USAGE, "the target is longer than %d bytes", QUERY_TARGET_MAX);
    r = parse_path(out, target, mark ? (size_t)(mark - target) : len, e);
    for (const char *at = mark ? mark + 1 : ""; r == 0 && *at;) {
        size_t n = strcspn(at, "&");

        r = add_param(out, at, n, e);
        at += n;
        at += *at == '&';
    }
    if (r < 0)
        query_clear(out);
    return r;
}

void query_clear(struct query *q)
{
    for (size_t i = 0; i < q->part_count; i++)
        free(q->parts[i]);
    for (size_t i = 0; i < q->param_count; i++) {
        free(q->params[i].name);
        free(q->params[i].value);
    }
    free(q->params);
    *q = (struct query){0};
}

const char *query_get(const struct query *q, const char *name)
{
    for (size_t i = 0; i < q->param_count; i++)
        if (strcmp(q->params[i].name, name) == 0)
            return q->params[i].value;
    return NULL;
}

int query_number(long *out, const struct query *q, const char *name, const long range[3],
                 struct err *e)
{
    const char *text = query_get(q, name);
    char *end = NULL;

    *out = range[2];
    if (!text)
        return 0;
    errno = 0;
    *out = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
    if (!end || *end || errno || *out < range[0] || *out > range[1])
        return err_set(e, ERR_USAGE, "%s must be a number from %ld to %ld", name, range[0],
                       range[1]);
    return 0;
}

int query_flag(bool *out, const struct query *q, const char *name, struct err *e)
{
    const char *text = query_get(q, name);

    *out = text && strcmp(text, "true") == 0;
    if (!text || *out || strcmp(text, "false") == 0)
        return 0;
    return err_set(e, ERR_USAGE, "%s must be true or false", name);
}
