/* SPDX-License-Identifier: MIT */
#include "engine/context.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/strv.h"
#include "crypto/crypto.h"
#include "engine/tar.h"

enum { DEPTH_MAX = 32, ENTRIES_MAX = 20000, PIECE = 64 << 10 };

struct entry {
    char *as;   /* name in the tar */
    char *path; /* a file to read; or ... */
    char *text; /* ... a file's text; or ... */
    char *link; /* ... a symbolic link's target; none of them: a folder */
    unsigned mode;
};

struct context {
    struct entry *entries;
    size_t count;
};

struct context *context_new(void)
{
    return mem_alloc(sizeof(struct context));
}

static void entry_clear(struct entry *n)
{
    free(n->as);
    free(n->path);
    free(n->text);
    free(n->link);
}

void context_free(struct context *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        entry_clear(&c->entries[i]);
    free(c->entries);
    free(c);
}

void context_cleanup(struct context **c)
{
    context_free(*c);
}

/* Takes the strings of `n`; an earlier entry of the name gives way. */
static void add(struct context *c, struct entry n)
{
    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->entries[i].as, n.as) == 0) {
            entry_clear(&c->entries[i]);
            c->entries[i] = n;
            return;
        }
    }
    c->entries = mem_grow(c->entries, c->count + 1, sizeof(*c->entries));
    c->entries[c->count++] = n;
}

static char *under(const char *as, const char *name)
{
    return as[0] == '\0' ? mem_strdup(name) : fs_join(as, name);
}

static int add_folder(struct context *c, const char *dir, const char *as, int depth, struct err *e);

static int add_any(struct context *c, const char *path, const char *as, int depth, struct err *e)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return err_sys(e, "looking at %s", path);
    if (c->count >= ENTRIES_MAX)
        return err_set(e, ERR_CONFIG, "more than %d files", ENTRIES_MAX);
    if (S_ISDIR(st.st_mode))
        return add_folder(c, path, as, depth + 1, e);
    if (S_ISREG(st.st_mode)) {
        bool executable = (st.st_mode & S_IXUSR) != 0;

        add(c, (struct entry){.as = mem_strdup(as),
                              .path = mem_strdup(path),
                              .mode = executable ? 0755 : 0644});
        return 0;
    }
    if (S_ISLNK(st.st_mode)) {
        char target[PATH_MAX];
        ssize_t n = readlink(path, target, sizeof(target) - 1);

        if (n < 0)
            return err_sys(e, "reading the link %s", path);
        add(c, (struct entry){
                   .as = mem_strdup(as), .link = mem_strndup(target, (size_t)n), .mode = 0777});
        return 0;
    }
    return err_set(e, ERR_CONFIG, "%s is neither file, folder nor link", path);
}

static int add_folder(struct context *c, const char *dir, const char *as, int depth, struct err *e)
{
    auto_strv struct strv names = {0};

    if (depth > DEPTH_MAX)
        return err_set(e, ERR_CONFIG, "%s: folders deeper than %d", dir, DEPTH_MAX);
    if (fs_list(&names, dir, e) < 0)
        return -1;
    if (as[0] != '\0')
        add(c, (struct entry){.as = mem_strdup(as), .mode = 0755});
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = fs_join(dir, names.items[i]);
        auto_free char *name = under(as, names.items[i]);

        if (add_any(c, path, name, depth, e) < 0)
            return -1;
    }
    return 0;
}

int context_add_dir(struct context *c, const char *dir, const char *as, struct err *e)
{
    return add_folder(c, dir, as, 0, e) < 0 ? err_wrap(e, "image context") : 0;
}

int context_add_file(struct context *c, const char *path, const char *as, unsigned mode,
                     struct err *e)
{
    if (access(path, R_OK) < 0)
        return err_sys(e, "image context: reading %s", path);
    add(c, (struct entry){.as = mem_strdup(as), .path = mem_strdup(path), .mode = mode});
    return 0;
}

void context_add_text(struct context *c, const char *as, const char *text, unsigned mode)
{
    add(c, (struct entry){.as = mem_strdup(as), .text = mem_strdup(text), .mode = mode});
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->as, ((const struct entry *)b)->as);
}

static void sort(struct context *c)
{
    if (c->count > 1)
        qsort(c->entries, c->count, sizeof(*c->entries), by_name);
}

/* Gives an entry's content in pieces. */
struct sink {
    int (*piece)(void *arg, const void *p, size_t len, struct err *e);
    void *arg;
};

static int read_file(const struct entry *n, int fd, const struct sink *to, struct err *e)
{
    auto_free char *piece = mem_alloc(PIECE);

    for (;;) {
        ssize_t got = read(fd, piece, PIECE);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(e, "reading %s", n->path);
        if (got == 0)
            return 0;
        if (to->piece(to->arg, piece, (size_t)got, e) < 0)
            return -1;
    }
}

