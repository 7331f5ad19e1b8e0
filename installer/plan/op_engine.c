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
#include "base/sig.h"
#include "plan/connect.h"
#include "plan/host_dir.h"
#include "plan/run.h"

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
    "%s is not removed, because its data could not be moved away (if it is lost for good: "        \
    "`docker rm -f %s`, then the same command again)"
static const char LINK_PATH[] = "/etc/slipway/link";
static const char SNAPSHOT_PATH[] = "/etc/slipway/snapshot.json";

int op_run(struct worker *w, const struct op *op, struct err *e)
{
    static int (*const RUN[])(struct worker *, const struct op *, struct err *) = {
        [OP_KIND_IMAGE_BUILD] = op_image_build,
        [OP_KIND_NETWORK_CREATE] = op_network_create,
        [OP_KIND_VOLUME_CREATE] = op_volume_create,
        [OP_KIND_INSTANCE_CREATE] = op_instance_create,
        [OP_KIND_LINK_PUT] = op_link_put,
        [OP_KIND_LINK_SEND] = op_link_send,
        [OP_KIND_INSTANCE_START] = op_instance_start,
        [OP_KIND_LOCK_TAKE] = op_lock_take,
        [OP_KIND_ROLE_ENSURE] = op_role_ensure,
        [OP_KIND_USER_ENSURE] = op_user_ensure,
        [OP_KIND_KEYS_PUSH] = op_keys_push,
        [OP_KIND_SPEC_PUSH] = op_spec_push,
        [OP_KIND_INSTANCE_STOP] = op_instance_stop,
        [OP_KIND_INSTANCE_RENAME] = op_instance_rename,
        [OP_KIND_INSTANCE_DRAIN] = op_instance_drain,
        [OP_KIND_INSTANCE_REMOVE] = op_instance_remove,
        [OP_KIND_KEYS_REMOVE] = op_keys_remove,
        [OP_KIND_NETWORK_REMOVE] = op_network_remove,
        [OP_KIND_VOLUME_REMOVE] = op_volume_remove,
        [OP_KIND_HOME_REMOVE] = op_home_remove,
        [OP_KIND_COUNT] = NULL,
    };

    if (!RUN[op->kind])
        return err_set(e, ERR_SYS, "nothing runs operations of the kind %s", op_verb(op->kind));
    return RUN[op->kind](w, op, e);
}

struct build_progress {
    struct run *r;
    const struct op *op;
};

static void on_build_line(void *arg, const char *text)
{
    const struct build_progress *b = arg;

    run_detail(b->r, b->op, text);
}

int op_image_build(struct worker *w, const struct op *op, struct err *e)
{
    const struct manifest *m = op->component->spec->manifest;
    struct images_component c = {.name = m->name, .image = m->image, .dir = m->dir};
    struct build_progress b = {.r = w->r, .op = op};
    struct engine_progress p = {.line = on_build_line, .arg = &b, .deadline = w->r->o->deadline};

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

    return engine_volume_create(w->g, body, e);
}

/* The folder of the operator from which a read-only container reads its link. */
static char *link_dir(const struct run *r, const char *instance)
{
    auto_free char *home = secret_home(r->plan->env);

    return mem_printf("%s/links/%s", home, instance);
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

int op_instance_drain(struct worker *w, const struct op *op, struct err *e)
{
    static const char *const ARGV[] = {IMAGES_AGENT, "hook", "drain", NULL};
    struct buf auto_buf out = {0};
    struct engine_exec x = {.argv = ARGV, .out = &out, .err = &out, .deadline = w->r->o->deadline};
    int64_t wakes = clock_deadline(DRAIN_WAKES_MS);
    int status = 0;

    buf_init(&out, DRAIN_OUTPUT_MAX);
    for (int tries = 1;; tries++) {
        int result = engine_exec_run(&status, w->g, op->object, &x, e);

        if (result == 0 && status == 0)
            return 0;
        if (tries == 1 && is_waking(result, &out, e) && !clock_passed(wakes) && !sig_interrupts())
            tries = 0;
        else if (result < 0 && (tries == 1 || tries == DRAIN_TRIES))
            return err_wrap(e, DRAIN_HINT, op->target, op->object);
        /* A monitor ends when it is taken out of the map, and its container with this hook; asked
         * again, the restarted container says whether that was it. */
        else if (result == 0 && (tries == DRAIN_TRIES ||
                                 (tries == 1 && status != KILLED_STATUS && status != ENDED_STATUS)))
            break;
        if (result < 0)
            err_drop(e, "asking the restarted container");
        buf_reset(&out);
        clock_sleep_ms(DRAIN_AGAIN_MS);
    }
    err_set(e, ERR_REMOTE, "hook drain ended with status %d: %.500s", status, buf_str(&out));
    return err_wrap(e, DRAIN_HINT, op->target, op->object);
}

int op_network_remove(struct worker *w, const struct op *op, struct err *e)
{
    return engine_network_remove(w->g, op->object, e);
}

int op_volume_remove(struct worker *w, const struct op *op, struct err *e)
{
    return engine_volume_remove(w->g, op->object, e);
}

int op_home_remove(struct worker *w, const struct op *op, struct err *e)
{
    auto_free char *home = secret_home(op->target);

    (void)w;
    if (secret_remove_key(op->target, e) < 0)
        return -1;
    return fs_remove_tree(home, e);
}

int op_roll_back(struct worker *w, const struct op *op, struct err *e)
{
    auto_free char *aside = mem_printf("%s" CONNECT_ASIDE, op->object);

    if (engine_container_remove(w->g, op->object, true, e) < 0)
        return -1;
    if (engine_container_rename(w->g, aside, op->object, e) < 0)
        return -1;
    return engine_container_start(w->g, op->object, e);
}
