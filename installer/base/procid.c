/* SPDX-License-Identifier: MIT */
#include "base/procid.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"

enum {
    TEXT_MAX = 64 * 1024,
    /* include/linux/sched.h; field 9 of /proc/PID/stat shows it. */
    FLAG_EXITING = 0x4,
};

int procid_parse_stat(struct procid_stat *out, const char *text)
{
    /* The name in field 2 may hold anything, brackets and blanks too. */
    const char *rest = strrchr(text, ')');
    char *save = NULL, *end, *word;
    auto_free char *copy = NULL;

    *out = (struct procid_stat){0};
    if (!rest)
        return -1;
    copy = mem_strdup(rest + 1);
    word = strtok_r(copy, " \n", &save);
    for (int field = 3; word && field <= 22; field++) {
        uint64_t n = strtoull(word, &end, 10);

        if (field == 3)
            out->state = *word;
        else if (*end)
            return -1;
        else if (field == 9)
            out->flags = (unsigned)n;
        else if (field == 20)
            out->threads = (int64_t)n;
        else if (field == 22) {
            out->start = n;
            return 0;
        }
        word = strtok_r(NULL, " \n", &save);
    }
    return -1;
}

static int read_stat(struct procid_stat *out, int64_t pid)
{
    auto_free char *path = mem_printf("/proc/%" PRId64 "/stat", pid);
    auto_free char *text = NULL;
    struct err ignored;

    if (fs_read(&text, NULL, path, TEXT_MAX, &ignored) < 0)
        return -1;
    return procid_parse_stat(out, text);
}

/* SIGKILL was sent to it and it has not yet got so far as to be on its way out. */
static bool is_killed(int64_t pid)
{
    auto_free char *path = mem_printf("/proc/%" PRId64 "/status", pid);
    auto_free char *text = NULL;
    struct err ignored;
    const char *pending;

    if (fs_read(&text, NULL, path, TEXT_MAX, &ignored) < 0)
        return false;
    pending = strstr(text, "\nSigPnd:");
    return pending &&
           strtoull(pending + strlen("\nSigPnd:"), NULL, 16) & (UINT64_C(1) << (SIGKILL - 1));
}

static void read_boot(struct procid *p)
{
    auto_free char *text = NULL;
    struct err ignored;

    if (fs_read(&text, NULL, "/proc/sys/kernel/random/boot_id", TEXT_MAX, &ignored) < 0)
        return;
    text[strcspn(text, "\n")] = '\0';
    if (strlen(text) < sizeof(p->boot))
        memcpy(p->boot, text, strlen(text) + 1);
}

/* /proc may be one that was mounted for another pid namespace: then its numbers are not ours. */
static bool is_proc_ours(void)
{
    char name[32] = "";

    return readlink("/proc/self", name, sizeof(name) - 1) > 0 &&
           strtoll(name, NULL, 10) == getpid();
}

static void read_namespaces(struct procid *p)
{
    char pid[40] = "", time[40] = "";

    if (!is_proc_ours() || readlink("/proc/self/ns/pid", pid, sizeof(pid) - 1) <= 0)
        return;
    /* Kernels before 5.6 have none; start times are told by it. */
    if (readlink("/proc/self/ns/time", time, sizeof(time) - 1) < 0)
        time[0] = '\0';
    snprintf(p->namespaces, sizeof(p->namespaces), "%s %s", pid, time);
}

void procid_self(struct procid *out)
{
    struct procid_stat stat;

    *out = (struct procid){.pid = getpid()};
    read_boot(out);
    read_namespaces(out);
    if (read_stat(&stat, out->pid) == 0)
        out->start = stat.start;
}

enum procid_fate procid_look(const struct procid *p)
{
    struct procid_stat stat;
    struct procid self;

    procid_self(&self);
    if (p->pid <= 0 || p->pid > INT32_MAX || p->start == 0 || !*p->boot || !*p->namespaces ||
        strcmp(p->boot, self.boot) != 0 || strcmp(p->namespaces, self.namespaces) != 0)
        return PROCID_UNKNOWN;
    /* Not from /proc, which may hide the processes of others (hidepid). */
    if (kill((pid_t)p->pid, 0) < 0 && errno == ESRCH)
        return PROCID_GONE;
    if (read_stat(&stat, p->pid) < 0)
        return PROCID_UNKNOWN;
    if (stat.start != p->start)
        return PROCID_GONE;
    /* Nobody has fetched its status yet. A first thread that ended alone looks the same but for
     * the count. */
    if (stat.state == 'X' || (stat.state == 'Z' && stat.threads <= 1))
        return PROCID_GONE;
    return stat.flags & FLAG_EXITING || is_killed(p->pid) ? PROCID_ENDING : PROCID_ALIVE;
}
