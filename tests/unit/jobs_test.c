/* SPDX-License-Identifier: MIT */
// wrap: clock_wall_ms leader_leads leader_other store_begin store_end tasks_begin tasks_get
// wrap: tasks_cancel etcd_range etcd_txn_put etcd_txn_run events_publish
#include "controller/jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"
#include "conf/yaml.h"
#include "controller/controller.h"
#include "model/render.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define THREE INT64_C(1796007600000) /* 2026-11-30T03:00 */

/* What the server would see, and what was asked of it. */
static struct {
    int64_t now;
    bool leads, refuses;
    const char *other;
    char *record, *written; /* of the job snapshots, in etcd; NULL: none */
    struct node *task;      /* as it is now; NULL: none */
    int begun, cancelled;
} world;

int64_t __wrap_clock_wall_ms(void);
bool __wrap_leader_leads(struct leader *l, struct etcd_fence *fence);
char *__wrap_leader_other(struct leader *l);
struct env *__wrap_store_begin(struct store *s, struct err *e);
void __wrap_store_end(struct store *s, const struct err *failed);
int __wrap_etcd_range(struct etcd_kvs *out, struct etcd *c, const char *prefix, struct err *e);
void __wrap_etcd_txn_put(struct etcd_txn *t, const char *key, const char *value, int64_t lease);
int __wrap_etcd_txn_run(struct etcd *c, const struct etcd_txn *t, int64_t *rev, struct err *e);
int __wrap_tasks_begin(struct node **answer, struct tasks *ts, const struct task_begin *b,
                       struct err *e);
struct node *__wrap_tasks_get(struct tasks *ts, const char *id);
bool __wrap_tasks_cancel(struct tasks *ts, const char *id);
void __wrap_events_publish(struct events *ev, const char *type, enum access_role role,
                           const struct node *data);

int64_t __wrap_clock_wall_ms(void)
{
    return world.now;
}

bool __wrap_leader_leads(struct leader *l, struct etcd_fence *fence)
{
    (void)l;
    *fence = (struct etcd_fence){"/slipway/d/controller/leader", 7};
    return world.leads;
}

char *__wrap_leader_other(struct leader *l)
{
    (void)l;
    return world.other ? mem_strdup(world.other) : NULL;
}

struct env *__wrap_store_begin(struct store *s, struct err *e)
{
    static struct env env;

    (void)s;
    (void)e;
    return &env;
}

void __wrap_store_end(struct store *s, const struct err *failed)
{
    (void)s;
    (void)failed;
}

int __wrap_etcd_range(struct etcd_kvs *out, struct etcd *c, const char *prefix, struct err *e)
{
    (void)c;
    (void)e;
    *out = (struct etcd_kvs){0};
    if (!world.record)
        return 0;
    out->items = mem_array(1, sizeof(*out->items));
    out->items[0].key = mem_printf("%ssnapshots", prefix);
    out->items[0].value = mem_strdup(world.record);
    out->items[0].value_len = strlen(world.record);
    out->count = 1;
    return 0;
}

void __wrap_etcd_txn_put(struct etcd_txn *t, const char *key, const char *value, int64_t lease)
{
    (void)t;
    (void)lease;
    if (!strstr(key, "/controller/jobs/snapshots"))
        return; /* the history */
    free(world.written);
    world.written = mem_strdup(value);
}

int __wrap_etcd_txn_run(struct etcd *c, const struct etcd_txn *t, int64_t *rev, struct err *e)
{
    (void)c;
    (void)t;
    (void)rev;
    if (world.refuses)
        return err_set(e, ERR_CONFLICT, "another server leads");
    free(world.record);
    world.record = mem_strdup(world.written);
    return 0;
}

int __wrap_tasks_begin(struct node **answer, struct tasks *ts, const struct task_begin *b,
                       struct err *e)
{
    (void)ts;
    (void)e;
    assert_non_null(world.record); /* it was written down first */
    world.begun++;
    node_free(b->arguments);
    node_free(world.task);
    world.task = node_new_map();
    node_set_text(world.task, "id", "t-1");
    node_set_text(world.task, "by", b->by);
    *answer = node_copy(world.task);
    return 0;
}

struct node *__wrap_tasks_get(struct tasks *ts, const char *id)
{
    (void)ts;
    (void)id;
    return world.task ? node_copy(world.task) : NULL;
}

bool __wrap_tasks_cancel(struct tasks *ts, const char *id)
{
    (void)ts;
    (void)id;
    world.cancelled++;
    return true;
}

void __wrap_events_publish(struct events *ev, const char *type, enum access_role role,
                           const struct node *data)
{
    (void)ev;
    (void)type;
    (void)role;
    (void)data;
}

/* ---- one server ---- */

struct server {
    struct controller c;
    struct jobs *js;
    char path[32];
};

static void write_file(const struct server *s, const char *text)
{
    static const struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct err e;

    assert_int_equal(fs_write(s->path, text, strlen(text), &o, &e), 0);
}

