/* SPDX-License-Identifier: MIT */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

static int read_all(struct buf *b, int fd, const char *path, struct err *e)
{
    char chunk[16384];

    while (!b->full) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, "cannot read %s", path);
        if (n == 0)
            break;
        buf_add(b, chunk, (size_t)n);
    }
    explicit_bzero(chunk, sizeof(chunk));
    if (b->full)
        return err_set(e, ERR_CONFIG, "%s is larger than %zu bytes", path, b->max);
    return 0;
}

static int read_file(char **out, size_t *len, const char *path, size_t max, bool input,
                     struct err *e)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (input ? 0 : O_NONBLOCK));
    auto_buf struct buf b;
    struct stat st;

    buf_init(&b, max);
    if (fd < 0) {
        int missing = errno == ENOENT || errno == ENOTDIR;

        err_sys(e, "cannot open %s", path);
        if (missing)
            e->code = ERR_NOTFOUND;
        return -1;
    }
    if (fstat(fd, &st) < 0)
        return err_sys(e, "cannot read %s", path);
    if (!S_ISREG(st.st_mode) && !(input && S_ISFIFO(st.st_mode)))
        return err_set(e, ERR_CONFIG, "%s is not a regular file", path);
    if (read_all(&b, fd, path, e) < 0)
        return -1;
    if (!len && memchr(buf_str(&b), '\0', b.len))
        return err_set(e, ERR_CONFIG, "%s contains a NUL byte", path);
    if (len)
        *len = b.len;
    *out = buf_take(&b);
    return 0;
}

int fs_read(char **out, size_t *len, const char *path, size_t max, struct err *e)
{
    return read_file(out, len, path, max, false, e);
}

int fs_read_input(char **out, size_t *len, const char *path, size_t max, struct err *e)
{
    return read_file(out, len, path, max, true, e);
}

int fs_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = write(fd, at, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A pipe with room has room for PIPE_BUF bytes at least. */
int fs_write_in_time(size_t *written, int fd, const void *data, size_t len, int64_t wait_ms)
{
    int64_t deadline = clock_deadline(wait_ms);
    struct stat st;
    /* A file always has room, and takes a line in one piece. */
    bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

    for (*written = 0; *written < len;) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        size_t rest = len - *written;
        size_t piece = is_file || rest < PIPE_BUF ? rest : PIPE_BUF;
        int ready = poll(&p, 1, (int)clock_left_ms(deadline));
        ssize_t n;

        if (ready == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        n = ready < 0 ? -1 : write(fd, (const char *)data + *written, piece);
        if (n >= 0)
            *written += (size_t)n;
        else if (errno == EAGAIN && clock_passed(deadline))
            errno = ETIMEDOUT;
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
    }
    return 0;
}

static char *dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int fs_sync_dir_of(const char *path)
{
    auto_free char *dir = dir_of(path);
    auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* Some file systems cannot sync a directory: EINVAL is theirs to answer for. */
    return fd < 0 || (fsync(fd) < 0 && errno != EINVAL) ? -1 : 0;
}

int fs_write(const char *path, const void *data, size_t len, const struct fs_write_opts *o,
             struct err *e)
{
    auto_free char *temp = mem_printf("%s.XXXXXX", path);
    auto_close int fd = mkostemp(temp, O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, "cannot write %s", path);
    if ((o->uid != (uid_t)-1 || o->gid != (gid_t)-1) && fchown(fd, o->uid, o->gid) < 0)
        err_sys(e, "cannot change the owner of %s", path);
    else if (fchmod(fd, o->mode & 07777) < 0 || fs_write_all(fd, data, len) < 0 || fsync(fd) < 0 ||
             rename(temp, path) < 0)
        err_sys(e, "cannot write %s", path);
    else if (fs_sync_dir_of(path) < 0)
        return err_sys(e, "cannot sync the directory of %s", path);
    else
        return 0;
    unlink(temp);
    return -1;
}

static int make_one(const char *path, mode_t mode, struct err *e)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return 0;
    if (errno == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return 0;
        errno = ENOTDIR;
    }
    return err_sys(e, "cannot make the directory %s", path);
}

