/* SPDX-License-Identifier: MIT */
/*
 * volume mount, volume unmount: a volume's file system on this machine by one command. A driver
 * that shows files here has the file already. With the QEMU driver, whose container mounts nothing,
 * a qemu-storage-daemon of this machine makes the file from the driver's socket: the way out where
 * a container's mounts do not reach the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "cmd/volume_attach.h"
#include "cmd/volume_format.h"
#include "cmd/volume_loop.h"
#include "plan/host_dir.h"

#define STATE_ROOT "/run/slipway/mounts"

enum { TOOL_MS = 60000, END_MS = 20000, POLL_MS = 50, OUTPUT_MAX = 16384, LOOP_MAJOR = 7 };

static const char HELPER[] = "qemu-storage-daemon";

/* What one mount leaves in /run/slipway/mounts/<env>/<volume>/. */
struct place {
    char *dir;      /* that folder */
    char *file;     /* where the helper shows the volume */
    char *pid;      /* of the helper; not there without one */
    char *target;   /* text: where it is mounted */
    char *attached; /* there when the mount attached the volume, so the unmount detaches it */
};

static void place_clear(struct place *p)
{
    free(p->dir);
    free(p->file);
    free(p->pid);
    free(p->target);
    free(p->attached);
}
#define auto_place __attribute__((cleanup(place_clear)))

static void place_init(struct place *p, const char *env, const char *volume)
{
    p->dir = mem_printf("%s/%s/%s", STATE_ROOT, env, volume);
    p->file = fs_join(p->dir, "disk");
    p->pid = fs_join(p->dir, "pid");
    p->target = fs_join(p->dir, "target");
    p->attached = fs_join(p->dir, "attached");
}

/* Makes the place and waits for who works there: another run, or the mkfs of one that was killed.
 */
static int lock_place(int *fd, const struct place *p, struct err *e)
{
    int64_t end = clock_deadline(TOOL_MS);

    for (;;) {
        auto_close int dir = -1;
        struct stat mine, now;

        if (fs_mkdirs(p->dir, 0700, e) < 0)
            return -1;
        dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0 && errno != ENOENT)
            return err_sys(e, "cannot open %s", p->dir);
        /* Whoever had it may have removed it at the end. */
        if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0 && fstat(dir, &mine) == 0 &&
            stat(p->dir, &now) == 0 && mine.st_ino == now.st_ino) {
            *fd = dir;
            dir = -1;
            return 0;
        }
        if (clock_passed(end))
            return err_set(e, ERR_CONFLICT,
                           "another run mounts or unmounts the volume on this machine, or its mkfs "
                           "has not ended");
        clock_sleep_ms(POLL_MS);
    }
}

/* A file system in a file begins at this folder. */
static bool is_mounted(const char *dir)
{
    auto_free char *above = mem_printf("%s/..", dir);
    struct stat st, parent;

    return stat(dir, &st) == 0 && stat(above, &parent) == 0 && st.st_dev != parent.st_dev &&
           major(st.st_dev) == LOOP_MAJOR;
}

/* Runs a tool of the machine; what it says is the error. */
static int tool(const char *const *argv, struct err *e)
{
    auto_buf struct buf out = {0};
    struct proc_opts o = {
        .argv = argv, .deadline = clock_deadline(TOOL_MS), .out = &out, .err = &out};
    int status = 0;

    buf_init(&out, OUTPUT_MAX);
    if (proc_run(&status, &o, e) < 0)
        return -1;
    while (out.len && out.data[out.len - 1] == '\n')
        out.data[--out.len] = '\0';
    return status == 0 ? 0
                       : err_set(e, ERR_SYS, "%s: %s", argv[0],
                                 out.len ? buf_str(&out) : "it failed without a word");
}

static int write_text(const char *path, const char *text, struct err *e)
{
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};

    return fs_write(path, text, strlen(text), &o, e);
}

/* ---- the file --------------------------------------------------------------------------------
 */

/* A value inside qemu's list of options: a comma is written twice. */
static char *quote(const char *text)
{
    auto_buf struct buf b = {0};

    buf_init(&b, OUTPUT_MAX);
    for (; *text; text++) {
        buf_putc(&b, *text);
        if (*text == ',')
            buf_putc(&b, ',');
    }
    return mem_strdup(buf_str(&b));
}

