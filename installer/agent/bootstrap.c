/* SPDX-License-Identifier: MIT */
#include "agent/bootstrap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/hooks.h"
#include "agent/keep.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/applied.h"
#include "model/keys.h"

enum { RETRY_FIRST_MS = 100, RETRY_MAX_MS = 5000, TURN_MS = 50, COMPLAIN_MS = 10000 };
static const char given_snapshot[] = "/etc/slipway/snapshot.json";

void bootstrap_clear(struct bootstrap *s)
{
    tree_free(s->tree);
    etcd_close(s->client);
    *s = (struct bootstrap){0};
}

/* ---- the hook `arguments` ---- */

static int from_arguments(struct tree **out, const struct bootstrap_opts *o, struct err *e)
{
    auto_free char *path = manifest_hook(o->manifest, "arguments");

    if (!path)
        return err_set(e, ERR_USAGE,
                       "\"%s\" is not a link, and component %s takes no other arguments",
                       o->options->rest.items[0], o->manifest->name);
    auto_strv struct strv env = {0};
    for (char **v = environ; v && *v; v++)
        strv_add(&env, *v);
    strv_addf(&env, "SLIPWAY_COMPONENT=%s", o->manifest->name);
    strv_addf(&env, "SLIPWAY_RUN=%s", o->options->run_dir);
    strv_addf(&env, "SLIPWAY_HOME=%s", o->options->component_dir);
    struct buf text;
    buf_init(&text, TREE_FILE_MAX);
    struct hook_call call = {.path = path,
                             .name = "arguments",
                             .args = &o->options->rest,
                             .env = &env,
                             .deadline = clock_deadline(o->manifest->hook_deadline_ms),
                             .out = &text,
                             .wake_fd = -1,
                             .idle = o->idle,
                             .arg = o->arg};
    int r = hook_must(&call, e);
    if (r == 0)
        r = tree_parse(out, "output of hook arguments", buf_str(&text), text.len, o->manifest->name,
                       e);
    if (text.data)
        explicit_bzero(text.data, text.cap);
    buf_clear(&text);
    if (r == 0)
        (*out)->clear_secrets = true;
    return r;
}

/* ---- etcd and its snapshots ---- */

static int from_etcd(struct bootstrap *out, const struct bootstrap_opts *o, struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *applied = NULL;
    struct etcd_kvs kvs = {0};
    const struct etcd_kv *kv;
    struct keys_path k;

    if (tree_names(&names, o->link->prefix, o->manifest->name, e) < 0)
        return -1;
    if (keys_parse(&k, o->link->prefix))
        applied = keys_instance_applied(k.env, k.instance);
    strv_add(&names, applied);
    if (!out->client && etcd_open(&out->client, o->link, NULL, e) < 0)
        return -1;
    if (etcd_range_many(&kvs, out->client, (const char *const *)names.items, names.count, e) < 0)
        return -1;
    int r = tree_from_kvs(&out->tree, &kvs, o->link->prefix, o->manifest->name, e);
    out->revision = kvs.revision;
    kv = etcd_kvs_find(&kvs, applied);
    out->had_data = kv && applied_had_data(kv->value);
    etcd_kvs_clear(&kvs);
    return r;
}

static bool load_snapshot(struct tree **out, const char *path, const struct bootstrap_opts *o)
{
    struct err e;

    if (!path || tree_load(out, path, o->manifest->name, &e) < 0) {
        if (path && e.code != ERR_NOTFOUND)
            log_warn("%s", e.msg);
        return false;
    }
    if (strcmp((*out)->prefix, o->link->prefix) != 0) {
        log_warn("snapshot %s is of %s, not of %s: not used", path, (*out)->prefix,
                 o->link->prefix);
        tree_free(steal(*out));
        return false;
    }
    return true;
}

static bool from_snapshot(struct tree **out, const struct bootstrap_opts *o)
{
    auto_free char *kept = keep_path(o->options, o->manifest, KEEP_SNAPSHOT);
    const char *given = getenv("SLIPWAY_SNAPSHOT");

    return load_snapshot(out, kept, o) ||
           load_snapshot(out, given && *given ? given : given_snapshot, o);
}

/* True for failures that time may cure, when there is no snapshot: the network, an etcd that is
 * just starting, keys that are not stored yet. */
static bool may_pass(const struct err *e)
{
    return err_retryable(e) || e->code == ERR_REMOTE || e->code == ERR_NOTFOUND;
}

static int wait_for_etcd(struct bootstrap *out, const struct bootstrap_opts *o, struct err *e)
{
    struct clock_backoff backoff = {.first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS};
    int64_t complain_at = 0;

    while (from_etcd(out, o, e) < 0) {
        if ((may_pass(e) || e->code == ERR_AUTH) && from_snapshot(&out->tree, o)) {
            log_warn("starting from the snapshot of the last configuration: %s", e->msg);
            return 0;
        }
        if (!may_pass(e))
            return -1;
        if (clock_passed(complain_at)) {
            log_warn("waiting for the configuration: %s", e->msg);
            complain_at = clock_deadline(COMPLAIN_MS);
        }
        int64_t until = clock_deadline(clock_backoff_next(&backoff));
        for (; !clock_passed(until); clock_sleep_ms(TURN_MS))
            if (o->idle && o->idle(o->arg))
                return err_set(e, ERR_INTERRUPTED, "interrupted");
    }
    return 0;
}

int bootstrap_open(struct bootstrap *out, const struct bootstrap_opts *o, struct err *e)
{
    *out = (struct bootstrap){0};
    int r;
    if (!o->link) {
        r = from_arguments(&out->tree, o, e);
    } else if (o->link->file) {
        r = tree_load(&out->tree, o->link->path, o->manifest->name, e);
        if (r == 0)
            out->tree->clear_secrets = true;
    } else {
        r = wait_for_etcd(out, o, e);
    }
    if (r < 0)
        bootstrap_clear(out);
    return r;
}
