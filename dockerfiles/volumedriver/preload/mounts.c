/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into qemu-storage-daemon: libfuse mounts by asking the one process of the container
 * that may (installer/init/mounter.h). Everything that is not a FUSE mount on a file of /export
 * goes to the kernel, which refuses it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef int mount_fn(const char *source, const char *target, const char *type, unsigned long flags,
                     const void *data);
typedef int umount2_fn(const char *target, int flags);

static const char SOCKET[] = "/run/slipway-mount", FOLDER[] = "/export/";

/* The answer of the helper, an errno; -1: there is none. */
static int ask(const char *request, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {{0}};
    struct iovec v = {.iov_base = (void *)(uintptr_t)request, .iov_len = strlen(request)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char text[16] = "";
    int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        control.aligned = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(&control.aligned), &fd, sizeof fd);
    }
    strcpy(a.sun_path, SOCKET);
    if (s >= 0 && connect(s, (const struct sockaddr *)&a, sizeof a) == 0 &&
        sendmsg(s, &m, MSG_NOSIGNAL) > 0)
        (void)!recv(s, text, sizeof text - 1, 0);
    if (s >= 0)
        close(s);
    return *text ? atoi(text) : -1;
}

static int result(int answer)
{
    errno = answer < 0 ? ECONNREFUSED : answer;
    return answer ? -1 : 0;
}

static const char *name_of(const char *target)
{
    return target && strncmp(target, FOLDER, sizeof FOLDER - 1) == 0 ? target + sizeof FOLDER - 1
                                                                     : NULL;
}

int mount(const char *source, const char *target, const char *type, unsigned long flags,
          const void *data)
{
    const char *name = name_of(target), *options = data ? data : "", *fd = strstr(options, "fd=");
    char request[1024];
    mount_fn *next;

    if (name && type && strncmp(type, "fuse", 4) == 0 && fd &&
        snprintf(request, sizeof request, "fuse %s %s", name, options) < (int)sizeof request)
        return result(ask(request, atoi(fd + 3)));
    next = (mount_fn *)dlsym(RTLD_NEXT, "mount");
    return next(source, target, type, flags, data);
}

int umount2(const char *target, int flags)
{
    const char *name = name_of(target);
    char request[1024];
    umount2_fn *next;

    if (name &&
        snprintf(request, sizeof request, "unmount %s %s%s", name, flags & MNT_FORCE ? "f" : "",
                 flags & MNT_DETACH ? "l" : "") < (int)sizeof request)
        return result(ask(request, -1));
    next = (umount2_fn *)dlsym(RTLD_NEXT, "umount2");
    return next(target, flags);
}
