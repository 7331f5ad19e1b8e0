/* SPDX-License-Identifier: MIT */
#include "env/volume_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/strv.h"

enum { POLL_MS = 20, LINE_MAX_BYTES = 8192, ATTACH_TRIES = 20 };

static bool is_behind(const char *file, const char *device)
{
    auto_free char *path = mem_printf("/sys/block/%s/loop/backing_file", device);
    auto_free char *text = NULL;
    struct err none;

    if (strncmp(device, "loop", 4) != 0 || fs_read(&text, NULL, path, LINE_MAX_BYTES, &none) < 0)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return strcmp(text, file) == 0;
}

/* The device with the file behind it, owned; NULL: there is none. */
static char *find(const char *file)
{
    auto_strv struct strv devices = {0};
    struct err none;

    if (fs_list(&devices, "/sys/block", &none) < 0)
        return NULL; /* no sysfs, no loop devices of ours */
    for (size_t i = 0; i < devices.count; i++) {
        if (is_behind(file, devices.items[i]))
            return mem_strdup(devices.items[i]);
    }
    return NULL;
}

/* One try: ERR_CONFLICT when somebody else took the same free device. */
static int attach_free(int *held, char **device, int control, const struct loop_config *config,
                       struct err *e)
{
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    auto_free char *path = mem_printf("/dev/loop%d", number);
    auto_close int fd = number < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return err_sys(e, "opening a loop device");
    if (ioctl(fd, LOOP_CONFIGURE, config) < 0)
        return errno == EBUSY ? err_set(e, ERR_CONFLICT, "%s is taken", path)
                              : err_sys(e, "putting a file behind %s", path);
    *held = fd;
    fd = -1;
    *device = steal(path);
    return 0;
}

int volume_loop_attach(int *held, char **device, int file, bool read_only, struct err *e)
{
    auto_close int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    struct loop_config config = {.fd = (unsigned)file};
    int r;

    if (control < 0)
        return err_sys(e, "this machine has no loop devices (module loop): /dev/loop-control");
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0);
    for (int left = ATTACH_TRIES; left > 0; left--) {
        r = attach_free(held, device, control, &config, e);
        if (r == 0 || e->code != ERR_CONFLICT)
            return r;
    }
    return -1;
}

bool volume_loop_is_mounted(const char *dir)
{
    auto_free char *above = mem_printf("%s/..", dir);
    struct stat st, parent;

    return stat(dir, &st) == 0 && stat(above, &parent) == 0 && st.st_dev != parent.st_dev &&
           major(st.st_dev) == LOOP_MAJOR;
}

int volume_loop_wait(const char *file, struct until until, struct err *e)
{
    for (;;) {
        auto_free char *device = find(file);

        if (!device)
            return 0;
        if (until_is_cancelled(until))
            return err_set(e, ERR_INTERRUPTED, "interrupted while /dev/%s still uses %s", device,
                           file);
        if (until_passed(until))
            return err_set(e, ERR_CONFLICT,
                           "/dev/%s still uses %s: somebody has it open, or its file system is "
                           "mounted in another mount namespace too (`findmnt -S /dev/%s`, `lsns "
                           "-t mnt`); the same command again goes on",
                           device, file, device);
        until_sleep_ms(until, POLL_MS);
    }
}
