/* SPDX-License-Identifier: MIT */
#include "cmd/volume_loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/strv.h"

enum { POLL_MS = 20, LINE_MAX_BYTES = 8192 };

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

int volume_loop_wait(const char *file, int64_t deadline, struct err *e)
{
    for (;;) {
        auto_free char *device = find(file);

        if (!device)
            return 0;
        if (clock_passed(deadline))
            return err_set(e, ERR_CONFLICT,
                           "/dev/%s still uses %s: somebody has it open, or its file system is "
                           "mounted in another mount namespace too (`findmnt -S /dev/%s`, `lsns "
                           "-t mnt`); the same command again goes on",
                           device, file, device);
        clock_sleep_ms(POLL_MS);
    }
}