static int hash_piece(void *arg, const void *p, size_t len, struct err *e)
{
    (void)e;
    crypto_hash_add(arg, p, len);
    return 0;
}

/* Opens an entry's file (*fd stays -1 for other kinds) and tells the size of its content. */
static int open_entry(int *fd, size_t *size, const struct entry *n, struct err *e)
{
    struct stat st;

    *fd = -1;
    *size = n->text ? strlen(n->text) : 0;
    if (!n->path)
        return 0;
    *fd = open(n->path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &st) < 0)
        return err_sys(e, "opening %s", n->path);
    *size = (size_t)st.st_size;
    return 0;
}

static int hash_entry(struct crypto_hash *h, const struct entry *n, struct err *e)
{
    const struct sink to = {hash_piece, h};
    auto_close int fd = -1;
    size_t size;

    if (open_entry(&fd, &size, n, e) < 0)
        return -1;
    const char *kind = n->link ? "link" : n->path || n->text ? "file" : "folder";
    auto_free char *head = mem_printf("%s %o %zu %s", kind, n->mode, size, n->as);
    crypto_hash_add(h, head, strlen(head) + 1);
    if (n->link)
        crypto_hash_add(h, n->link, strlen(n->link) + 1);
    if (n->text)
        crypto_hash_add(h, n->text, size);
    return fd >= 0 ? read_file(n, fd, &to, e) : 0;
}

int context_hash(struct context *c, char out[65], struct err *e)
{
    struct crypto_hash *h = crypto_hash_new();

    sort(c);
    for (size_t i = 0; i < c->count; i++) {
        if (hash_entry(h, &c->entries[i], e) < 0) {
            crypto_hash_free(h);
            return err_wrap(e, "image context");
        }
    }
    crypto_hash_hex(h, out);
    return 0;
}

/* A tar under way; `room` is what is left of the entry's size. */
struct tar_file {
    int fd;
    size_t room;
};

static int write_all(int fd, const void *p, size_t len, struct err *e)
{
    return fs_write_all(fd, p, len) < 0 ? err_sys(e, "writing the tar") : 0;
}

static int tar_piece(void *arg, const void *p, size_t len, struct err *e)
{
    struct tar_file *t = arg;

    if (len > t->room)
        return err_set(e, ERR_CONFLICT, "a file grew while it was read");
    t->room -= len;
    return write_all(t->fd, p, len, e);
}

static int tar_entry(int tar, const struct entry *n, struct err *e)
{
    static const char zero[TAR_END];
    struct tar_file t = {.fd = tar};
    const struct sink to = {tar_piece, &t};
    bool file = n->path || n->text;
    auto_close int fd = -1;
    auto_buf struct buf head;

    buf_init(&head, 1 << 20);
    if (open_entry(&fd, &t.room, n, e) < 0)
        return -1;
    struct tar_entry entry = {.kind = file      ? TAR_KIND_FILE
                                      : n->link ? TAR_KIND_LINK
                                                : TAR_KIND_FOLDER,
                              .name = n->as,
                              .link = n->link,
                              .mode = n->mode,
                              .size = t.room};
    size_t padding = tar_padding(t.room);
    tar_header(&head, &entry);
    int r = write_all(tar, head.data, head.len, e);
    if (r == 0 && n->text)
        r = tar_piece(&t, n->text, t.room, e);
    if (r == 0 && fd >= 0)
        r = read_file(n, fd, &to, e);
    if (r == 0 && t.room > 0)
        r = err_set(e, ERR_CONFLICT, "%s shrank while it was read", n->path);
    return r < 0 ? -1 : write_all(tar, zero, padding, e);
}

static int temporary(int *fd, const char *dir, struct err *e)
{
    auto_free char *path = mem_printf("%s/slipway-context-XXXXXX", dir ? dir : "/tmp");

    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd < 0)
        return err_sys(e, "making a temporary file %s", path);
    unlink(path);
    return 0;
}

int context_write(struct context *c, const char *dir, int *fd, struct err *e)
{
    auto_close int file = -1;

    *fd = -1;
    if (temporary(&file, dir, e) < 0)
        return -1;
    static const char zero[TAR_END];
    int r = 0;
    sort(c);
    for (size_t i = 0; i < c->count && r == 0; i++)
        r = tar_entry(file, &c->entries[i], e);
    if (r == 0)
        r = write_all(file, zero, sizeof(zero), e);
    if (r < 0)
        return err_wrap(e, "image context");
    *fd = file;
    file = -1;
    return 0;
}
