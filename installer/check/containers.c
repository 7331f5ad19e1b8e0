/* SPDX-License-Identifier: MIT */
/*
 * The built-in module containers: what goes wrong around a daemon and not in it. Every running
 * container of the environment is inspected and looked into, several at once; then each test goes
 * over all of them. A test that finds nothing wrong is one row.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "check/modules.h"
#include "check/inside.h"
#include "check/port.h"
#include "engine/engine.h"
#include "plan/object.h"

enum {
    PARALLEL = 4,
    OUTPUT_MAX = 1 << 20,
    NAMES_MAX = 16, /* that one container is asked for: a ring, so that each is asked for */
    CONNECT_MS = 10000,
    LOG_FILES_MAX = 100
};

struct subject {
    struct check *check;
    struct strv ids, data;
    struct check_inside *items;
    size_t count;
    struct strv names, addresses; /* of all that run */
};

/* ---- looking ---- */

static void choose_names(struct subject *s, size_t i)
{
    struct check_inside *it = &s->items[i];

    it->expected = node_new_map();
    for (size_t n = 0; check_wants(s->check, "names") && n < s->names.count && n < NAMES_MAX; n++) {
        size_t at = (i + n) % s->names.count;

        node_set_text(it->expected, s->names.items[at], s->addresses.items[at]);
    }
}

static int look_into(struct subject *s, struct engine *g, size_t i, struct err *e)
{
    struct check_inside *it = &s->items[i];
    const char *argv[5 + NAMES_MAX + 1] = {"sh", "-c", check_inside_script, "sh", s->data.items[i]};
    auto_buf struct buf out = {0};
    struct engine_exec call = {.argv = argv, .out = &out, .deadline = s->check->until.deadline};
    int status;

    for (size_t n = 0; n < it->expected->count; n++)
        argv[5 + n] = it->expected->items[n]->key;
    buf_init(&out, OUTPUT_MAX);
    if (engine_container_inspect(&it->inspect, g, s->ids.items[i], e) < 0 ||
        engine_exec_run(&status, g, s->ids.items[i], &call, e) < 0)
        return -1;
    if (status != 0)
        return err_set(e, ERR_REMOTE, "the shell in it ended with status %d", status);
    it->said = mem_strdup(buf_str(&out));
    return 0;
}

static void look(void *arg, size_t i)
{
    struct subject *s = arg;
    struct check_inside *it = &s->items[i];
    struct engine *g = NULL;

    choose_names(s, i);
    if (engine_clone(&g, s->check->env->engine, &it->error) == 0)
        look_into(s, g, i, &it->error);
    engine_close(g);
}

static void choose(struct subject *s)
{
    const struct env *env = s->check->env;
    const struct node *container;

    node_for_each (container, env->containers) {
        const char *instance = object_label(container, LABEL_INSTANCE);
        const char *address = object_label(container, LABEL_ADDRESS);
        const char *component = object_label(container, LABEL_COMPONENT);
        const struct manifest *m = component ? catalog_find(env->catalog, component) : NULL;

        if (!instance || object_is_aside(container) || !node_text_is(container, "State", "running"))
            continue;
        strv_add(&s->ids, node_get_text(container, "Id"));
        strv_add(&s->data, m && m->data_root ? m->data_root : "/nonexistent");
        s->items = mem_grow(s->items, s->count + 1, sizeof(*s->items));
        s->items[s->count++] = (struct check_inside){.instance = instance};
        if (address) {
            strv_add(&s->names, instance);
            strv_add(&s->addresses, address);
        }
    }
}

/* ---- tests ---- */

static size_t zombies(const struct subject *s, const struct check_inside *i)
{
    return check_inside_zombies(s->check, i);
}

static size_t processes(const struct subject *s, const struct check_inside *i)
{
    return check_inside_agent(s->check, i) + check_inside_starts(s->check, i, clock_wall_ms());
}

static size_t names(const struct subject *s, const struct check_inside *i)
{
    return check_inside_names(s->check, i);
}

static size_t permissions(const struct subject *s, const struct check_inside *i)
{
    return check_inside_permissions(s->check, i);
}

/* Docker keeps the older ones beside it as .1, .2, ... */
static int64_t log_bytes(const char *path)
{
    struct stat st;
    int64_t bytes;

    if (!path || !*path || stat(path, &st) < 0)
        return -1;
    bytes = st.st_size;
    for (int i = 1; i < LOG_FILES_MAX; i++) {
        auto_free char *old = mem_printf("%s.%d", path, i);

        if (stat(old, &st) < 0)
            break;
        bytes += st.st_size;
    }
    return bytes;
}

static size_t logs(const struct subject *s, const struct check_inside *i)
{
    return check_inside_log(s->check, i, log_bytes(node_get_text(i->inspect, "LogPath")));
}

static const char *own_address(const struct check_inside *i)
{
    const struct node *networks = node_find(i->inspect, "NetworkSettings.Networks"), *n;

    node_for_each (n, networks) {
        const char *address = node_get_text(n, "IPAddress");

        if (address && *address)
            return address;
    }
    return NULL;
}

