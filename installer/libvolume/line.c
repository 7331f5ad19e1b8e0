/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "libvolume/internal.h"

enum { LINE_LENGTH_MAX = 4096 };

/* Copies what stands before one of the `ends`, and moves on behind it.
 * False when it is too long. */
static bool take(char *out, size_t size, const char **at, const char *ends)
{
    size_t len = strcspn(*at, ends);

    if (len == 0 || len >= size)
        return false;
    memcpy(out, *at, len);
    out[len] = 0;
    *at += len;
    return true;
}

/* The value of an option, up to the next one; QEMU wants ':' and ';' with a '\' in front. */
static bool take_value(char *out, size_t size, const char **at)
{
    size_t len = 0;

    for (; **at && **at != ':'; (*at)++) {
        if (**at == '\\' && !*++*at)
            return false;
        if (len + 1 >= size)
            return false;
        out[len++] = **at;
    }
    out[len] = 0;
    return len > 0;
}

static bool take_option(struct sv_line *out, const char **at)
{
    if (strncmp(*at, "id=", 3) == 0 && !out->user[0]) {
        *at += 3;
        return take(out->user, sizeof(out->user), at, ":");
    }
    if (strncmp(*at, "mon_host=", 9) == 0 && !out->monitors[0]) {
        *at += 9;
        return take_value(out->monitors, sizeof(out->monitors), at);
    }
    if (strncmp(*at, "keyfile=", 8) == 0) {
        *at += 8;
        return take_value(out->key_file, sizeof(out->key_file), at);
    }
    return false;
}

static bool take_line(struct sv_line *out, const char *at)
{
    if (strncmp(at, "rbd:", 4) != 0)
        return false;
    at += 4;
    if (!take(out->pool, sizeof(out->pool), &at, "/:") || *at != '/')
        return false;
    at++;
    if (!take(out->volume, sizeof(out->volume), &at, ":"))
        return false;
    while (*at == ':') {
        at++;
        if (!take_option(out, &at))
            return false;
    }
    return *at == 0;
}

int sv_line_parse(struct sv_line *out, const char *line, struct sv_error *e)
{
    int r = 0;

    memset(out, 0, sizeof(*out));
    if (!line || strnlen(line, LINE_LENGTH_MAX) == LINE_LENGTH_MAX || !take_line(out, line) ||
        !out->monitors[0])
        r = sv_fail(e, -EINVAL,
                    "this is not a line of `slipway volume show VOLUME`; they look like "
                    "rbd:POOL/VOLUME:id=USER:mon_host=ADDRESSES:keyfile=FILE");
    if (r == 0)
        r = sv_check_name("pool", out->pool, e);
    if (r == 0)
        r = sv_check_name("volume", out->volume, e);
    if (r < 0)
        memset(out, 0, sizeof(*out));
    return r;
}
