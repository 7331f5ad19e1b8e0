/* SPDX-License-Identifier: MIT */
#include "engine/untar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "engine/tar.h"

enum {
    NAME = 0,
    NAME_LEN = 100,
    MODE = 100,
    MODE_LEN = 8,
    SIZE = 124,
    SIZE_LEN = 12,
    CHECKSUM = 148,
    CHECKSUM_LEN = 8,
    TYPE = 156,
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_LEN = 155,
    EXTRA_MAX = 64 << 10, /* of a pax or GNU header */
    DEPTH_MAX = 128,
};

struct untar {
    int folder;
    char *name;
    char block[TAR_BLOCK]; /* a header that is not yet whole */
    size_t block_len;
    uint64_t data_left, padding_left;
    int fd;            /* the file that is being written; -1: what comes is not kept */
    struct buf extra;  /* the pax or GNU header that is being read */
    char extra_kind;   /* 0: none */
    char *long_name;   /* of the next entry */
    int64_t long_size; /* -1: that of the header */
    bool ended;
    uint64_t bytes;
};

struct untar *untar_new(int folder, const char *name)
{
    struct untar *u = mem_alloc(sizeof(*u));

    *u = (struct untar){.folder = folder, .name = mem_strdup(name), .fd = -1, .long_size = -1};
    buf_init(&u->extra, EXTRA_MAX);
    return u;
}

void untar_free(struct untar *u)
{
    if (!u)
        return;
    if (u->fd >= 0)
        close(u->fd);
    buf_clear(&u->extra);
    free(u->long_name);
    free(u->name);
    free(u);
}

uint64_t untar_bytes(const struct untar *u)
{
    return u->bytes;
}

static int refuse(struct err *e)
{
    return err_set(e, ERR_REMOTE, "what the container sent is not an archive");
}

/* ---- fields ---- */

/* Octal digits, or GNU's base 256. */
static bool read_number(uint64_t *out, const char *field, size_t len)
{
    uint64_t n = 0;
    size_t i = 0;

    if ((unsigned char)field[0] == 0x80) {
        for (i = 1; i < len; i++) {
            if (n >> 55)
                return false;
            n = n << 8 | (unsigned char)field[i];
        }
        *out = n;
        return true;
    }
    while (i < len && field[i] == ' ')
        i++;
    for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
        n = n << 3 | (uint64_t)(field[i] - '0'); /* 12 digits at most */
    *out = n;
    return i == len || field[i] == ' ' || field[i] == '\0';
}

static bool sum_is_right(const char *h)
{
    uint64_t want, sum = 0;

    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_LEN ? ' ' : (unsigned char)h[i];
    return read_number(&want, h + CHECKSUM, CHECKSUM_LEN) && want == sum;
}

static char *name_of(struct untar *u, const char *h)
{
    const char *prefix = h + PREFIX;
    bool ustar = memcmp(h + MAGIC, "ustar\0", 6) == 0;

    if (u->long_name)
        return steal(u->long_name);
    if (ustar && *prefix)
        return mem_printf("%.*s/%.*s", PREFIX_LEN, prefix, NAME_LEN, h + NAME);
    return mem_strndup(h + NAME, strnlen(h + NAME, NAME_LEN));
}

/* "LEN KEY=VALUE\n" again and again: path and size count. */
static int take_pax(struct untar *u, struct err *e)
{
    const char *p = buf_str(&u->extra), *end = p + u->extra.len;

    while (p < end) {
        char *behind;
        unsigned long len = strtoul(p, &behind, 10);
        const char *next = p + len, *value;

        if (len == 0 || len > (size_t)(end - p) || *behind != ' ' || next[-1] != '\n')
            return refuse(e);
        value = memchr(behind, '=', (size_t)(next - behind));
        if (!value)
            return refuse(e);
        if (strncmp(behind, " path=", 6) == 0) {
            free(u->long_name);
            u->long_name = mem_strndup(value + 1, (size_t)(next - value) - 2);
        } else if (strncmp(behind, " size=", 6) == 0) {
            u->long_size = strtoll(value + 1, NULL, 10);
            if (u->long_size < 0)
                return refuse(e);
        }
        p = next;
    }
    return 0;
}

static int take_extra(struct untar *u, struct err *e)
{
    char kind = u->extra_kind;
    int r = 0;

    u->extra_kind = 0;
    if (kind == 'x')
        r = take_pax(u, e);
    else if (kind == 'L') {
        free(u->long_name);
        u->long_name = mem_strdup(buf_str(&u->extra));
    }
    buf_reset(&u->extra);
    return r;
}

/* ---- names ---- */

/* One part of a path, that stays where it is. */
static bool is_plain(const char *part)
{
    return *part && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
}

/* The parts below our folder; the first one is replaced by `name`. */
static int split(struct strv *parts, const struct untar *u, const char *path, struct err *e)
{
    auto_strv struct strv given = {0};

    strv_split(&given, path, "/");
    strv_add(parts, u->name);
    for (size_t i = 1; i < given.count; i++) {
        if (!is_plain(given.items[i]) || i > DEPTH_MAX)
            return err_set(e, ERR_REMOTE, "the container sent a name that leads elsewhere");
        strv_add(parts, given.items[i]);
    }
    return 0;
}