static int start_helper(const struct place *p, const char *volume, const char *socket,
                        bool read_only, struct err *e)
{
    auto_free char *path = quote(socket);
    auto_free char *file = quote(p->file);
    auto_free char *node =
        mem_printf("driver=nbd,node-name=disk,export=%s,server.type=unix,server.path=%s,"
                   "reconnect-delay=30,discard=unmap,cache.direct=on,read-only=%s",
                   volume, path, read_only ? "on" : "off");
    auto_free char *export =
        mem_printf("type=fuse,id=file,node-name=disk,mountpoint=%s,writable=%s,allow-other=off",
                   file, read_only ? "off" : "on");
    const char *argv[] = {HELPER, "--daemonize", "--pidfile", p->pid, "--blockdev",
                          node,   "--export",    export,      NULL};

    if (write_text(p->file, "", e) < 0)
        return -1;
    if (tool(argv, e) == 0)
        return 0;
    if (e->code == ERR_NOTFOUND)
        return err_set(e, ERR_NOTFOUND,
                       "this machine has no %s, which makes the file; it is in the package "
                       "qemu-utils or qemu-system-common",
                       HELPER);
    return err_wrap(e, "showing the volume as a file");
}

/* A file system has one user. */
static int refuse_docker(const struct volume_run *r, const struct node *attached, struct err *e)
{
    const char *volume = node_get_text(attached, "volume");
    const struct spec_instance *i = spec_instance(r->spec, node_get_text(attached, "instance"));
    const struct node *served = i ? spec_value(r->spec, i, "volumes") : NULL;

    return node_get_bool(node_get(served, volume), "docker", false)
               ? err_set(e, ERR_CONFLICT, "volume %s is in use by containers of Docker", volume)
               : 0;
}

/* Where the volume is a file: the driver's own, or one that the helper makes of its socket. */
static int find_file(char **out, const struct place *p, const struct volume_run *r,
                     const struct node *attached, struct err *e)
{
    const char *instance = node_get_text(attached, "instance");
    const char *volume = node_get_text(attached, "volume");
    auto_free char *folder = host_dir_path(r->x->env, instance);
    auto_free char *file = fs_join(folder, volume);
    auto_free char *socket = fs_join(folder, "nbd.sock");
    struct stat st;

    if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        *out = steal(file);
        return 0;
    }
    if (stat(socket, &st) < 0 || !S_ISSOCK(st.st_mode))
        return err_set(e, ERR_CONFLICT,
                       "volume %s is attached to %s, which shows this machine neither a file nor "
                       "an NBD socket; `slipway volume move %s --to qemu` first",
                       volume, instance, volume);
    if (start_helper(p, volume, socket, node_get_bool(attached, "read_only", false), e) < 0)
        return -1;
    *out = mem_strdup(p->file);
    return 0;
}

static int mount_file(const char *file, const char *dir, bool read_only, struct err *e)
{
    const char *mount[] = {"mount", "-o", read_only ? "loop,ro" : "loop", file, dir, NULL};

    return fs_mkdirs(dir, 0755, e) < 0 ? -1 : tool(mount, e);
}

/* ---- the end ---------------------------------------------------------------------------------
 */

