/* SPDX-License-Identifier: MIT */
/*
 * The built-in module fuse: what this host and the containers need so that a mount made in a
 * container is seen here. It looks at the host and at Docker, and needs no environment; where there
 * is one with such a component, its containers and mounts are looked at too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "check/modules.h"
#include "plan/object.h"
#include "plan/host_dir.h"

enum { TEXT_MAX = 4 << 20 };

static const char FALLBACK[] =
    "; without it `slipway volume mount NAME DIR` mounts a volume through the QEMU driver's socket";

static char *read_text(const char *path)
{
    char *text = NULL;
    struct err e;

    if (fs_read(&text, NULL, path, TEXT_MAX, &e) < 0) {
        err_drop(&e, "what the host has");
        return mem_strdup("");
    }
    return text;
}

/* "nodev\tfuse" or "\text4" as a line of /proc/filesystems. */
static bool has_filesystem(const char *text, const char *name)
{
    auto_strv struct strv words = {0};

    strv_split(&words, text, "\t\n");
    return strv_has(&words, name);
}

static void check_kernel(struct check *c)
{
    auto_free char *text = read_text("/proc/filesystems");

    if (has_filesystem(text, "fuse"))
        check_add(c, "fuse.kernel", CHECK_SUCCESS, NULL, "the kernel knows FUSE");
    else
        check_add(c, "fuse.kernel", CHECK_FAILED,
                  "modprobe fuse; echo fuse >/etc/modules-load.d/fuse.conf makes it last",
                  "the kernel does not know FUSE: the module fuse is not loaded%s", FALLBACK);
}

static void check_device(struct check *c)
{
    struct stat st;

    if (stat("/dev/fuse", &st) == 0 && S_ISCHR(st.st_mode))
        check_add(c, "fuse.device", CHECK_SUCCESS, NULL, "/dev/fuse is there");
    else
        check_add(c, "fuse.device", CHECK_FAILED,
                  "modprobe fuse makes it; inside a virtual machine's container: mknod /dev/fuse c "
                  "10 229",
                  "there is no device /dev/fuse, and Docker starts no container that wants it%s",
                  FALLBACK);
}

static void check_loop(struct check *c)
{
    if (fs_exists("/dev/loop-control"))
        check_add(c, "fuse.loop", CHECK_SUCCESS, NULL,
                  "loop devices are there: file systems in volumes, and Docker's volumes");
    else
        check_add(c, "fuse.loop", CHECK_WARNING,
                  "modprobe loop; echo loop >/etc/modules-load.d/loop.conf makes it last",
                  "there is no /dev/loop-control: volumes are files, but no file system in one can "
                  "be mounted, and Docker has no volumes of ours");
}

/* Root needs no permission; another user's mount is his alone without the word. */
static void check_allow_other(struct check *c)
{
    auto_free char *text = read_text("/etc/fuse.conf");
    auto_strv struct strv lines = {0};

    strv_split(&lines, text, " \t\r\n");
    if (geteuid() == 0)
        check_add(c, "fuse.user_allow_other", CHECK_SUCCESS, NULL,
                  "the driver mounts as root and needs no user_allow_other");
    else if (strv_has(&lines, "user_allow_other"))
        check_add(c, "fuse.user_allow_other", CHECK_SUCCESS, NULL,
                  "/etc/fuse.conf has user_allow_other");
    else
        check_add(c, "fuse.user_allow_other", CHECK_WARNING,
                  "echo user_allow_other >>/etc/fuse.conf, or run as root",
                  "/etc/fuse.conf lacks user_allow_other: what `slipway volume mount VOLUME DIR` "
                  "mounts for this user nobody else sees");
}

static bool has_option(const struct node *info, const char *name)
{
    const struct node *options = node_get(info, "SecurityOptions"), *n;

    node_for_each (n, options) {
        if (n->text && strncmp(n->text, name, strlen(name)) == 0)
            return true;
    }
    return false;
}

static void check_engine(struct check *c, struct engine *g)
{
    auto_node struct node *info = NULL;
    struct err e;

    if (engine_info(&info, g, &e) < 0) {
        check_add(c, "fuse.engine", CHECK_EXCEPTION, NULL, "%s", e.msg);
        return;
    }
    if (has_option(info, "name=rootless") || has_option(info, "name=userns"))
        check_add(c, "fuse.engine", CHECK_FAILED,
                  "use a Docker that runs as root and without --userns-remap for this component",
                  "Docker gives containers a user namespace of their own, where SYS_ADMIN is not "
                  "the host's: no mount of theirs reaches it%s",
                  FALLBACK);
    else
        check_add(c, "fuse.engine", CHECK_SUCCESS, NULL,
                  "Docker can give a container the capability SYS_ADMIN%s",
                  has_option(info, "name=apparmor") ? "; AppArmor is set aside for the driver"
                                                    : "");
}

/* ---- one instance ---- */

static bool list_has(const struct node *list, const char *word)
{
    const struct node *n;

    node_for_each (n, list) {
        if (n->text && strcmp(n->text, word) == 0)
            return true;
    }
    return false;
}

