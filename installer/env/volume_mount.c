/* SPDX-License-Identifier: MIT */
/*
 * A volume's file system on this machine. A driver
 * that shows files here has the file already. With the QEMU driver, whose container mounts nothing,
 * a qemu-storage-daemon of this machine makes the file from the driver's socket: the way out where
 * a container's mounts do not reach the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "env/volume_attach.h"
#include "env/volume_format.h"
#include "env/volume_loop.h"
#include "env/volume_mounted.h"
#include "plan/host_dir.h"

enum { TOOL_MS = 60000, END_MS = 20000, POLL_MS = 50, OUTPUT_MAX = 16384 };

/* Makes the place and waits for who works there: another run, or the
 * mkfs of one that was killed. */
static int lock_place(int *fd, const struct volume_place *p, struct err *e)
{
    struct until until = until_within(p->until, TOOL_MS);

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
        if (until_is_cancelled(until))
            return err_set(e, ERR_INTERRUPTED, "interrupted; nothing was changed");
        if (until_passed(until))
            return err_set(e, ERR_CONFLICT,
                           "another run mounts or unmounts the volume on this machine, or its mkfs "
                           "has not ended");
        until_sleep_ms(until, POLL_MS);
    }
}

/* Runs a tool of the machine; what it says is the error. */
static int tool(const struct volume_place *p, const char *const *argv, struct err *e)
{
    auto_buf struct buf out = {0};
    struct proc_opts o = {.argv = argv,
                          .deadline = until_within(p->until, TOOL_MS).deadline,
                          .cancel = p->until.cancel,
                          .out = &out,
                          .err = &out};
    int status = 0;

    buf_init(&out, OUTPUT_MAX);
    if (proc_run(&status, &o, e) < 0)
        return -1;
    while (out.len && out.data[out.len - 1] == '\n')
        out.data[--out.len] = '\0';
    return status == 0 ? 0
                       : err_set(e, ERR_SYS, "%s: %s", argv[0],
                                 out.len ? buf_str(&out) : "it failed with no output");
}

static int write_text(const char *path, const char *text, struct err *e)
{
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};

    return fs_write(path, text, strlen(text), &o, e);
}

/* ---- the file ---- */

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