static char *read_word(const char *path)
{
    char *text = NULL;
    struct err e;

    if (fs_read(&text, NULL, path, OUTPUT_MAX, &e) < 0)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* A number that the pid file says and that is the helper indeed. */
static pid_t helper_pid(const struct place *p)
{
    auto_free char *text = read_word(p->pid);
    long pid = text ? strtol(text, NULL, 10) : 0;
    auto_free char *link = mem_printf("/proc/%ld/exe", pid);
    char exe[256] = "";

    if (pid <= 1 || readlink(link, exe, sizeof(exe) - 1) < 0 || !strstr(exe, HELPER))
        return 0;
    return (pid_t)pid;
}

static int stop_helper(const struct place *p, struct err *e)
{
    pid_t pid = helper_pid(p);
    int64_t end = clock_deadline(END_MS);

    /* The last writes of a file system go through the helper. */
    if (pid && volume_loop_wait(p->file, end, e) < 0)
        return -1;
    if (pid && kill(pid, SIGTERM) < 0 && errno != ESRCH)
        return err_sys(e, "ending %s %d", HELPER, (int)pid);
    while (pid && helper_pid(p) == pid) {
        if (clock_passed(end))
            return err_set(e, ERR_TIMEOUT, "%s %d does not end", HELPER, (int)pid);
        clock_sleep_ms(POLL_MS);
    }
    /* After a helper that was killed the file is a mount that nobody serves. */
    if (umount2(p->file, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
        return err_sys(e, "unmounting %s", p->file);
    return 0;
}

static const struct node *attachment(const struct volume_run *r, const char *volume)
{
    const struct node *a;

    node_for_each (a, r->attached) {
        if (strcmp(node_get_text(a, "volume"), volume) == 0)
            return a;
    }
    return NULL;
}

static int detach_after(struct volume_run *r, const struct place *p, const char *volume,
                        struct err *e)
{
    return fs_exists(p->attached) && attachment(r, volume)
               ? volume_detach_from(r, volume, NULL, VOLUME_DETACH_ASKED, e)
               : 0;
}

static void forget(const struct place *p)
{
    struct err e;

    if (fs_remove_tree(p->dir, &e) < 0)
        err_drop(&e, "what a mount left");
}

static void take_back(struct volume_run *r, const struct place *p, const char *volume)
{
    struct err e;

    if (stop_helper(p, &e) < 0)
        err_drop(&e, "taking the mount back");
    else if (volume_run_again(r, &e) < 0 || detach_after(r, p, volume, &e) < 0)
        err_drop(&e, "taking the mount back");
    else
        forget(p);
}

/* ---- mount ------------------------------------------------------------------------------------
 */

/* Attached already, or now, to a driver that has a socket here. */
static int need_attached(struct volume_run *r, const struct place *p, const struct strv *names,
                         const char *to, struct err *e)
{
    struct volume_attach_many a = {.names = names, .to = to ? to : "qemu"};
    struct node *volume;

    if (volume_find(&volume, &r->maps, names->items[0], e) < 0)
        return -1;
    if (attachment(r, names->items[0]))
        return 0;
    /* The word before the deed: killed in between, `volume unmount` still knows. */
    if (write_text(p->attached, "yes\n", e) < 0 || volume_attach_many(r, &a, e) < 0)
        return -1;
    return volume_run_again(r, e);
}

struct mount_options {
    struct volume_options common;
    const char *to;
};

/* Attached, a file, formatted, mounted. */
static int bring_about(struct volume_run *r, const struct mount_options *o, const struct place *p,
                       const struct volume_format *what, const char *dir, struct err *e)
{
    auto_free char *name = mem_strdup(what->name), *file = NULL;
    char *items[] = {name, NULL};
    struct strv names = {.items = items, .count = 1};
    struct volume_format f = *what;
    const struct node *a;

    /* What a run before left that was killed. */
    if (stop_helper(p, e) < 0 || need_attached(r, p, &names, o->to, e) < 0)
        return -1;
    a = attachment(r, name);
    if (!a || refuse_docker(r, a, e) < 0 || find_file(&file, p, r, a, e) < 0)
        return a ? -1 : err_set(e, ERR_CONFLICT, "volume %s was detached meanwhile", name);
    f.file = file;
    f.read_only = node_get_bool(a, "read_only", false);
    /* The place before the mount: killed in between, `volume unmount` still finds what there is. */
    return write_text(p->target, dir, e) < 0 || volume_format(r, &f, e) < 0
               ? -1
               : mount_file(file, dir, f.read_only, e);
}

static int mount_volume(struct volume_run *r, const struct mount_options *o,
                        const struct strv *words, struct err *e)
{
    const char *name = words->items[0], *dir = words->items[1];
    auto_free char *there = NULL;
    auto_place struct place p;
    auto_close int lock = -1;
    struct volume_format f = {.name = name};

    place_init(&p, r->x->env, name);
    if (dir[0] != '/')
        return err_set(e, ERR_USAGE, "%s: the folder is named from / on", dir);
    if (lock_place(&lock, &p, e) < 0 || volume_run_again(r, e) < 0)
        return -1;
    there = read_word(p.target);
    if (there && is_mounted(there))
        return strcmp(there, dir) == 0
                   ? 0
                   : err_set(e, ERR_CONFLICT,
                             "volume %s is mounted on %s; `slipway volume unmount %s` first", name,
                             there, name);
    f.held = lock;
    if (bring_about(r, o, &p, &f, dir, e) == 0)
        return 0;
    take_back(r, &p, name);
    return -1;
}

static int need_root(const char *what, struct err *e)
{
    return geteuid() == 0 ? 0 : err_set(e, ERR_USAGE, "%s: only root mounts", what);
}

static int run_mount(struct cmd_context *x, void *opts, const struct strv *words, struct err *e)
{
    const struct mount_options *o = opts;
    struct strv names = {.items = words->items, .count = 1};
    struct volume_run r;
    int result;

    if (need_root("volume mount", e) < 0)
        return -1;
    result = volume_run_open(&r, x, &o->common, e);
    if (result == 0)
        result = mount_volume(&r, o, words, e);
    if (result == 0)
        volume_run_say(&r, &names, "mounted");
    volume_run_close(&r);
    return result;
}

static const struct opt_spec mount_specs[] = {
    {"to", 0, OPT_STRING, "DRIVER", "when nobody serves it: the driver to attach it to (qemu)",
     offsetof(struct mount_options, to)},
    VOLUME_OPTIONS(mount_options),
    {0},
};

static const struct opt_example mount_examples[] = {
    {"slipway volume mount disk /mnt/disk", "attached to the QEMU driver, formatted when blank"},
    {"slipway volume unmount disk", "and let go of again"},
    {0},
};

const struct cmd cmd_volume_mount = {
    .help = {.name = "volume mount",
             .summary = "mount a volume's file system on this machine",
             .args = "VOLUME DIR",
             .details = "Works where the mounts of containers do not reach this machine: "
                        "qemu-storage-daemon makes a file of the QEMU driver's socket here. A "
                        "volume that holds nothing gets an ext4 file system; one that holds "
                        "anything else is left as it is. Killed at any point, the same command "
                        "goes on where it was.",
             .options = mount_specs,
             .examples = mount_examples,
             .group = "Volumes"},
    .options_size = sizeof(struct mount_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_mount,
};

/* ---- unmount ----------------------------------------------------------------------------------
 */

static int unmount_volume(struct volume_run *r, const char *name, struct err *e)
{
    auto_free char *dir = NULL;
    auto_place struct place p;
    auto_close int lock = -1;

    place_init(&p, r->x->env, name);
    if (fs_exists(p.dir) && lock_place(&lock, &p, e) < 0)
        return -1;
    dir = read_word(p.target);
    if (!dir)
        return err_set(e, ERR_NOTFOUND,
                       "volume %s is not mounted on this machine by `slipway "
                       "volume mount`",
                       name);
    if (umount2(dir, 0) < 0 && errno != EINVAL && errno != ENOENT)
        return errno == EBUSY ? err_set(e, ERR_CONFLICT, "%s is in use", dir)
                              : err_sys(e, "unmounting %s", dir);
    if (stop_helper(&p, e) < 0 || detach_after(r, &p, name, e) < 0)
        return -1;
    forget(&p);
    return 0;
}

static int run_unmount(struct cmd_context *x, void *opts, const struct strv *words, struct err *e)
{
    const struct mount_options *o = opts;
    struct volume_run r;
    int result;

    if (need_root("volume unmount", e) < 0)
        return -1;
    result = volume_run_open(&r, x, &o->common, e);
    if (result == 0)
        result = unmount_volume(&r, words->items[0], e);
    if (result == 0)
        volume_run_say(&r, words, "unmounted");
    volume_run_close(&r);
    return result;
}

static const struct opt_spec unmount_specs[] = {
    VOLUME_OPTIONS(mount_options),
    {0},
};

const struct cmd cmd_volume_unmount = {
    .help = {.name = "volume unmount",
             .summary = "end a `volume mount`, and detach the volume when that attached it",
             .args = "VOLUME",
             .options = unmount_specs,
             .group = "Volumes"},
    .options_size = sizeof(struct mount_options),
    .needs = VOLUME_NEEDS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_unmount,
};