static void set_schedule(const struct server *s, const char *line)
{
    auto_free char *text = mem_printf("{\"schedules\":{\"snapshots\":\"%s\"}}", line);

    write_file(s, text);
}

/* One that leads, with this schedule, at ten minutes before three. */
static struct server *open(const char *line)
{
    struct server *s = mem_alloc(sizeof(*s));
    int fd;

    world.now = THREE - 10 * MINUTE;
    world.leads = true;
    strcpy(s->path, "/tmp/jobs-XXXXXX");
    fd = mkstemp(s->path);
    assert_true(fd >= 0);
    close(fd);
    s->c.env.name = "d";
    s->js = &s->c.jobs;
    jobs_init(s->js, &s->c, s->path);
    set_schedule(s, line);
    return s;
}

static void shut(struct server *s)
{
    jobs_clear(s->js);
    unlink(s->path);
    free(s);
    free(world.record);
    free(world.written);
    node_free(world.task);
    memset(&world, 0, sizeof(world));
}

static void look_at(struct server *s, int64_t now)
{
    world.now = now;
    jobs_look(s->js);
}

static void end_task(const char *state)
{
    char now[32];

    clock_format(now, world.now);
    node_set_text(world.task, "state", state);
    node_set_text(world.task, "ended", now);
}

/* {...} of the job snapshots, as the API has it; owned. */
static struct node *row(struct server *s)
{
    struct node *rows = NULL, *n;
    struct err e;

    assert_int_equal(jobs_rows(&rows, s->js, &e), 0);
    n = node_copy(rows->items[0]);
    node_free(rows);
    return n;
}

static void it_begins_once_at_its_time_and_its_end_is_told(void **state)
{
    struct server *s = open("0 3 * * *");
    struct node *n;

    (void)state;
    look_at(s, THREE - 1);
    assert_int_equal(world.begun, 0);
    look_at(s, THREE);
    assert_int_equal(world.begun, 1);
    assert_string_equal(node_get_text(world.task, "by"), "job snapshots");
    look_at(s, THREE + SECOND);
    n = row(s);
    assert_string_equal(node_get_text(node_get(n, "last"), "result"), "running");
    node_free(n);
    world.now += 5 * SECOND;
    end_task("succeeded");
    look_at(s, world.now);
    look_at(s, world.now + SECOND);
    assert_int_equal(world.begun, 1);
    n = row(s);
    assert_string_equal(node_get_text(node_get(n, "last"), "result"), "succeeded");
    node_free(n);
    look_at(s, THREE + 24 * HOUR);
    assert_int_equal(world.begun, 2);
    shut(s);
}