/* What a cancelled check did not get to see is nobody's fault. */
static bool answers(const struct subject *s, const char *address, int port, struct err *e)
{
    struct until until = until_within(s->check->until, CONNECT_MS);

    return check_port_connect(address, port, until, e) == 0 || e->code == ERR_INTERRUPTED;
}

/* Docker's proxy takes connections whoever listens behind it, so the
 * instance itself is asked too. */
static size_t one_port(const struct subject *s, const struct check_inside *i, const char *name,
                       const struct node *bound)
{
    const char *host = node_get_text(bound, "HostIp"), *text = node_get_text(bound, "HostPort");
    const char *own = own_address(i);
    int inside = (int)strtol(name, NULL, 10), outside = text ? (int)strtol(text, NULL, 10) : 0;
    struct err e;

    if (outside <= 0)
        check_add(s->check, "containers.ports", CHECK_FAILED,
                  "`slipway restart` of the instance; another program may have the port",
                  "the port %s of %s is to be published, and Docker does not", name, i->instance);
    else if (own && !answers(s, own, inside, &e))
        check_add(s->check, "containers.ports", CHECK_FAILED,
                  "`slipway logs` of the instance; does its configuration say another port?",
                  "nobody listens on port %d in %s, which is published as %s:%d: %s", inside,
                  i->instance, host ? host : "", outside, e.msg);
    else if (!answers(s, host ? host : "", outside, &e))
        check_add(s->check, "containers.ports", CHECK_FAILED,
                  "look at the firewall and at Docker's own log (journalctl -u docker)",
                  "%s:%d, which is the port %d of %s, does not answer: %s", host ? host : "",
                  outside, inside, i->instance, e.msg);
    else
        return 0;
    return 1;
}

static size_t ports(const struct subject *s, const struct check_inside *i)
{
    const struct node *wanted = node_find(i->inspect, "HostConfig.PortBindings"), *w;
    const struct node *bound = node_find(i->inspect, "NetworkSettings.Ports"), *b;
    size_t bad = 0;

    node_for_each (w, wanted) {
        const struct node *there = node_get(bound, w->key);

        if (!strstr(w->key, "/tcp") || w->count == 0)
            continue;
        if (!there || there->count == 0)
            bad += one_port(s, i, w->key, NULL);
        node_for_each (b, there) {
            bad += one_port(s, i, w->key, b);
        }
    }
    return bad;
}

static const struct test {
    const char *name, *good;
    size_t (*run)(const struct subject *s, const struct check_inside *i);
} table[] = {
    {"ports", "every published port answers, and so does who is behind it", ports},
    {"names", "instances find each other in the network's DNS", names},
    {"processes", "init and agent run everywhere, and nothing starts again and again", processes},
    {"zombies", "no process waits in vain for its parent", zombies},
    {"logs", "every log has a limit, and keeps to it as far as can be seen", logs},
    {"permissions", "links, secrets and snapshots are for their owners alone", permissions},
};

static size_t published(const struct subject *s)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct node *n = node_find(s->items[i].inspect, "HostConfig.PortBindings");

        count += n ? n->count : 0;
    }
    return count;
}

static void run_test(const struct subject *s, const struct test *t)
{
    auto_free char *code = mem_printf("containers.%s", t->name);
    size_t bad = 0, seen = 0;

    if (t->run == ports && s->check->env->o.self) {
        check_add(s->check, code, CHECK_SKIPPED, "`slipway check` on the host does it",
                  "ports of the host are not seen by %s", s->check->env->o.self);
        return;
    }
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].inspect && s->items[i].said) {
            bad += t->run(s, &s->items[i]);
            seen++;
        }
    if (t->run == ports && published(s) == 0 && !s->check->pick)
        return; /* not worth a row, unless somebody asks */
    if (t->run == ports && published(s) == 0)
        check_add(s->check, code, CHECK_SKIPPED, NULL, "no port of this environment is published");
    else if (bad == 0 && seen)
        check_add(s->check, code, CHECK_SUCCESS, NULL, "%s (%zu containers)", t->good, seen);
}

static void check_containers(struct check *c)
{
    struct subject s = {.check = c};

    choose(&s);
    pool_run(s.count, PARALLEL, look, &s);
    for (size_t i = 0; i < s.count; i++)
        if (!s.items[i].inspect || !s.items[i].said)
            check_add(c, "containers.check", CHECK_EXCEPTION, "is it just being restarted?",
                      "%s: %s", s.items[i].instance, s.items[i].error.msg);
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (check_wants(c, table[i].name))
            run_test(&s, &table[i]);
    if (s.count == 0)
        check_add(c, "containers.check", CHECK_SKIPPED, "`slipway up` starts them",
                  "no container of this environment runs");
    for (size_t i = 0; i < s.count; i++)
        check_inside_clear(&s.items[i]);
    free(s.items);
    strv_clear(&s.ids);
    strv_clear(&s.data);
    strv_clear(&s.names);
    strv_clear(&s.addresses);
}

static const char *const tests[] = {"ports", "names",       "processes", "zombies",
                                    "logs",  "permissions", NULL};
const struct check_module check_module_containers = {
    .name = "containers", .tests = tests, .run = check_containers};
