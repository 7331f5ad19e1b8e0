/* SPDX-License-Identifier: MIT */
// fake: text
// wrap: etcd_open etcd_close etcd_get etcd_set_until etcd_range_many desired_keys
// wrap: object_containers engine_container_inspect diagnose_instance clock_now_ms
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/applied.h"
#include "plan/object.h"
#include "plan/run.h"
#include "fake/text.h"

/* ---- a world that looks as the test says ---- */

static struct {
    int64_t now;
    const char *containers; /* JSON list; NULL: the engine does not answer */
    const char *inspect;    /* JSON; NULL: the same */
    const char *status, *applied, *unread;
    enum err_code etcd, keys; /* what etcd says, and what making the keys does */
    int opened, inspected, listed;
} world;

static int answer(enum err_code code, struct err *e)
{
    return code == ERR_NONE ? 0 : err_set(e, code, "etcd says so");
}

int __wrap_etcd_open(struct etcd **out, const struct link *l, const void *o, struct err *e);
int __wrap_etcd_open(struct etcd **out, const struct link *l, const void *o, struct err *e)
{
    (void)l;
    (void)o;
    if (world.etcd == ERR_NET)
        return err_set(e, ERR_NET, "no endpoint");
    world.opened++;
    *out = (struct etcd *)(uintptr_t)1;
    return 0;
}

void __wrap_etcd_close(struct etcd *c);
void __wrap_etcd_close(struct etcd *c)
{
    world.opened -= c != NULL;
}

void __wrap_etcd_set_until(struct etcd *c, struct until until);
void __wrap_etcd_set_until(struct etcd *c, struct until until)
{
    (void)c;
    (void)until;
}

int __wrap_etcd_get(struct etcd_kv *out, struct etcd *c, const char *key, struct err *e);
int __wrap_etcd_get(struct etcd_kv *out, struct etcd *c, const char *key, struct err *e)
{
    (void)c;
    *out = (struct etcd_kv){0};
    assert_string_equal(key, "/slipway/demo/spec");
    return answer(world.etcd, e);
}

static void add_key(struct etcd_kvs *out, const char *key, const char *value)
{
    if (!value)
        return;
    out->items = mem_grow(out->items, out->count + 1, sizeof(*out->items));
    out->items[out->count++] = (struct etcd_kv){
        .key = mem_strdup(key), .value = mem_strdup(value), .value_len = strlen(value)};
}

int __wrap_etcd_range_many(struct etcd_kvs *out, struct etcd *c, const char *const *names,
                           size_t count, struct err *e);
int __wrap_etcd_range_many(struct etcd_kvs *out, struct etcd *c, const char *const *names,
                           size_t count, struct err *e)
{
    (void)c;
    if (answer(world.etcd, e) < 0)
        return -1;
    assert_int_equal(count, world.unread ? 3 : 2);
    *out = (struct etcd_kvs){0};
    add_key(out, world.unread ? names[2] : NULL, world.unread); /* sorted: components first */
    add_key(out, names[1], world.applied);
    add_key(out, names[0], world.status);
    return 0;
}

int __wrap_desired_keys(struct node **out, const struct desired *d,
                        const struct desired_component *c, struct err *e);
int __wrap_desired_keys(struct node **out, const struct desired *d,
                        const struct desired_component *c, struct err *e)
{
    (void)d;
    (void)c;
    if (answer(world.keys, e) < 0)
        return -1;
    *out = node_new_map();
    node_set_text(*out, "/slipway/demo/components/thing/config/a", "1");
    node_set_text(*out, "/slipway/demo/instances/thing-1/config/b", "2");
    node_set_text(*out, "/slipway/demo/instances/thing-2/config/b", "3");
    return 0;
}

int __wrap_object_containers(struct node **out, struct engine *g, const char *uuid, struct err *e);
int __wrap_object_containers(struct node **out, struct engine *g, const char *uuid, struct err *e)
{
    (void)g;
    (void)uuid;
    world.listed++;
    if (!world.containers)
        return err_set(e, ERR_NET, "no engine");
    *out = from_json(world.containers);
    return 0;
}

int __wrap_engine_container_inspect(struct node **out, struct engine *g, const char *id,
                                    struct err *e);
int __wrap_engine_container_inspect(struct node **out, struct engine *g, const char *id,
                                    struct err *e)
{
    (void)g;
    assert_string_equal(id, "cid");
    world.inspected++;
    if (!world.inspect)
        return err_set(e, ERR_NET, "no engine");
    *out = from_json(world.inspect);
    return 0;
}

void __wrap_diagnose_instance(struct buf *b, struct engine *g, const char *container);
void __wrap_diagnose_instance(struct buf *b, struct engine *g, const char *container)
{
    (void)g;
    buf_printf(b, "the story of %s", container);
}

