/* SPDX-License-Identifier: MIT */
/* Operations that are one call of the Engine API. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "plan/object.h"
#include "plan/host_dir.h"
#include "plan/run.h"
#include "plan/volumes_made.h"

enum {
    DRAIN_OUTPUT_MAX = 64 << 10,
    DRAIN_TRIES = 5,
    DRAIN_AGAIN_MS = 2000,
    DRAIN_WAKES_MS =
        60 * 1000,       /* until the agent of a container that was started for it is there */
    ENDED_STATUS = 143,  /* of a hook whose container ended: SIGTERM, and */
    KILLED_STATUS = 137, /* SIGKILL */
    STOP_GRACE_S = 60,
    LINK_MODE = 0400
};

#define DRAIN_HINT                                                                                 \
    "%s is not removed, because its data could not be moved away (to keep it, let it have its "    \
    "place in `instances` again; if it is lost for good: `slipway -e %s remove --force %s`, then " \
    "the same command again)"
static const char LINK_PATH[] = "/etc/slipway/link";
static const char SNAPSHOT_PATH[] = "/etc/slipway/snapshot.json";

static int may_go_on(const struct worker *w, struct err *e)
{
    const struct execute_guard *guard = &w->r->o->guard;

    return guard->ask ? guard->ask(guard->arg, e) : 0;
}

int op_run(struct worker *w, const struct op *op, struct err *e)
{
    static int (*const RUN[])(struct worker *, const struct op *, struct err *) = {
#define OP(kind, sign, noun, verb, side, run, traits) [OP_KIND_##kind] = run,
#include "plan/ops.def"
#undef OP
    };

    return may_go_on(w, e) < 0 ? -1 : RUN[op->kind](w, op, e);
}

int op_wait(struct worker *w, const struct op *op, struct err *e)
{
    (void)w;
    return err_set(e, ERR_SYS, "no worker may %s %s: waits are polled", op_verb(op->kind),
                   op->target);
}

/* Of an operation that takes its time. */
struct progress {
    struct run *r;
    const struct op *op;
};

static void on_build_line(void *arg, const char *text)
{
    const struct progress *b = arg;

    run_detail(b->r, b->op, text);
}

int op_image_build(struct worker *w, const struct op *op, struct err *e)
{
    const struct manifest *m = op->component->spec->manifest;
    struct images_component c = {.name = m->name,
                                 .image = m->image,
                                 .dir = m->dir,
                                 .is_controller = m->role == MANIFEST_ROLE_CONTROLLER};
    struct progress b = {.r = w->r, .op = op};
    struct engine_progress p = {.line = on_build_line, .arg = &b};

    return images_build(w->g, w->r->o->images, &c, &p, e);
}

int op_network_create(struct worker *w, const struct op *op, struct err *e)
{
    auto_node struct node *body = desired_network_body(w->r->plan->desired);
    auto_free char *id = NULL;

    (void)op;
    return engine_network_create(&id, w->g, body, e);
}

int op_volume_create(struct worker *w, const struct op *op, struct err *e)
{
    auto_node struct node *body =
        desired_volume_body(w->r->plan->desired, op->instance, op->number);
    struct err none;

    if (volumes_made_add(w->r->o->folder, op->target, e) < 0)
        return -1;
    if (engine_volume_create(w->g, body, e) == 0)
        return 0;
    /* Docker said no: it was not made, and nobody is to miss it. */
    if (!err_retryable(e) && e->code != ERR_INTERRUPTED && e->code != ERR_TIMEOUT &&
        volumes_made_forget(w->r->o->folder, op->target, &none) < 0)
        err_drop(&none, "a volume that was not made is remembered");
    return -1;
}

/* The folder of the operator from which a read-only container reads its link. */
static char *link_dir(const struct run *r, const char *instance)
{
    return mem_printf("%s/links/%s", r->o->folder, instance);
}

int op_instance_create(struct worker *w, const struct op *op, struct err *e)
{
    auto_free char *id = NULL;
    auto_free char *dir = link_dir(w->r, op->target);

    /* Docker takes no mount of what is not there. */
    if (op->instance->spec->manifest->run.read_only && fs_mkdirs(dir, 0700, e) < 0)
        return -1;
    return engine_container_create(&id, w->g, op->instance->container, op->instance->body, e);
}

static int write_link_file(const struct run *r, const struct op *op, const char *link,
                           struct err *e)
{
    auto_free char *dir = link_dir(r, op->target);
    auto_free char *path = fs_join(dir, "link");
    struct fs_write_opts o = {.mode = LINK_MODE, .uid = (uid_t)-1, .gid = (gid_t)-1};

    return fs_write(path, link, strlen(link), &o, e);
}

int op_link_put(struct worker *w, const struct op *op, struct err *e)
{
    const struct desired *d = w->r->plan->desired;
    const struct manifest *m = op->instance->spec->manifest;
    auto_wipe char *link = NULL;
    auto_wipe char *snapshot = NULL;
    struct engine_file files[2] = {{.path = LINK_PATH, .mode = LINK_MODE},
                                   {.path = SNAPSHOT_PATH, .mode = LINK_MODE}};
    size_t count = 1;

    if (desired_link(&link, d, op->target, e) < 0)
        return -1;
    if (m->run.read_only)
        return write_link_file(w->r, op, link, e);
    files[0].data = link;
    files[0].len = strlen(link);
    if (strcmp(m->name, ETCD_COMPONENT) == 0) {
        if (desired_snapshot(&snapshot, d, op->instance, e) < 0)
            return -1;
        files[1].data = snapshot;
        files[1].len = strlen(snapshot);
        count = 2;
    }
    return engine_container_put(w->g, op->object, files, count, e);
}

