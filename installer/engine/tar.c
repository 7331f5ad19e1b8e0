/* SPDX-License-Identifier: MIT */
#include "engine/tar.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Fields of a ustar header: offset and length. */
enum {
    NAME = 0,
    NAME_LEN = 100,
    MODE = 100,
    UID = 108,
    GID = 116,
    ID_LEN = 8,
    SIZE = 124,
    MTIME = 136,
    NUMBER_LEN = 12,
    CHECKSUM = 148,
    TYPE = 156,
    LINK = 157,
    MAGIC = 257,
    ID_MAX = 07777777,
    RECORD_MAX = 64, /* of a number: length, key, digits */
};

static const uint64_t size_max = 077777777777;

static void octal(char *field, size_t len, uint64_t value)
{
    field[len - 1] = '\0';
    for (size_t i = len - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

/* What does not fit is cut: the pax record says it whole. */
static void text(char *field, size_t len, const char *value)
{
    memcpy(field, value, strnlen(value, len));
}

static void block(struct buf *b, const struct tar_entry *n, char type)
{
    char h[TAR_BLOCK] = {0};
    unsigned sum = 0;

    text(h + NAME, NAME_LEN, n->name);
    octal(h + MODE, ID_LEN, n->mode & 07777);
    octal(h + UID, ID_LEN, n->uid);
    octal(h + GID, ID_LEN, n->gid);
    octal(h + SIZE, NUMBER_LEN, n->size);
    octal(h + MTIME, NUMBER_LEN, n->mtime > 0 ? (uint64_t)n->mtime : 0);
    h[TYPE] = type;
    if (n->link)
        text(h + LINK, NAME_LEN, n->link);
    memcpy(h + MAGIC,
           "ustar\0"
           "00",
           8);
    memset(h + CHECKSUM, ' ', 8);
    for (size_t i = 0; i < sizeof(h); i++)
        sum += (unsigned char)h[i];
    octal(h + CHECKSUM, 7, sum);
    buf_add(b, h, sizeof(h));
}

/* "LEN KEY=VALUE\n", LEN counting itself. */
static void record(struct buf *b, const char *key, const char *value)
{
    size_t rest = strlen(key) + strlen(value) + 3, len = rest + 1;

    for (size_t digits = 1, limit = 10; len >= limit; limit *= 10)
        len = rest + ++digits;
    buf_printf(b, "%zu %s=%s\n", len, key, value);
}

static void number_record(struct buf *b, const char *key, uint64_t value, uint64_t max)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    if (value > max)
        record(b, key, digits);
}

size_t tar_padding(uint64_t size)
{
    return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

size_t tar_header_max(const struct tar_entry *n)
{
    size_t link = n->link ? strlen(n->link) : 0;

    return 3 * TAR_BLOCK + strlen(n->name) + link + 5 * RECORD_MAX;
}

void tar_header(struct buf *b, const struct tar_entry *n)
{
    static const char zero[TAR_BLOCK];
    auto_buf struct buf pax;

    buf_init(&pax, tar_header_max(n));
    if (strlen(n->name) > NAME_LEN)
        record(&pax, "path", n->name);
    if (n->link && strlen(n->link) > NAME_LEN)
        record(&pax, "linkpath", n->link);
    number_record(&pax, "uid", n->uid, ID_MAX);
    number_record(&pax, "gid", n->gid, ID_MAX);
    number_record(&pax, "size", n->size, size_max);
    if (pax.len > 0) {
        struct tar_entry x = {.name = "PaxHeader", .mode = 0644, .size = pax.len};

        block(b, &x, 'x');
        buf_add(b, pax.data, pax.len);
        buf_add(b, zero, tar_padding(pax.len));
    }
    block(b, n, (char)n->kind);
}