int64_t __wrap_clock_now_ms(void);
int64_t __wrap_clock_now_ms(void)
{
    return world.now;
}

/* ---- a run that waits for thing-1, or for etcd ---- */

struct fixture {
    struct manifest manifest;
    struct spec spec;
    struct spec_component spec_component;
    struct spec_instance spec_instance;
    struct desired_component component;
    struct desired_instance instance;
    struct desired desired;
    struct op op;
    struct plan plan;
    struct env_key key;
    struct execute_opts options;
    enum op_state state;
    struct run run;
    struct waiter *w;
    struct err e;
    char hash[65];
    char env[8], name[8], instance_name[8],
        container[8]; /* the structs own their texts elsewhere */
};

static void open(struct fixture *f, enum op_kind kind)
{
    auto_node struct node *mine = node_new_map();

    *f = (struct fixture){
        .env = "demo", .name = "thing", .instance_name = "thing-1", .container = "cid"};
    memset(&world, 0, sizeof(world));
    world.now = 1000000, world.containers = "[]";
    world.inspect = "{\"Created\":\"1970-01-01T00:00:10.5Z\"}";
    f->manifest =
        (struct manifest){.name = f->name, .ready_deadline_ms = 20000, .hook_deadline_ms = 5000};
    f->spec.name = f->env;
    f->spec_component.manifest = &f->manifest;
    f->spec_instance = (struct spec_instance){.name = f->instance_name, .manifest = &f->manifest};
    f->component.spec = &f->spec_component;
    f->instance =
        (struct desired_instance){.component = &f->spec_component, .spec = &f->spec_instance};
    f->desired =
        (struct desired){.spec = &f->spec, .components = &f->component, .component_count = 1};
    f->op = (struct op){
        .kind = kind, .target = f->instance_name, .object = f->container, .instance = &f->instance};
    f->plan = (struct plan){.desired = &f->desired, .env = f->env, .ops = &f->op, .count = 1};
    f->options.key = &f->key;
    f->state = OP_STATE_STARTED;
    f->run =
        (struct run){.plan = &f->plan, .o = &f->options, .state = &f->state, .etcd_ready = true};
    f->w = waiter_new(&f->run);
    node_set_text(mine, "/slipway/demo/components/thing/config/a", "1");
    node_set_text(mine, "/slipway/demo/instances/thing-1/config/b", "2");
    applied_hash(f->hash, mine, "thing", "thing-1");
}

static void close(struct fixture *f)
{
    waiter_free(f->w);
    assert_int_equal(world.opened, 0);
}

/* Time goes on, and a look and a check follow. */
static enum wait_result after(struct fixture *f, int64_t ms)
{
    world.now += ms;
    waiter_look(f->w);
    return waiter_check(f->w, 0, &f->e);
}

static char *applied(const struct fixture *f, const char *rest)
{
    return mem_printf("{\"hash\":\"%s\",%s}", f->hash, rest);
}

static const char WELL[] = "{\"state\":\"ready\",\"health\":\"healthy\",\"since\":11000}";

/* ---- an instance ---- */

static void an_instance_that_is_ready_healthy_and_applied_is_done(void **state)
{
    (void)state;
    struct fixture f;

    open(&f, OP_KIND_INSTANCE_WAIT);
    auto_free char *ok = applied(&f, "\"result\":\"ok\"");
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    world.status = WELL;
    assert_int_equal(after(&f, 10), WAIT_RESULT_NOT_YET);
    world.applied = "{\"hash\":\"of older keys\",\"result\":\"ok\"}";
    assert_int_equal(after(&f, 10), WAIT_RESULT_NOT_YET);
    world.applied = "{no document";
    assert_int_equal(after(&f, 10), WAIT_RESULT_NOT_YET);
    world.applied = ok;
    world.status = "{\"state\":\"ready\",\"health\":\"unhealthy\",\"since\":11000}";
    assert_int_equal(after(&f, 10), WAIT_RESULT_NOT_YET);
    world.status = WELL;
    assert_int_equal(after(&f, 10), WAIT_RESULT_DONE);
    close(&f);
}

static void keys_that_the_plan_could_not_read_count_as_etcd_has_them(void **state)
{
    (void)state;
    char key[] = "/slipway/demo/components/thing/config/a", *keys[] = {key};
    struct fixture f;
    open(&f, OP_KIND_INSTANCE_WAIT);
    auto_free char *ok = applied(&f, "\"result\":\"ok\"");
    f.plan.unread = (struct strv){.items = keys, .count = 1};
    world.status = WELL;
    world.applied = ok;
    world.unread = "another";
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    world.unread = "1";
    assert_int_equal(after(&f, 10), WAIT_RESULT_DONE);
    close(&f);
}

