/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/volume_rules.h"
#include "libvolume/internal.h"

const char *sv_version(void)
{
    return SLIPWAY_VERSION;
}

/* What a number means here, where errno's own words would puzzle. */
static const char *meaning(int code, char *room, size_t size)
{
    switch (-code) {
    case ETIMEDOUT:
        return "the storage did not answer in time";
    case EACCES:
    case EPERM:
        return "the storage refuses this user or key";
    case ESHUTDOWN:
        return "fenced: another writer took over";
    case ENOENT:
        return "there is none";
    case EEXIST:
        return "there is one already";
    case EBUSY:
        return "somebody uses it";
    case EDQUOT:
    case ENOSPC:
        return "the pool is full";
    default:
        return strerror_r(-code, room, size);
    }
}

static void __attribute__((format(printf, 3, 0)))
fill(struct sv_error *e, int code, const char *fmt, va_list ap)
{
    if (!e)
        return;
    e->code = code;
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

int sv_fail(struct sv_error *e, int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(e, code, fmt, ap);
    va_end(ap);
    return code;
}

int sv_fail_call(struct sv_error *e, int code, const char *fmt, ...)
{
    char room[128];
    va_list ap;
    size_t len;

    va_start(ap, fmt);
    fill(e, code, fmt, ap);
    va_end(ap);
    if (!e)
        return code;
    len = strlen(e->text);
    snprintf(e->text + len, sizeof(e->text) - len, ": %s", meaning(code, room, sizeof(room)));
    return code;
}

int sv_check_name(const char *kind, const char *name, struct sv_error *e)
{
    _Static_assert((int)SV_NAME_MAX == (int)VOLUME_NAME_LENGTH_MAX,
                   "the header tells the same limit");

    if (volume_name_is_allowed(name))
        return 0;
    return sv_fail(e, -EINVAL, "%s \"%.80s\": %s", kind, name ? name : "", VOLUME_NAME_RULE);
}

int sv_check_size(uint64_t size_bytes, struct sv_error *e)
{
    if (size_bytes > INT64_MAX || !volume_size_is_in_range((int64_t)size_bytes))
        return sv_fail(e, -EINVAL, "size %llu: %s", (unsigned long long)size_bytes,
                       VOLUME_SIZE_RULE);
    if (!volume_size_is_whole((int64_t)size_bytes))
        return sv_fail(e, -EINVAL, "size %llu: %s", (unsigned long long)size_bytes,
                       VOLUME_SIZE_STEP_RULE);
    return 0;
}

int sv_check_writer(const struct sv_volume *v, struct sv_error *e)
{
    if (v->mode == SV_WRITER)
        return 0;
    return sv_fail(e, -EROFS, "volume %s is open for reading only", v->name);
}