int op_link_send(struct worker *w, const struct op *op, struct err *e)
{
    auto_wipe char *link = NULL;
    auto_wipe char *line = NULL;

    if (desired_link(&link, w->r->plan->desired, op->target, e) < 0)
        return -1;
    line = mem_printf("%s\n", link);
    if (engine_container_send(w->g, op->object, line, strlen(line), e) == 0)
        return 0;
    if (e->code != ERR_CONFLICT)
        return -1;
    err_drop(e, "the container is just starting again");
    return op_link_put(w, op, e);
}

int op_instance_start(struct worker *w, const struct op *op, struct err *e)
{
    const struct manifest *m = op->instance ? op->instance->spec->manifest : NULL;

    if (m && m->run.host_dir && m->run.shared_mount) {
        auto_free char *path = host_dir_path(w->r->plan->env, op->target);

        if (host_dir_share(path, e) < 0)
            return -1;
    }
    return engine_container_start(w->g, op->object, e);
}

int op_instance_stop(struct worker *w, const struct op *op, struct err *e)
{
    int64_t grace = STOP_GRACE_S;

    if (op->instance)
        grace = op->instance->spec->manifest->stop_grace_ms / 1000 + 5;
    if (engine_container_stop(w->g, op->object, (int)grace, e) < 0) {
        if (e->code != ERR_NOTFOUND)
            return -1;
        err_drop(e, "stopping what is gone");
    }
    return 0;
}

int op_instance_rename(struct worker *w, const struct op *op, struct err *e)
{
    return engine_container_rename(w->g, op->object, op->rename_to, e);
}

int op_instance_remove(struct worker *w, const struct op *op, struct err *e)
{
    return engine_container_remove(w->g, op->object, true, e);
}

/* The agent of a container that has just started has not read its configuration yet, or not even
 * the container runs. */
static bool is_waking(int result, const struct buf *out, const struct err *e)
{
    return result < 0 ? e->code == ERR_CONFLICT
                      : strstr(buf_str(out), "environment of hooks") != NULL;
}

/* The last line says how far it is. */
static void on_drain_output(void *arg, const char *text, size_t len)
{
    const struct progress *d = arg;
    auto_free char *said = mem_strndup(text, len);
    char *line;

    for (len = strlen(said); len && said[len - 1] == '\n';)
        said[--len] = '\0';
    line = strrchr(said, '\n');
    if (len)
        run_detail(d->r, d->op, line ? line + 1 : said);
}

int op_instance_drain(struct worker *w, const struct op *op, struct err *e)
{
    static const char *const ARGV[] = {IMAGES_AGENT, "hook", "drain", NULL};
    auto_buf struct buf out = {0};
    struct progress told = {.r = w->r, .op = op};
    struct engine_exec x = {.argv = ARGV,
                            .out = &out,
                            .err = &out,
                            .held = true,
                            .heard = on_drain_output,
                            .arg = &told};
    int64_t wakes = clock_deadline(DRAIN_WAKES_MS);
    int status = 0;

    buf_init(&out, DRAIN_OUTPUT_MAX);
    for (int tries = 1;; tries++) {
        int r = engine_exec_run(&status, w->g, op->object, &x, e);

        if (r == 0 && status == 0)
            return 0;
        if (tries == 1 && is_waking(r, &out, e) && !clock_passed(wakes) &&
            !until_is_cancelled(w->r->until))
            tries = 0;
        else if (r < 0 && (tries == 1 || tries == DRAIN_TRIES || until_is_aborted(w->r->until)))
            return err_wrap(e, DRAIN_HINT, op->target, w->r->plan->env, op->target);
        /* A monitor ends when it is taken out of the map, and its container with this hook; asked
         * again, the restarted container says whether that was it. */
        else if (r == 0 && (tries == DRAIN_TRIES ||
                            (tries == 1 && status != KILLED_STATUS && status != ENDED_STATUS)))
            break;
        if (r < 0)
            err_drop(e, "asking the restarted container");
        buf_reset(&out);
        until_sleep_ms(w->r->until, DRAIN_AGAIN_MS);
    }
    err_set(e, ERR_REMOTE, "hook drain ended with status %d: %.500s", status, buf_str(&out));
    return err_wrap(e, DRAIN_HINT, op->target, w->r->plan->env, op->target);
}

int op_network_remove(struct worker *w, const struct op *op, struct err *e)
{
    return engine_network_remove(w->g, op->object, e);
}

int op_volume_remove(struct worker *w, const struct op *op, struct err *e)
{
    if (op->object && engine_volume_remove(w->g, op->object, e) < 0)
        return -1;
    if (volumes_made_forget(w->r->o->folder, op->target, e) == 0)
        return 0;
    if (!w->r->o->unwritten)
        return -1;
    err_drop(e, "the volume is gone, and its name is still remembered");
    return 0;
}

int op_home_remove(struct worker *w, const struct op *op, struct err *e)
{
    const char *folder = w->r->o->folder;

    (void)op;
    if (secret_remove_key(folder, e) < 0)
        return -1;
    return fs_remove_tree(folder, e);
}

int op_roll_back(struct worker *w, const struct op *op, struct err *e)
{
    auto_free char *aside = mem_printf("%s" OBJECT_ASIDE, op->object);
    auto_node struct node *inspect = NULL;

    if (may_go_on(w, e) < 0)
        return -1;
    if (engine_container_inspect(&inspect, w->g, aside, e) == 0) {
        if (engine_container_remove(w->g, op->object, true, e) < 0 ||
            engine_container_rename(w->g, aside, op->object, e) < 0)
            return -1;
    } else if (e->code != ERR_NOTFOUND) {
        return -1;
    } else {
        err_drop(e, "the old container was stopped, and not yet set aside");
    }
    return engine_container_start(w->g, op->object, e);
}
