/* SPDX-License-Identifier: MIT */
#include "env/volume_answer.h"

#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/applied.h"
#include "model/keys.h"

/* ---- what is said of one ---- */

/* Complaints come last, one a line, each with what it is about. */
static bool is_about_another(const char *error)
{
    const char *end = strrchr(error, '\n'), *line = end ? end + 1 + strspn(end + 1, " ") : error;

    if (strstr(error, ": volume ") || strstr(error, "\nvolume "))
        return true;
    return strncmp(line, "pool ", 5) == 0 || (line == error && strstr(line, ": pool "));
}

char *volume_complaint(const char *error, const char *noun, const struct strv *names)
{
    for (size_t i = 0; i < names->count; i++) {
        auto_free char *head = mem_printf("%s %s: ", noun, names->items[i]);
        const char *at = strstr(error, head), *next;

        /* What was done comes before what went wrong. */
        while (at && (next = strstr(at + 1, head)))
            at = next;
        if (at)
            return mem_strndup(at, strcspn(at, "\n"));
    }
    return is_about_another(error) ? NULL : mem_strdup(error);
}

/* ---- what an instance answers ---- */

/* Whether what the instance has applied is what etcd holds for it now. */
static void judge(struct volume_answer *a, const struct etcd_kvs *kvs, const char *env,
                  const struct spec_instance *i, const char *applied_key)
{
    auto_node struct node *applied = NULL;
    const struct etcd_kv *kv = etcd_kvs_find(kvs, applied_key);
    const char *error;
    char hash[65];
    int64_t newest = applied_hash_stored(hash, kvs, env, i->manifest->name, i->name);
    struct err dropped;

    if (kv && json_parse(&applied, applied_key, kv->value, kv->value_len, &dropped) < 0)
        err_drop(&dropped, "what an agent reports");
    switch (applied_judge(applied, hash, newest)) {
    case APPLIED_IS_OK:
        a->is = VOLUME_ANSWER_APPLIED;
        break;
    case APPLIED_IS_FAILED:
        error = node_get_text(applied, "error");
        a->is = VOLUME_ANSWER_REFUSED;
        a->complaint = mem_strdup(error ? error : "");
        break;
    case APPLIED_IS_NONE:
        break;
    }
}

int volume_answer_read(struct volume_answer *a, struct env *env, const struct spec_instance *i,
                       struct err *e)
{
    auto_free char *common = keys_component(env->name, i->manifest->name);
    auto_free char *own = keys_instance(env->name, i->name);
    auto_free char *key = keys_instance_applied(env->name, i->name);
    const char *const names[] = {common, own};
    struct etcd_kvs kvs = {0};

    *a = (struct volume_answer){0};
    if (etcd_range_many(&kvs, env->etcd, names, ARRAY_LEN(names), e) < 0)
        return -1;
    a->revision = kvs.revision;
    judge(a, &kvs, env->name, i, key);
    etcd_kvs_clear(&kvs);
    return 0;
}

/* Waiting for one. */
struct awaited {
    struct volume_answer *a;
    struct env *env;
    const struct spec_instance *instance;
    struct err *e;
};

/* The instance reports again. Non-zero ends the watch. */
static int reported(struct awaited *w)
{
    return volume_answer_read(w->a, w->env, w->instance, w->e) < 0 ||
           w->a->is != VOLUME_ANSWER_NONE;
}

static int on_event(void *arg, const struct etcd_event *ev, int64_t revision)
{
    (void)ev;
    (void)revision;
    return reported(arg);
}

static int on_reset(void *arg, const struct etcd_kvs *all)
{
    (void)all;
    return reported(arg);
}

int volume_answer_await(struct volume_answer *a, struct env *env, const struct spec_instance *i,
                        int64_t deadline, struct err *e)
{
    auto_free char *key = keys_instance_applied(env->name, i->name);
    const char *const keys[] = {key};
    struct awaited w = {.a = a, .env = env, .instance = i, .e = e};
    struct etcd_watch_opts o = {.prefixes = keys,
                                .prefix_count = ARRAY_LEN(keys),
                                .event = on_event,
                                .reset = on_reset,
                                .arg = &w,
                                .deadline = deadline};

    e->code = ERR_NONE;
    if (volume_answer_read(a, env, i, e) < 0)
        return -1;
    if (a->is != VOLUME_ANSWER_NONE)
        return 0;
    o.from_revision = a->revision + 1;
    return etcd_watch_run(env->etcd, &o, e) < 0 || e->code != ERR_NONE ? -1 : 0;
}

bool volume_answer_alive(struct env *env, const struct spec_instance *i)
{
    auto_free char *key = keys_instance_status(env->name, i->name);
    struct etcd_kv kv = {0};
    struct err dropped;

    if (etcd_get(&kv, env->etcd, key, &dropped) < 0)
        return false;
    etcd_kv_clear(&kv);
    return true;
}