static int start_helper(const struct volume_place *p, const char *volume, const char *socket,
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
    const char *argv[] = {
        VOLUME_PLACE_HELPER, "--daemonize", "--pidfile", p->pid, "--blockdev", node,
        "--export",          export,        NULL};

    if (write_text(p->file, "", e) < 0)
        return -1;
    if (tool(p, argv, e) == 0)
        return 0;
    if (e->code == ERR_NOTFOUND)
        return err_set(e, ERR_NOTFOUND,
                       "this machine has no %s, which makes the file; it is in the package "
                       "qemu-utils or qemu-system-common",
                       VOLUME_PLACE_HELPER);
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
static int find_file(int *out, const struct volume_place *p, const struct volume_run *r,
                     const struct node *attached, struct err *e)
{
    bool read_only = node_get_bool(attached, "read_only", false);
    int flags = read_only ? O_RDONLY : O_RDWR;
    const char *instance = node_get_text(attached, "instance");
    const char *volume = node_get_text(attached, "volume");
    auto_free char *folder = host_dir_path(r->env->name, instance);
    auto_free char *socket = fs_join(folder, "nbd.sock");
    struct stat st;

    if (host_dir_open(out, r->env->name, instance, volume, flags, e) == 0)
        return 0;
    if (e->sys != ENOENT)
        return -1;
    if (lstat(socket, &st) < 0 || !S_ISSOCK(st.st_mode))
        return err_set(e, ERR_CONFLICT,
                       "volume %s is attached to %s, which shows this machine neither a file nor "
                       "an NBD socket; `slipway volume move %s --to qemu` first",
                       volume, instance, volume);
    if (start_helper(p, volume, socket, read_only, e) < 0)
        return -1;
    *out = open(p->file, flags | O_NOFOLLOW | O_CLOEXEC);
    return *out < 0 ? err_sys(e, "cannot open %s", p->file) : 0;
}

/* What others wrote there makes nobody root. */
static int mount_file(const struct volume_place *p, int file, const char *dir, bool read_only,
                      struct err *e)
{
    auto_free char *device = NULL;
    auto_close int held = -1;
    const char *mount[] = {"mount", "-o", read_only ? "nosuid,nodev,ro" : "nosuid,nodev",
                           NULL,    dir,  NULL};

    if (fs_mkdirs(dir, 0755, e) < 0 || volume_loop_attach(&held, &device, file, read_only, e) < 0)
        return -1;
    mount[3] = device;
    return tool(p, mount, e);
}

/* ---- the end ---- */

static int stop_helper(const struct volume_place *p, struct until until, struct err *e)
{
    pid_t pid = volume_place_helper(p);

    /* The last writes of a file system go through the helper. */
    if (pid && volume_loop_wait(p->file, until, e) < 0)
        return -1;
    if (pid && kill(pid, SIGTERM) < 0 && errno != ESRCH)
        return err_sys(e, "ending %s %d", VOLUME_PLACE_HELPER, (int)pid);
    while (pid && volume_place_helper(p) == pid) {
        if (until_is_cancelled(until))
            return err_set(e, ERR_INTERRUPTED, "interrupted while %s %d ends", VOLUME_PLACE_HELPER,
                           (int)pid);
        if (until_passed(until))
            return err_set(e, ERR_TIMEOUT, "%s %d does not end", VOLUME_PLACE_HELPER, (int)pid);
        until_sleep_ms(until, POLL_MS);
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
        if (node_text_is(a, "volume", volume) && !node_get_bool(a, "detaching", false))
            return a;
    }
    return NULL;
}

static int detach_after(struct volume_run *r, const struct volume_place *p, const char *volume,
                        struct err *e)
{
    if (!fs_exists(p->attached))
        return 0;
    if (volume_run_read(r, e) < 0)
        return -1;
    return attachment(r, volume) ? volume_detach_step(r, volume, e) : 0;
}

static void forget(const struct volume_place *p)
{
    struct err e;

    if (fs_remove_tree(p->dir, &e) < 0)
        err_drop(&e, "what a mount left");
}

/* True when nothing is left of it. */
static bool take_back(struct volume_run *r, const struct volume_place *p, const char *volume)
{
    struct err e;

    volume_run_close(r); /* a step that failed: others may have the lock */
    /* Also after a cancel, which is why there is a mount to take back. */
    if (stop_helper(p, until_in(END_MS, NULL), &e) < 0 || detach_after(r, p, volume, &e) < 0) {
        err_drop(&e, "taking the mount back");
        return false;
    }
    forget(p);
    return true;
}

/* ---- mount ---- */

/* What to mount, where. */
struct mount {
    const char *volume, *dir, *to;
    struct volume_place place;
    int held; /* the place's lock */
};

/* Attached already, or now, to a driver that has a socket here. */
static int need_attached(struct volume_run *r, const struct mount *m, struct err *e)
{
    struct volume_attach_step attach = {.to = m->to ? m->to : "qemu", .keep_marks = true};
    auto_strv struct strv names = {0};
    const struct node *a;
    auto_free char *instance = NULL;
    struct node *volume;

    strv_add(&names, m->volume);
    if (volume_find(&volume, &r->maps, m->volume, e) < 0)
        return -1;
    a = attachment(r, m->volume);
    if (a && !fs_exists(m->place.attached))
        return 0;
    /* A mount that was killed attached it there, and may not have waited until it was served. */
    if (a)
        attach.to = instance = mem_strdup(node_get_text(a, "instance"));
    /* Written before it is done: killed in between, an unmount still knows. */
    if (write_text(m->place.attached, "yes\n", e) < 0 ||
        volume_attach_step(r, &names, &attach, e) < 0)
        return -1;
    return volume_run_read(r, e);
}

/* Attached, a file, formatted, mounted. */
static int carry_out(struct volume_run *r, const struct mount *m, struct err *e)
{
    struct volume_format f = {.name = m->volume, .held = m->held};
    auto_free char *path = NULL;
    auto_close int file = -1;
    const struct node *a;

    /* What a run before left that was killed. */
    if (stop_helper(&m->place, until_within(r->env->until, END_MS), e) < 0 ||
        need_attached(r, m, e) < 0)
        return -1;
    a = attachment(r, m->volume);
    if (!a)
        return err_set(e, ERR_CONFLICT, "volume %s was detached meanwhile", m->volume);
    if (refuse_docker(r, a, e) < 0 || find_file(&file, &m->place, r, a, e) < 0)
        return -1;
    /* By this name for the tools too, which inherit it. */
    (void)fcntl(file, F_SETFD, 0);
    f.file = path = mem_printf("/proc/self/fd/%d", file);
    f.read_only = node_get_bool(a, "read_only", false);
    /* The place before the mount: killed in between, an unmount still finds what there is. */
    return write_text(m->place.target, m->dir, e) < 0 || volume_format(r, &f, e) < 0
               ? -1
               : mount_file(&m->place, file, m->dir, f.read_only, e);
}

static int mount_volume(struct volume_run *r, const struct mount *m, struct err *e)
{
    auto_free char *there = NULL;
    bool changed = r->env->changed;

    if (volume_run_read(r, e) < 0)
        return -1;
    there = volume_place_target(&m->place);
    if (there && volume_loop_is_mounted(there)) {
        if (strcmp(there, m->dir) != 0)
            return err_set(e, ERR_CONFLICT,
                           "volume %s is mounted on %s; `slipway volume unmount %s` first",
                           m->volume, there, m->volume);
        if (r->options->already)
            strv_add(r->options->already, m->volume);
        return 0;
    }
    r->env->changed = true;
    if (carry_out(r, m, e) == 0)
        return 0;
    if (take_back(r, &m->place, m->volume))
        r->env->changed = changed;
    return -1;
}

int env_volume_mount(struct env *env, const char *name, const char *dir, const char *to,
                     const struct volume_options *o, struct err *e)
{
    auto_volume_run struct volume_run run;
    auto_close int lock = -1;
    struct mount m = {.volume = name, .dir = dir, .to = to};
    int r = -1;

    volume_run_init(&run, env, o);
    if (dir[0] != '/')
        return err_set(e, ERR_USAGE, "%s: the folder is named from / on", dir);
    if (volume_check_name("volume", name, e) < 0) /* it becomes part of a path */
        return -1;
    volume_place_init(&m.place, env->name, name);
    m.place.until = env->until;
    if (lock_place(&lock, &m.place, e) == 0) {
        m.held = lock;
        r = mount_volume(&run, &m, e);
    }
    volume_place_clear(&m.place);
    return r;
}

/* ---- unmount ---- */

/* Its driver, key or environment may be gone: nothing on this machine needs them for that. */
static int end_mount(struct volume_run *r, const struct volume_place *p, const char *name,
                     struct err *e)
{
    struct err away;

    if (stop_helper(p, until_within(r->env->until, END_MS), e) < 0)
        return -1;
    if (fs_exists(p->attached) && env_need(r->env, ENV_VOLUMES_NEEDS, &away) < 0)
        log_warn("volume %s is unmounted and was not detached: %s", name, away.msg);
    else if (detach_after(r, p, name, e) < 0)
        return -1;
    forget(p);
    return 0;
}

/* A volume that is there is unmounted then; who mistyped its name wants to know. */
static int not_mounted(struct volume_run *r, const char *name, struct err *e)
{
    struct node *volume;

    if (env_need(r->env, ENV_VOLUMES_NEEDS, e) < 0 || volume_run_read(r, e) < 0 ||
        volume_find(&volume, &r->maps, name, e) < 0)
        return -1;
    if (r->options->already)
        strv_add(r->options->already, name);
    return 0;
}

int env_volume_unmount(struct env *env, const char *name, const struct volume_options *o,
                       struct err *e)
{
    auto_volume_run struct volume_run r;
    auto_free char *dir = NULL;
    auto_volume_place struct volume_place p;
    auto_close int lock = -1;

    volume_run_init(&r, env, o);
    volume_place_init(&p, env->name, name);
    p.until = env->until;
    if (volume_check_name("volume", name, e) < 0)
        return -1;
    if (fs_exists(p.dir) && lock_place(&lock, &p, e) < 0)
        return -1;
    dir = volume_place_target(&p);
    if (!dir && lock < 0)
        return not_mounted(&r, name, e);
    /* A run that was killed before mount(2) left the folder's name: what is there is not ours. */
    if (dir && volume_loop_is_mounted(dir)) {
        if (umount2(dir, 0) == 0)
            env->changed = true;
        else if (errno != EINVAL && errno != ENOENT)
            return errno == EBUSY ? err_set(e, ERR_CONFLICT, "%s is in use", dir)
                                  : err_sys(e, "unmounting %s", dir);
    }
    return end_mount(&r, &p, name, e);
}
