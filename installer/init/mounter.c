/* SPDX-License-Identifier: MIT */
#include "init/mounter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/mem.h"
#include "init/init.h"

enum {
    PACKET_MAX = 1024,
    NAME_LEN_MAX = 80,
    FUSE_MAJOR = 10,
    FUSE_MINOR = 229,
    LOOP_MAJOR = 7,
    LOOP_CONTROL_MINOR = 237,
    LOOP_TRIES = 20,
    RECEIVE_MS = 2000,
    BACKLOG = 64,
};

#define DOCKER_FOLDER ".docker"
static const char FUSE_DEVICE[] = "/dev/fuse";

struct request {
    int folder; /* O_PATH of the folder */
    bool ext4;
    char *verb, *name, *rest;
    int fd; /* sent along, or -1 */
};

/* ---- what it may be asked for ---- */

/* A name in a folder, as volumes have them, and no way out of it. */
static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(name);

    return len > 0 && len <= NAME_LEN_MAX && strspn(name, allowed) == len &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, DOCKER_FOLDER) != 0;
}

/* The path of an open file for calls that take none: what it is cannot be changed meanwhile. */
static void path_of(char *out, size_t size, int fd)
{
    snprintf(out, size, "/proc/self/fd/%d", fd);
}

/* A regular file in the folder, whatever is mounted on it. */
static int open_file(const struct request *q, int flags)
{
    int fd = openat(q->folder, q->name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

static int open_mount_point(const struct request *q)
{
    int folder = openat(q->folder, DOCKER_FOLDER, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int fd =
        folder < 0 ? -1 : openat(folder, q->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int why = errno;

    if (folder >= 0)
        close(folder);
    errno = why;
    return fd;
}

/* ---- FUSE ---- */

static bool is_fuse_device(int fd)
{
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == makedev(FUSE_MAJOR, FUSE_MINOR);
}

/* The options that may be asked for; what the mount is and whose is not among them. */
static void take_options(char *out, size_t size, char *asked)
{
    static const char read_max[] = "max_read=";
    char *rest = NULL;
    size_t at = strlen(out);

    for (char *o = strtok_r(asked, ",", &rest); o; o = strtok_r(NULL, ",", &rest)) {
        const char *number =
            strncmp(o, read_max, strlen(read_max)) == 0 ? o + strlen(read_max) : NULL;
        bool fine = strcmp(o, "allow_other") == 0 || strcmp(o, "default_permissions") == 0 ||
                    (number && *number && strlen(number) < 10 &&
                     strspn(number, "0123456789") == strlen(number));

        if (fine && at + strlen(o) + 2 < size)
            at += (size_t)snprintf(out + at, size - at, ",%s", o);
    }
}

static int mount_fuse(const struct request *q)
{
    char options[PACKET_MAX], path[64];
    int target, r;

    if (!is_fuse_device(q->fd))
        return EINVAL;
    target = open_file(q, O_PATH);
    if (target < 0)
        return errno;
    path_of(path, sizeof(path), target);
    snprintf(options, sizeof(options), "fd=%d,rootmode=%o,user_id=0,group_id=0", q->fd,
             (unsigned)S_IFREG);
    take_options(options, sizeof(options), q->rest);
    r = mount(FUSE_DEVICE, path, "fuse", MS_NOSUID | MS_NODEV, options) < 0 ? errno : 0;
    close(target);
    return r;
}

/* ---- a file system in a file ---- */

/* Its name is there for no longer than it takes to open it; others may write to /dev, so what was
 * opened is looked at. */
static int open_device(mode_t kind, dev_t number)
{
    char path[64];
    struct stat st;
    int fd;

    snprintf(path, sizeof(path), "/dev/.slipway-%d", (int)getpid());
    unlink(path);
    if (mknod(path, kind | 0600, number) < 0)
        return -1;
    fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    unlink(path);
    if (fd >= 0 && (fstat(fd, &st) < 0 || (st.st_mode & S_IFMT) != kind || st.st_rdev != number)) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

/* A loop device on the file, gone by itself when nobody uses it any more. */
static int open_loop(int file, const char *name)
{
    struct loop_config c = {.fd = (unsigned)file,
                            .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO};
    int control = open_device(S_IFCHR, makedev(FUSE_MAJOR, LOOP_CONTROL_MINOR)), device = -1;
    int why;

    snprintf((char *)c.info.lo_file_name, sizeof(c.info.lo_file_name), "%s", name);
    for (int i = 0; control >= 0 && i < LOOP_TRIES; i++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);

        device = number < 0 ? -1 : open_device(S_IFBLK, makedev(LOOP_MAJOR, (unsigned)number));
        if (device < 0 || ioctl(device, LOOP_CONFIGURE, &c) == 0)
            break;
        why = errno;
        close(device);
        device = -1;
        errno = why;
        if (why != EBUSY) /* else somebody else was faster */
            break;
    }
    if (control >= 0)
        close(control);
    return device;
}

static int mount_ext4(const struct request *q)
{
    struct statfs fs;
    char from[64], to[64];
    int r, target, file, device;

    if (!q->ext4)
        return EPERM;
    target = open_mount_point(q);
    file = target < 0 ? -1 : open_file(q, O_RDWR);
    if (file < 0)
        return errno;
    /* Only what is served as a volume: nothing that lies in the folder. */
    if (fstatfs(file, &fs) < 0 || fs.f_type != FUSE_SUPER_MAGIC)
        return EINVAL;
    device = open_loop(file, q->name);
    if (device < 0)
        return errno;
    path_of(from, sizeof(from), device);
    path_of(to, sizeof(to), target);
    r = mount(from, to, "ext4", MS_NOSUID | MS_NODEV, "") < 0 ? errno : 0;
    close(device);
    return r;
}

/* ---- taking away ---- */

/* MNT_* may not be given for a path that ends in a link, so the last step is one without. */
static int take_away(int folder, const struct request *q)
{
    int flags = UMOUNT_NOFOLLOW | (strchr(q->rest, 'f') ? MNT_FORCE : 0) |
                (strchr(q->rest, 'l') ? MNT_DETACH : 0);

    if (folder < 0 || fchdir(folder) < 0)
        return errno;
    return umount2(q->name, flags) < 0 ? errno : 0;
}

static int carry_out(const struct request *q)
{
    if (!is_name(q->name))
        return EINVAL;
    if (strcmp(q->verb, "fuse") == 0)
        return mount_fuse(q);
    if (strcmp(q->verb, "unmount") == 0)
        return take_away(q->folder, q);
    if (strcmp(q->verb, "ext4") == 0)
        return mount_ext4(q);
    if (strcmp(q->verb, "leave") == 0)
        return take_away(
            openat(q->folder, DOCKER_FOLDER, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), q);
    return ENOSYS;
}

/* ---- the process ---- */

static int receive(struct request *q, char *packet, int client)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec v = {.iov_base = packet, .iov_len = PACKET_MAX - 1};
    struct msghdr m = {.msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof(control.bytes)};
    struct pollfd p = {.fd = client, .events = POLLIN};
    const struct cmsghdr *c;
    char *rest = NULL;
    ssize_t n;

    if (poll(&p, 1, RECEIVE_MS) <= 0)
        return -1;
    n = recvmsg(client, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n <= 0 || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return -1;
    packet[n] = '\0';
    c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&q->fd, CMSG_DATA(c), sizeof(int));
    q->verb = strtok_r(packet, " ", &rest);
    q->name = strtok_r(NULL, " ", &rest);
    q->rest = rest;
    return q->verb && q->name && q->rest ? 0 : -1;
}

/* A process for each: one that waits for storage keeps no other waiting. */
static _Noreturn void answer(struct request *q, int client)
{
    char packet[PACKET_MAX], text[16];
    int r = receive(q, packet, client) < 0 ? EPROTO : carry_out(q);

    snprintf(text, sizeof(text), "%d", r);
    send(client, text, strlen(text), MSG_NOSIGNAL);
    _exit(0);
}

static _Noreturn void serve(int listener, struct request *q)
{
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        pid_t pid = client < 0 ? -1 : fork();

        if (pid == 0)
            answer(q, client);
        if (client >= 0)
            close(client);
        else if (errno != EINTR && errno != ECONNABORTED)
            _exit(1);
    }
}

static _Noreturn void run(int listener, const char *folder, const char *kinds)
{
    struct request q = {.fd = -1, .ext4 = kinds && strstr(kinds, "ext4")};
    sigset_t all;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    /* It serves until nothing else is left: PID 1 leaves last, and takes it along. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_IGN);
    dup2(listener, 3);
    close_range(4, ~0U, 0);
    q.folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (q.folder < 0 ||
        confine_keep(1ULL << CAP_SYS_ADMIN | 1ULL << CAP_MKNOD | 1ULL << CAP_DAC_OVERRIDE) < 0)
        _exit(1);
    serve(3, &q);
}

static int listen_for_requests(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = MOUNTER_SOCKET};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    int r;

    unlink(MOUNTER_SOCKET);
    r = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&a, sizeof(a));
    umask(mask);
    if (r == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Makes the root file system read-only for everything in this container, so that nobody changes
 * what the next start gives the capability to. Here, because a container that Docker makes
 * read-only takes no link (plan/body.c). What stays is the agent's: its link, what it keeps, and
 * the releases of it, which are started only when the capability is given up. */
static int seal_root(void)
{
    static const struct {
        const char *path;
        unsigned long flags;
    } kept[] = {
        {"/etc/slipway", MS_NOEXEC},
        {"/var/lib/slipway", MS_NOEXEC},
        {"/usr/lib/slipway/releases", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        const char *path = kept[i].path;
        unsigned long flags = MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | kept[i].flags;

        if (mkdir(path, 0755) < 0 && errno == EROFS)
            continue;
        if (mount(path, path, NULL, MS_BIND, NULL) < 0 || mount(NULL, path, NULL, flags, NULL) < 0)
            return -1;
    }
    return mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}

int mounter_start(int *pidfd)
{
    const char *folder = getenv(CONFINE_FOLDER_ENV);
    int listener;
    long pid;

    *pidfd = -1;
    if (!folder || !confine_can_mount())
        return 0;
    if (seal_root() < 0) {
        spawn_say("making the root file system read-only: %s", strerror(errno));
        return -1;
    }
    listener = listen_for_requests();
    /* No signal at its end: as a child it would be waited for, and the container never end. */
    pid = listener < 0 ? -1 : syscall(SYS_clone, 0UL, 0UL, 0UL, 0UL, 0UL);
    if (pid == 0)
        run(listener, folder, getenv(CONFINE_KINDS_ENV));
    if (listener >= 0)
        close(listener);
    if (pid < 0 || (*pidfd = pidfd_open((pid_t)pid, 0)) < 0) {
        spawn_say("the helper that mounts: %s", strerror(errno));
        return -1;
    }
    fcntl(*pidfd, F_SETFD, FD_CLOEXEC);
    if (confine() < 0) {
        spawn_say("giving up the right to mount: %s", strerror(errno));
        return -1;
    }
    return 0;
}