/* The folder that holds the last part, made as far as it is not there; owned. */
static int open_parent(int *out, const struct untar *u, const struct strv *parts, struct err *e)
{
    auto_close int at = dup(u->folder);

    for (size_t i = 0; at >= 0 && i + 1 < parts->count; i++) {
        int below;

        if (mkdirat(at, parts->items[i], 0700) < 0 && errno != EEXIST)
            return err_sys(e, "the folder %s", parts->items[i]);
        below = openat(at, parts->items[i], O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
        if (below < 0)
            return err_sys(e, "the folder %s", parts->items[i]);
        close(at);
        at = below;
    }
    if (at < 0)
        return err_sys(e, "the folder");
    *out = at;
    at = -1;
    return 0;
}

/* ---- entries ---- */

static int make_folder(int at, const char *name, mode_t mode, struct err *e)
{
    if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
        return err_sys(e, "the folder %s", name);
    auto_close int fd = openat(at, name, O_DIRECTORY | O_NOFOLLOW | O_RDONLY | O_CLOEXEC);
    /* Ours to write and enter until all is there. */
    return fd < 0 || fchmod(fd, mode | 0700) < 0 ? err_sys(e, "the folder %s", name) : 0;
}

static int make_entry(struct untar *u, const char *path, char type, mode_t mode, struct err *e)
{
    auto_strv struct strv parts = {0};
    auto_close int at = -1;

    if (split(&parts, u, path, e) < 0 || open_parent(&at, u, &parts, e) < 0)
        return -1;
    const char *name = parts.items[parts.count - 1];
    if (type == TAR_KIND_FOLDER)
        return make_folder(at, name, mode, e);
    u->fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (u->fd < 0 || fchmod(u->fd, mode) < 0)
        return err_sys(e, "the file %s", name);
    return 0;
}

static bool is_file(char type)
{
    return type == TAR_KIND_FILE || type == '\0' || type == '7';
}

static int take_header(struct untar *u, struct err *e)
{
    static const char zero[TAR_BLOCK];
    const char *h = u->block;
    char type = h[TYPE];
    uint64_t size, mode;

    u->block_len = 0;
    if (memcmp(h, zero, TAR_BLOCK) == 0) {
        u->ended = true;
        return 0;
    }
    if (!sum_is_right(h) || !read_number(&size, h + SIZE, SIZE_LEN) ||
        !read_number(&mode, h + MODE, MODE_LEN))
        return refuse(e);
    bool extra = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (!extra && u->long_size >= 0) {
        size = (uint64_t)u->long_size;
        u->long_size = -1;
    }
    if (!extra && !is_file(type)) /* whatever it says */
        size = 0;
    u->data_left = size;
    u->padding_left = tar_padding(size);
    if (extra) {
        u->extra_kind = type;
        if (size > EXTRA_MAX)
            return refuse(e);
        return size == 0 ? take_extra(u, e) : 0;
    }
    auto_free char *path = name_of(u, h);
    if (!is_file(type) && type != TAR_KIND_FOLDER)
        return 0;
    /* Neither set-user-id nor what others would write to. */
    return make_entry(u, path, is_file(type) ? TAR_KIND_FILE : type, (mode_t)mode & 0755, e);
}

static void close_file(struct untar *u)
{
    if (u->fd >= 0)
        close(u->fd);
    u->fd = -1;
}

static int take_data(struct untar *u, const char *p, size_t len, struct err *e)
{
    u->data_left -= len;
    if (u->extra_kind) {
        buf_add(&u->extra, p, len);
        return u->data_left == 0 ? take_extra(u, e) : 0;
    }
    if (u->fd >= 0 && fs_write_all(u->fd, p, len) < 0)
        return err_sys(e, "writing what the container sent");
    if (u->fd >= 0)
        u->bytes += len;
    return 0;
}

int untar_feed(struct untar *u, const char *p, size_t len, struct err *e)
{
    while (len > 0 && !u->ended) {
        size_t part;

        if (u->data_left > 0) {
            part = u->data_left < len ? (size_t)u->data_left : len;
            if (take_data(u, p, part, e) < 0)
                return -1;
        } else if (u->padding_left > 0) {
            part = u->padding_left < len ? (size_t)u->padding_left : len;
            u->padding_left -= part;
        } else {
            close_file(u);
            part = TAR_BLOCK - u->block_len < len ? TAR_BLOCK - u->block_len : len;
            memcpy(u->block + u->block_len, p, part);
            u->block_len += part;
            if (u->block_len == TAR_BLOCK && take_header(u, e) < 0)
                return -1;
        }
        p += part;
        len -= part;
    }
    return 0;
}

int untar_end(struct untar *u, struct err *e)
{
    close_file(u);
    return u->ended ? 0 : err_set(e, ERR_REMOTE, "what the container sent is cut off");
}
