/* SPDX-License-Identifier: MIT */
#include "agent/release_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "crypto/crypto.h"

enum {
    PIECE = 64 << 10,
    WHY_MAX = 4096,
    LIST_MAX = 64,
    LOCK_MS = 20 * 1000,
    LOCK_EVERY_MS = 50,
    FRESH_S = 3600,
    KNOWN_MAX = 512,
    SETTLED_S = 2,
};

int release_dir_open(struct release_dir *d, struct err *e)
{
    char home[PATH_MAX];

    *d = (struct release_dir){.fd = -1, .lock = -1};
    if (!release_home(home, sizeof(home)))
        return err_set(e, ERR_SYS, "this program does not know where it is");
    d->home = mem_strdup(home);
    d->path = fs_join(home, "releases");
    d->fd = open(d->path, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return 0;
}

void release_dir_close(struct release_dir *d)
{
    if (d->fd >= 0)
        close(d->fd);
    if (d->lock >= 0)
        close(d->lock);
    free(d->home);
    free(d->path);
    *d = (struct release_dir){.fd = -1, .lock = -1};
}

int release_dir_begin(struct release_dir *d, struct err *e)
{
    if (d->fd < 0) {
        if (mkdir(d->path, 0755) < 0 && errno != EEXIST)
            return err_sys(e, "the folder of releases %s", d->path);
        d->fd = open(d->path, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (d->fd < 0)
        return err_sys(e, "the folder of releases %s", d->path);
    d->lock = openat(d->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (d->lock < 0)
        return err_sys(e, "the lock of the releases in %s", d->path);
    /* One whose slipway was killed looks on for a moment. */
    int64_t deadline = clock_deadline(LOCK_MS);
    int r;
    while ((r = flock(d->lock, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK &&
           !clock_passed(deadline))
        clock_sleep_ms(LOCK_EVERY_MS);
    if (r < 0)
        return errno == EWOULDBLOCK
                   ? err_set(e, ERR_LOCKED, "another deployment is under way in this container")
                   : err_sys(e, "the lock of the releases in %s", d->path);
    return 0;
}

static int digest_of(char out[RELEASE_NAME_SIZE], int fd, struct err *e)
{
    auto_free char *piece = mem_alloc(PIECE);
    struct crypto_hash *h = crypto_hash_new();
    ssize_t n;

    while ((n = read(fd, piece, PIECE)) > 0)
        crypto_hash_add(h, piece, (size_t)n);
    if (n < 0) {
        crypto_hash_free(h);
        return err_sys(e, "reading a release");
    }
    crypto_hash_hex(h, out);
    return 0;
}

/* ---- digests that are known ---- */

/* What a digest holds for. Whoever changes a file changes its ctime, which nobody can set. */
static char *stamp_of(const struct stat *st)
{
    return mem_printf("%llu %llu %lld %lld.%09ld %lld.%09ld", (unsigned long long)st->st_dev,
                      (unsigned long long)st->st_ino, (long long)st->st_size,
                      (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
                      (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* A release's lies in its own folder, and goes with it. */
static char *known_path(const struct release_dir *d, const char *name)
{
    return release_is_digest(name) ? mem_printf("%s/%s/digest", d->path, name)
                                   : mem_printf("%s/image.digest", d->path);
}

static bool recall(char out[RELEASE_NAME_SIZE], const char *path, const char *stamp)
{
    auto_free char *text = NULL;
    size_t len = strlen(stamp);
    struct err e;

    if (!fs_exists(path))
        return false;
    if (fs_read(&text, NULL, path, KNOWN_MAX, &e) < 0) {
        err_drop(&e, "the digest that is known");
        return false;
    }
    if (strncmp(text, stamp, len) != 0 || text[len] != ' ' || !release_is_digest(text + len + 1))
        return false;
    memcpy(out, text + len + 1, RELEASE_NAME_SIZE);
    return true;
}

/* A change within the same tick of the clock as the last one would not show. */
static bool is_settled(const struct stat *st)
{
    return st->st_ctim.tv_sec < time(NULL) - SETTLED_S;
}

/* What cannot be written is found out again the next time. */
static void remember(const struct release_dir *d, const char *path, const char *stamp,
                     const char *digest)
{
    const struct fs_write_opts o = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *text = mem_printf("%s %s", stamp, digest);
    struct err e;

    if (mkdir(d->path, 0755) < 0 && errno != EEXIST)
        return;
    if (fs_write(path, text, strlen(text), &o, &e) < 0)
        err_drop(&e, "noting a digest");
}

int release_dir_digest(char out[RELEASE_NAME_SIZE], const struct release_dir *d, const char *name,
                       struct err *e)
{
    auto_free char *path = release_is_digest(name)
                               ? mem_printf("%s/%s/" RELEASE_AGENT, d->path, name)
                               : mem_printf("%s/" RELEASE_AGENT, d->home);
    auto_free char *known = known_path(d, name);
    auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(e, "%s", path);
    auto_free char *stamp = stamp_of(&st);
    bool settled = is_settled(&st);
    if (recall(out, known, stamp))
        return 0;
    if (digest_of(out, fd, e) < 0)
        return -1;
    if (settled)
        remember(d, known, stamp, out);
    return 0;
}

/* One file of that name, whole, and its digest is what it should be. */
static int inspect(int dir, const char *digest, struct err *e)
{
    auto_close int fd = openat(dir, RELEASE_AGENT, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char found[RELEASE_NAME_SIZE];
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(e, "the release that was sent");
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return err_set(e, ERR_CONFIG, "the release that was sent is not a file");
    if (digest_of(found, fd, e) < 0)
        return -1;
    if (strcmp(found, digest) != 0)
        return err_set(e, ERR_CONFIG, "the release that was sent is %.12s, and not %.12s", found,
                       digest);
    if (fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0 || fsync(fd) < 0)
        return err_sys(e, "the release that was sent");
    return 0;
}

int release_dir_accept(const struct release_dir *d, const char *digest, struct err *e)
{
    auto_free char *sent = mem_printf(".%s.new", digest);
    auto_free char *old = mem_printf("%s/%s", d->path, digest);
    auto_close int dir = openat(d->fd, sent, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char found[RELEASE_NAME_SIZE];

    /* Sent earlier, by a run that ended before it was made current. */
    if (dir < 0 && errno == ENOENT && release_dir_digest(found, d, digest, e) == 0 &&
        strcmp(found, digest) == 0)
        return 0;
    if (dir < 0)
        return err_sys(e, "the release that was sent");
    if (inspect(dir, digest, e) < 0)
        return -1;
    /* One of that name may be current: there is one at every moment. */
    bool there = fs_exists(old);
    unsigned flags = there ? RENAME_EXCHANGE : 0;
    if (fchmod(dir, 0755) < 0 || renameat2(d->fd, sent, d->fd, digest, flags) < 0 ||
        fsync(d->fd) < 0)
        return err_sys(e, "the release that was sent");
    auto_free char *rest = mem_printf("%s/%s", d->path, sent);
    return there ? fs_remove_tree(rest, e) : 0;
}

bool release_dir_waits(const struct release_dir *d)
{
    return d->fd >= 0 && faccessat(d->fd, RELEASE_WAITS, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

char *release_dir_why_bad(const struct release_dir *d, const char *digest)
{
    auto_free char *path = mem_printf("%s/" RELEASE_BAD "/%s", d->path, digest);
    char *text = NULL;
    struct err e;

    if (d->fd < 0 || !fs_exists(path))
        return NULL;
    return fs_read(&text, NULL, path, WHY_MAX, &e) < 0 ? mem_strdup("it was put back") : text;
}

struct node *release_dir_bad(const struct release_dir *d)
{
    auto_free char *path = fs_join(d->path, RELEASE_BAD);
    struct node *all = node_new_map();
    auto_strv struct strv names = {0};
    struct err e;

    if (d->fd < 0 || !fs_exists(path) || fs_list(&names, path, &e) < 0)
        return all;
    for (size_t i = 0; i < names.count && i < LIST_MAX; i++) {
        auto_free char *why = release_dir_why_bad(d, names.items[i]);

        if (why && release_is_digest(names.items[i]))
            node_set_text(all, names.items[i], why);
    }
    return all;
}

/* What another run, which waits for the lock, may just have sent. */
static bool is_fresh(const struct release_dir *d, const char *name)
{
    struct stat st;

    return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_mtime > time(NULL) - FRESH_S;
}

void release_dir_tidy(const struct release_dir *d)
{
    static const char *const links[] = {RELEASE_CURRENT, RELEASE_PREVIOUS, RELEASE_BEFORE};
    char kept[ARRAY_LEN(links)][RELEASE_NAME_SIZE];
    auto_strv struct strv names = {0};
    struct err e;

    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        release_read(kept[i], d->fd, links[i]);
    if (fs_list(&names, d->path, &e) < 0)
        return;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        auto_free char *path = fs_join(d->path, name);
        bool sent = name[0] == '.' && strlen(name) == RELEASE_NAME_SIZE - 1 + 5;
        bool keep = sent ? is_fresh(d, name) : !release_is_digest(name);

        for (size_t k = 0; k < ARRAY_LEN(links); k++)
            keep = keep || strcmp(name, kept[k]) == 0;
        if (!keep && fs_remove_tree(path, &e) < 0)
            err_drop(&e, "taking away an old release");
    }
}