static void one_that_runs_is_not_begun_again_and_what_it_missed_is_left_out(void **state)
{
    struct server *s = open("* * * * *");
    struct node *task = NULL;
    struct err e;

    (void)state;
    look_at(s, THREE - 10 * MINUTE);
    look_at(s, THREE);
    look_at(s, THREE + MINUTE);
    assert_int_equal(jobs_run(&task, s->js, "snapshots", "ann", &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    world.now = THREE + 90 * SECOND;
    end_task("failed");
    look_at(s, world.now);
    assert_int_equal(world.begun, 1);
    look_at(s, THREE + 2 * MINUTE);
    assert_int_equal(world.begun, 2);
    shut(s);
}

static void nothing_is_begun_that_could_not_be_written_down(void **state)
{
    struct server *s = open("0 3 * * *");

    (void)state;
    look_at(s, THREE - MINUTE);
    world.refuses = true;
    look_at(s, THREE);
    assert_int_equal(world.begun, 0);
    world.refuses = false;
    look_at(s, THREE + SECOND);
    assert_int_equal(world.begun, 1);
    shut(s);
}

static void one_that_does_not_lead_begins_nothing(void **state)
{
    struct server *s = open("0 3 * * *");
    struct node *task = NULL;
    struct err e;

    (void)state;
    world.leads = false;
    world.other = "slipwayd@far, process 12";
    look_at(s, THREE);
    assert_int_equal(jobs_run(&task, s->js, "snapshots", "ann", &e), -1);
    assert_non_null(strstr(e.msg, "slipwayd@far"));
    assert_int_equal(world.begun, 0);
    shut(s);
}

/* `begun`: of the last run of that line; how many are begun by a server that comes at `now`. */
static int made_up(const char *line, int64_t begun, int64_t now)
{
    struct server *s = open("0 3 * * *");
    char text[32];
    int count;

    clock_format(text, begun);
    world.record = mem_printf("{\"begun\":\"%s\",\"by\":\"ann\",\"schedule\":\"%s\"}", text, line);
    look_at(s, now);
    count = world.begun;
    shut(s);
    return count;
}

static void what_nobody_led_for_is_made_up_for_within_an_hour(void **state)
{
    (void)state;
    assert_int_equal(made_up("0 3 * * *", THREE - 24 * HOUR, THREE + 59 * MINUTE), 1);
    assert_int_equal(made_up("0 3 * * *", THREE - 24 * HOUR, THREE + HOUR), 0);
    assert_int_equal(made_up("0 3 * * *", THREE, THREE + MINUTE), 0);
    assert_int_equal(made_up("0 4 * * *", THREE - 23 * HOUR, THREE + MINUTE), 0);
}

static void one_whose_server_is_gone_is_interrupted(void **state)
{
    struct server *s = open("0 3 * * *");
    struct node *n;

    (void)state;
    world.record = mem_strdup("{\"begun\":\"2026-11-29T03:00:00.000Z\",\"by\":\"ann\"}");
    look_at(s, THREE - MINUTE);
    n = row(s);
    assert_string_equal(node_get_text(node_get(n, "last"), "result"), "interrupted");
    node_free(n);
    shut(s);
}

static void who_no_longer_leads_stops_what_it_began(void **state)
{
    struct server *s = open("0 3 * * *");

    (void)state;
    look_at(s, THREE - MINUTE);
    look_at(s, THREE);
    world.leads = false;
    look_at(s, THREE + SECOND);
    assert_int_equal(world.cancelled, 0); /* etcd may only be slow */
    world.other = "slipwayd@far, process 12";
    look_at(s, THREE + 2 * SECOND);
    assert_int_equal(world.cancelled, 1);
    shut(s);
}

static void a_line_that_is_wrong_and_a_file_that_is_cut_change_nothing(void **state)
{
    static const char *const texts[] = {"{\"schedules\":{\"snapshots\":\"0 25 * * *\"}}",
                                        "{\"sche"};
    struct server *s = open("0 3 * * *");

    (void)state;
    look_at(s, THREE - 9 * MINUTE);
    for (int i = 0; i < 2; i++) {
        struct node *n;

        write_file(s, texts[i]);
        look_at(s, THREE - 8 * MINUTE);
        n = row(s);
        assert_non_null(node_get_text(n, "problem"));
        assert_string_equal(node_get_text(n, "schedule"), "0 3 * * *");
        node_free(n);
    }
    look_at(s, THREE);
    assert_int_equal(world.begun, 1);
    shut(s);
}

static void a_new_line_misses_nothing_and_null_ends_it(void **state)
{
    struct server *s = open("null");

    (void)state;
    look_at(s, THREE + 5 * MINUTE);
    set_schedule(s, "0 3 * * *");
    look_at(s, THREE + 6 * MINUTE);
    assert_int_equal(world.begun, 0);
    set_schedule(s, "null");
    look_at(s, THREE + 7 * MINUTE);
    look_at(s, THREE + 24 * HOUR);
    assert_int_equal(world.begun, 0);
    shut(s);
}

/* What the agent writes of the controller's template, with every key of it given. */
static void the_components_own_file_is_read(void **state)
{
    static const char VARS[] = "{\"job_snapshots\":\"*/5 * * * *\",\"job_check\":\"@daily\","
                               "\"job_compact\":\"null\",\"job_agents\":null,"
                               "\"snapshots_hourly\":24,\"snapshots_daily\":7,"
                               "\"snapshots_weekly\":3}";
    static const char *const lines[JOB_COUNT] = {"*/5 * * * *", "@daily", NULL, NULL};
    auto_node struct node *template = NULL, *vars = NULL, *tree = NULL, *rows = NULL;
    auto_buf struct buf b = {0};
    struct server *s = open("null");
    struct err e;

    (void)state;
    buf_init(&b, 65536);
    assert_int_equal(yaml_load(&template, "components/controller/templates/jobs.json", &e), 0);
    assert_int_equal(json_parse(&vars, "vars", VARS, strlen(VARS), &e), 0);
    assert_int_equal(render_expand(&tree, template, vars, &e), 0);
    assert_int_equal(render_format(&b, TEMPLATE_FORMAT_JSON, tree, &e), 0);
    write_file(s, buf_str(&b));
    look_at(s, THREE);
    assert_int_equal(jobs_rows(&rows, s->js, &e), 0);
    for (size_t i = 0; i < JOB_COUNT; i++) {
        const char *line = node_get_text(rows->items[i], "schedule");

        assert_string_equal(line ? line : "never", lines[i] ? lines[i] : "never");
        assert_null(node_get(rows->items[i], "problem"));
    }
    assert_int_equal(node_get_int(s->js->keep, "hourly", 0), 24);
    assert_int_equal(node_get_int(s->js->keep, "weekly", 0), 3);
    shut(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_once_at_its_time_and_its_end_is_told),
        cmocka_unit_test(one_that_runs_is_not_begun_again_and_what_it_missed_is_left_out),
        cmocka_unit_test(nothing_is_begun_that_could_not_be_written_down),
        cmocka_unit_test(one_that_does_not_lead_begins_nothing),
        cmocka_unit_test(what_nobody_led_for_is_made_up_for_within_an_hour),
        cmocka_unit_test(one_whose_server_is_gone_is_interrupted),
        cmocka_unit_test(who_no_longer_leads_stops_what_it_began),
        cmocka_unit_test(a_line_that_is_wrong_and_a_file_that_is_cut_change_nothing),
        cmocka_unit_test(a_new_line_misses_nothing_and_null_ends_it),
        cmocka_unit_test(the_components_own_file_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