static void a_report_of_the_run_before_does_not_count(void **state)
{
    (void)state;
    struct fixture f;

    open(&f, OP_KIND_INSTANCE_WAIT);
    auto_free char *ok = applied(&f, "\"result\":\"ok\"");
    world.status = WELL;
    world.applied = ok;
    world.inspect = "{\"Created\":\"1970-01-01T00:00:10Z\","
                    "\"State\":{\"FinishedAt\":\"1970-01-01T00:00:12.25Z\"}}";
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    assert_int_equal(after(&f, 100), WAIT_RESULT_NOT_YET);
    assert_int_equal(world.inspected, 1); /* not asked again so soon */
    f.op.never_reported = true;           /* there was no run before */
    assert_int_equal(after(&f, 600), WAIT_RESULT_DONE);
    assert_int_equal(world.inspected, 1);
    f.op.never_reported = false;
    world.status = "{\"state\":\"ready\",\"health\":\"healthy\",\"since\":12250}";
    assert_int_equal(after(&f, 100), WAIT_RESULT_DONE);
    close(&f);
}

static void an_engine_that_does_not_answer_decides_nothing(void **state)
{
    (void)state;
    struct fixture f;

    open(&f, OP_KIND_INSTANCE_WAIT);
    auto_free char *ok = applied(&f, "\"result\":\"ok\"");
    world.status = WELL;
    world.applied = ok;
    world.inspect = world.containers = NULL;
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    world.inspect = "{\"Created\":\"no time\"}";
    assert_int_equal(after(&f, 600), WAIT_RESULT_DONE);
    close(&f);
}

static void a_refused_configuration_ends_the_wait_with_its_reason(void **state)
{
    (void)state;
    struct fixture f;
    auto_free char *failed = NULL, *old = NULL;

    open(&f, OP_KIND_INSTANCE_WAIT);
    old = applied(&f, "\"result\":\"failed\",\"error\":\"of old\",\"at\":10000");
    world.applied = old;
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    failed = applied(&f, "\"result\":\"failed\",\"error\":\"no such pool\",\"at\":12000");
    world.applied = failed;
    assert_int_equal(after(&f, 10), WAIT_RESULT_FAILED);
    assert_int_equal(f.e.code, ERR_UNHEALTHY);
    assert_string_equal(f.e.msg, "instance thing-1 could not apply its configuration: no such "
                                 "pool; the story of cid");
    close(&f);
}

static void a_container_that_ended_is_not_waited_for(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "[{\"Id\":\"cid\",\"State\":\"exited\",\"Labels\":{\"slipway.instance\":\"thing-1\"}}]",
        "[{\"Id\":\"cid\",\"State\":\"dead\",\"Labels\":{\"slipway.instance\":\"thing-1\"}}]",
    };

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct fixture f;

        open(&f, OP_KIND_INSTANCE_WAIT);
        world.containers = lists[i];
        /* A list from before the start would say nothing. */
        assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
        assert_int_equal(after(&f, 100), WAIT_RESULT_NOT_YET);
        assert_int_equal(world.listed, 0);
        assert_int_equal(after(&f, 500), WAIT_RESULT_FAILED);
        assert_int_equal(world.listed, 1);
        assert_string_equal(f.e.msg, "instance thing-1 does not stay up; the story of cid");
        close(&f);
    }
}

static void a_container_that_restarts_gets_five_chances(void **state)
{
    (void)state;
    struct fixture f;

    open(&f, OP_KIND_INSTANCE_WAIT);
    world.containers =
        "[{\"Id\":\"cid\",\"State\":\"restarting\",\"Labels\":{\"slipway.instance\":\"thing-1\"}}]";
    world.inspect = "{\"RestartCount\":4}";
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    assert_int_equal(after(&f, 600), WAIT_RESULT_NOT_YET);
    world.inspect = NULL;
    assert_int_equal(after(&f, 600), WAIT_RESULT_NOT_YET);
    world.inspect = "{\"RestartCount\":5}";
    world.status = "{\"state\":\"starting\",\"reason\":\"the disk is full\"}";
    assert_int_equal(after(&f, 600), WAIT_RESULT_FAILED);
    assert_string_equal(f.e.msg, "instance thing-1 does not stay up: the disk is full; the story "
                                 "of cid");
    close(&f);
}

static void patience_is_that_of_the_manifest(void **state)
{
    (void)state;
    struct fixture f;

    /* 20 s to get ready, 5 s of prepare, 10 s in which the agent says it better */
    open(&f, OP_KIND_INSTANCE_WAIT);
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    assert_int_equal(after(&f, 35000), WAIT_RESULT_NOT_YET);
    assert_int_equal(after(&f, 1), WAIT_RESULT_FAILED);
    assert_int_equal(f.e.code, ERR_UNHEALTHY);
    assert_string_equal(f.e.msg, "instance thing-1 did not get ready in time; the story of cid");
    close(&f);
    open(&f, OP_KIND_INSTANCE_WAIT);
    world.status = "{\"state\":\"ready\",\"health\":\"unhealthy\",\"reason\":\"no quorum\"}";
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    assert_int_equal(after(&f, 20001), WAIT_RESULT_FAILED);
    assert_string_equal(f.e.msg, "instance thing-1 is not healthy: no quorum; the story of cid");
    close(&f);
}