int fs_mkdirs(const char *path, mode_t mode, struct err *e)
{
    auto_free char *part = mem_strdup(path);

    if (!*path)
        return 0;
    for (char *at = part + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (make_one(part, mode, e) < 0)
            return -1;
        *at = '/';
    }
    return make_one(part, mode, e);
}

enum { TREE_DEPTH = 128 };

static int empty_dir(int fd, int depth);

static int remove_at(int dir, const char *name, int depth)
{
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -1;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    if (empty_dir(fd, depth) < 0)
        return -1;
    return unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

/* Takes fd. */
static int empty_dir(int fd, int depth)
{
    DIR *d = depth < TREE_DEPTH ? fdopendir(fd) : NULL;
    struct dirent *entry;
    int saved = 0;

    if (!d) {
        saved = depth < TREE_DEPTH ? errno : ELOOP;
        close(fd);
        errno = saved;
        return -1;
    }
    while (!saved && (errno = 0, entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (remove_at(dirfd(d), entry->d_name, depth + 1) < 0)
            saved = errno;
    }
    saved = saved ? saved : errno;
    closedir(d);
    errno = saved;
    return saved ? -1 : 0;
}

int fs_remove_tree(const char *path, struct err *e)
{
    if (remove_at(AT_FDCWD, path, 0) < 0)
        return err_sys(e, "cannot remove %s", path);
    return 0;
}

int fs_list(struct strv *out, const char *path, struct err *e)
{
    DIR *d = opendir(path);
    auto_strv struct strv names = {0};
    struct dirent *entry;

    if (!d) {
        int missing = errno == ENOENT;

        err_sys(e, "cannot list %s", path);
        if (missing)
            e->code = ERR_NOTFOUND;
        return -1;
    }
    while ((errno = 0, entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strv_add(&names, entry->d_name);
    int saved = errno;
    closedir(d);
    errno = saved;
    if (saved)
        return err_sys(e, "cannot list %s", path);
    strv_sort(&names);
    strv_add_all(out, &names);
    return 0;
}

bool fs_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

bool fs_is_executable(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *fs_join(const char *a, const char *b)
{
    size_t len = strlen(a);

    return mem_printf("%s%s%s", a, len && a[len - 1] != '/' ? "/" : "", b);
}

const char *fs_basename(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void fs_open_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

enum { LOOK_MAX = 64 << 20, LOOK_PIECE = 1 << 20 };

/* Bytes from `at` up to `end`: 1 zeros, 0 something, -1. */
static int are_zeros(int fd, off_t at, off_t end, char *piece)
{
    while (at < end) {
        size_t want = end - at < LOOK_PIECE ? (size_t)(end - at) : LOOK_PIECE;
        ssize_t n = pread(fd, piece, want, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            return 1; /* it got shorter */
        if (piece[0] || memcmp(piece, piece + 1, (size_t)n - 1) != 0)
            return 0;
        at += n;
    }
    return 1;
}

int fs_is_blank(bool *blank, const char *path, struct err *e)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    auto_free char *piece = mem_alloc(LOOK_PIECE);
    off_t at = 0, end, looked = 0;
    int zeros = 1;

    *blank = false;
    if (fd < 0)
        return err_sys(e, "cannot open %s", path);
    while (zeros == 1) {
        at = lseek(fd, at, SEEK_DATA);
        if (at < 0 && errno == ENXIO) {
            *blank = true;
            return 0;
        }
        end = at < 0 ? -1 : lseek(fd, at, SEEK_HOLE);
        looked += end - at;
        if (end >= 0 && looked > LOOK_MAX)
            return 0;
        zeros = end < 0 ? -1 : are_zeros(fd, at, end, piece);
        at = end;
    }
    return zeros < 0 ? err_sys(e, "cannot read %s", path) : 0;
}