static void check_rights(struct check *c, const char *instance, const struct node *host)
{
    const struct node *devices = node_get(host, "Devices"), *d;
    bool device = node_get_bool(host, "Privileged", false), capable = device;

    capable = capable || list_has(node_get(host, "CapAdd"), "SYS_ADMIN") ||
              list_has(node_get(host, "CapAdd"), "CAP_SYS_ADMIN");
    node_for_each (d, devices) {
        const char *path = node_get_text(d, "PathOnHost");

        device = device || (path && strcmp(path, "/dev/fuse") == 0);
    }
    if (capable && device)
        check_add(c, "fuse.rights", CHECK_SUCCESS, NULL,
                  "%s has SYS_ADMIN and /dev/fuse, and is not privileged", instance);
    else
        check_add(c, "fuse.rights", CHECK_FAILED,
                  "`slipway up` makes the container as its manifest says", "%s lacks %s%s%s",
                  instance, capable ? "" : "the capability SYS_ADMIN",
                  !capable && !device ? " and " : "", device ? "" : "the device /dev/fuse");
}

/* After a restart of the machine nobody has made the folder a mount of its own, and where / is
 * private, as it is without systemd, Docker does not start the container. */
static void check_propagation(struct check *c, const char *instance, bool running)
{
    auto_free char *path = host_dir_path(c->env->name, instance);
    auto_free char *mounts = read_text("/proc/self/mountinfo");

    if (host_dir_is_shared(mounts, path))
        check_add(c, "fuse.propagation", CHECK_SUCCESS, NULL, "%s is on a shared mount", path);
    else
        check_add(c, "fuse.propagation", CHECK_FAILED,
                  running ? "`slipway restart` of the instance, as root, makes it so"
                          : "`slipway up`, as root, makes it so and starts the instance; mount "
                            "--make-rshared / at each start of the machine makes it last",
                  "%s is on a private mount: %s", path,
                  running ? "what the container mounts is not seen here"
                          : "Docker does not start the container");
}

/* What the driver serves must be here; what is here must answer. */
static void check_mounts(struct check *c, const char *instance)
{
    auto_free char *folder = host_dir_path(c->env->name, instance);
    auto_strv struct strv names = {0};
    auto_free char *mounts = read_text("/proc/self/mounts");
    size_t stale = 0, good = 0;
    struct err e;

    if (fs_list(&names, folder, &e) < 0) {
        check_add(c, "fuse.mounts", CHECK_FAILED, "`slipway up`, as root, makes it",
                  "%s cannot be listed: %s", folder, e.msg);
        return;
    }
    for (size_t i = 0; i < names.count; i++) {
        auto_free char *path = fs_join(folder, names.items[i]);
        auto_free char *entry = mem_printf(" %s fuse", path);
        struct stat st;

        if (!strstr(mounts, entry))
            continue;
        if (lstat(path, &st) == 0) {
            good++;
            continue;
        }
        stale++;
        check_add(c, "fuse.mounts", CHECK_FAILED,
                  "umount -l of it, then `slipway restart` of the instance", "%s is stale: %s",
                  path, strerror(errno));
    }
    if (stale == 0)
        check_add(c, "fuse.mounts", CHECK_SUCCESS, NULL, "%zu file%s of %s seen here, all answer",
                  good, good == 1 ? "" : "s", instance);
}

static void check_instance(struct check *c, struct engine *g, const struct node *container)
{
    const char *instance = object_label(container, LABEL_INSTANCE);
    const char *id = node_get_text(container, "Id"), *state = node_get_text(container, "State");
    bool running = state && strcmp(state, "running") == 0;
    auto_node struct node *n = NULL;
    struct err e;

    if (!instance || !id)
        return;
    if (engine_container_inspect(&n, g, id, &e) < 0) {
        check_add(c, "fuse.rights", CHECK_EXCEPTION, NULL, "%s", e.msg);
        return;
    }
    check_rights(c, instance, node_get(n, "HostConfig"));
    check_propagation(c, instance, running);
    if (running)
        check_mounts(c, instance);
    else
        check_add(c, "fuse.mounts", CHECK_FAILED, "`slipway up` starts it", "%s does not run%s",
                  instance, FALLBACK);
}

static void check_drivers(struct check *c, struct engine *g)
{
    const struct node *container;
    size_t count = 0;

    node_for_each (container, c->env->containers) {
        const char *component = object_label(container, LABEL_COMPONENT);
        const struct manifest *m = component ? catalog_find(c->env->catalog, component) : NULL;

        if (!m || !m->run.shared_mount)
            continue;
        check_instance(c, g, container);
        count++;
    }
    if (count == 0)
        check_add(c, "fuse.instances", CHECK_SKIPPED, NULL,
                  "no component here mounts anything on the host; volumedriver-fuse would");
    else if (c->pick)
        check_add(c, "fuse.instances", CHECK_SUCCESS, NULL, "%zu that mount on the host", count);
}

static void check_fuse(struct check *c)
{
    struct engine *g = NULL;
    struct err e;

    check_kernel(c);
    check_device(c);
    check_loop(c);
    check_allow_other(c);
    if (engine_clone(&g, c->env->engine, &e) < 0) {
        check_add(c, "fuse.engine", CHECK_EXCEPTION, NULL, "%s", e.msg);
        return;
    }
    check_engine(c, g);
    check_drivers(c, g);
    engine_close(g);
}

/* The environment shows mounts on the host. */
static bool applies(const struct check *c)
{
    const struct node *row;

    node_for_each (row, node_get(c->status, "instances")) {
        const struct manifest *m = catalog_find(c->env->catalog, node_get_text(row, "component"));

        if (m && m->run.shared_mount)
            return true;
    }
    return false;
}

static const char *const tests[] = {"kernel", "device",      "loop",   "user_allow_other", "engine",
                                    "rights", "propagation", "mounts", "instances",        NULL};
const struct check_module check_module_fuse = {
    .name = "fuse", .tests = tests, .applies = applies, .probe = true, .run = check_fuse};