static void an_etcd_that_is_away_leaves_what_was_known(void **state)
{
    (void)state;
    struct fixture f;

    open(&f, OP_KIND_INSTANCE_WAIT);
    auto_free char *ok = applied(&f, "\"result\":\"ok\"");
    world.etcd = ERR_NET;
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    world.etcd = ERR_TIMEOUT;
    assert_int_equal(after(&f, 10), WAIT_RESULT_NOT_YET);
    world.etcd = ERR_NONE;
    world.status = WELL;
    world.applied = ok;
    world.now += 10;
    waiter_look(f.w);
    world.etcd = ERR_TIMEOUT;
    assert_int_equal(after(&f, 10), WAIT_RESULT_DONE);
    close(&f);
}

static void keys_that_cannot_be_made_are_the_reason(void **state)
{
    (void)state;
    struct fixture f;

    open(&f, OP_KIND_INSTANCE_WAIT);
    world.applied = "{\"hash\":\"x\",\"result\":\"ok\"}"; /* they are made when it has spoken */
    world.keys = ERR_CONFIG;
    assert_int_equal(after(&f, 0), WAIT_RESULT_FAILED);
    assert_int_equal(f.e.code, ERR_CONFIG);
    close(&f);
}

/* ---- etcd ---- */

static void an_etcd_that_answers_is_done_with_or_without_a_document(void **state)
{
    (void)state;
    static const enum err_code codes[] = {ERR_NONE, ERR_NOTFOUND};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct fixture f;

        open(&f, OP_KIND_ETCD_WAIT);
        f.run.etcd_ready = false;
        world.etcd = ERR_NET;
        assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
        world.etcd = codes[i];
        assert_int_equal(after(&f, 10), WAIT_RESULT_DONE);
        close(&f);
    }
}

static void an_etcd_that_refuses_us_is_not_waited_for(void **state)
{
    (void)state;
    struct fixture f;

    open(&f, OP_KIND_ETCD_WAIT);
    f.run.etcd_ready = false;
    world.etcd = ERR_AUTH;
    assert_int_equal(after(&f, 0), WAIT_RESULT_FAILED);
    assert_int_equal(f.e.code, ERR_AUTH);
    close(&f);
}

static void an_etcd_that_does_not_answer_has_two_minutes(void **state)
{
    (void)state;
    struct fixture f;

    open(&f, OP_KIND_ETCD_WAIT);
    f.run.etcd_ready = false;
    world.etcd = ERR_NET;
    world.containers = "[{\"Id\":\"other\",\"State\":\"exited\",\"Labels\":{\"slipway.instance\":"
                       "\"thing-1\",\"slipway.component\":\"thing\"}},"
                       "{\"Id\":\"cid\",\"State\":\"running\",\"Labels\":{\"slipway.instance\":"
                       "\"etcd-1\",\"slipway.component\":\"etcd\"}}]";
    assert_int_equal(after(&f, 0), WAIT_RESULT_NOT_YET);
    assert_int_equal(after(&f, 120000), WAIT_RESULT_NOT_YET);
    assert_int_equal(after(&f, 1), WAIT_RESULT_FAILED);
    assert_int_equal(f.e.code, ERR_UNHEALTHY);
    assert_string_equal(f.e.msg, "instance etcd-1 does not answer; the story of cid");
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instance_that_is_ready_healthy_and_applied_is_done),
        cmocka_unit_test(keys_that_the_plan_could_not_read_count_as_etcd_has_them),
        cmocka_unit_test(a_report_of_the_run_before_does_not_count),
        cmocka_unit_test(an_engine_that_does_not_answer_decides_nothing),
        cmocka_unit_test(a_refused_configuration_ends_the_wait_with_its_reason),
        cmocka_unit_test(a_container_that_ended_is_not_waited_for),
        cmocka_unit_test(a_container_that_restarts_gets_five_chances),
        cmocka_unit_test(patience_is_that_of_the_manifest),
        cmocka_unit_test(an_etcd_that_is_away_leaves_what_was_known),
        cmocka_unit_test(keys_that_cannot_be_made_are_the_reason),
        cmocka_unit_test(an_etcd_that_answers_is_done_with_or_without_a_document),
        cmocka_unit_test(an_etcd_that_refuses_us_is_not_waited_for),
        cmocka_unit_test(an_etcd_that_does_not_answer_has_two_minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
