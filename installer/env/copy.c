/* SPDX-License-Identifier: MIT */
#include "env/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/quote.h"
#include "env/copy_item.h"
#include "env/instances.h"
#include "env/selector.h"
#include "host/copy.h"

/* Each of those that are under way has a file and perhaps a folder open. */
enum { PARALLEL = 8, AT_ONCE = 16, SAID_MAX = 4096 };

struct copy {
    struct env *env;
    struct until until;
    struct copy_item *items;
    size_t count;
    struct hosts *hosts;
    struct relay *relay;
};

/* It is done, or failed: what was open for it. */
static void item_close(struct copy_item *it)
{
    copy_tree_close(&it->tree);
    if (it->fd >= 0)
        close(it->fd);
    it->fd = -1;
}

/* ---- what is meant ---- */

static struct copy_item *add_item(struct copy *c, struct copy_results *out)
{
    c->items = mem_grow(c->items, c->count + 1, sizeof(*c->items));
    out->items = mem_grow(out->items, out->count + 1, sizeof(*out->items));
    out->items[out->count++] = (struct copy_result){0};
    c->items[c->count] = (struct copy_item){.fd = -1, .tree = {.fd = -1}};
    return &c->items[c->count++];
}

/* One copy for each instance that the end with a selector means. */
static int add_items(struct copy *c, struct copy_results *out, const struct copy_end *from,
                     const struct copy_end *to, struct err *e)
{
    bool up = to->selector != NULL;
    auto_strv struct strv names = {0};

    if (up == (from->selector != NULL))
        return err_set(e, ERR_USAGE,
                       up ? "one side is a path of this machine: copy it here first"
                          : "name an instance on one side, as in ceph-osd-1:/etc/x");
    if (selector_names(&names, c->env, up ? to->selector : from->selector, e) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        struct copy_item *it = add_item(c, out);
        bool own_folder = !up && names.count > 1;

        it->up = up;
        it->from = mem_strdup(from->path);
        it->to = own_folder ? fs_join(to->path, names.items[i]) : mem_strdup(to->path);
        it->many = own_folder;
        out->items[out->count - 1].instance = mem_strdup(names.items[i]);
        out->items[out->count - 1].from = mem_strdup(from->path);
    }
    return 0;
}

static int build(struct copy *c, struct copy_results *out, const struct strv *from,
                 const char *to_word, struct err *e)
{
    struct copy_end to;
    int r = copy_end_parse(&to, to_word, e);

    for (size_t i = 0; r == 0 && i < from->count; i++) {
        struct copy_end end;

        r = copy_end_parse(&end, from->items[i], e);
        if (r == 0)
            r = add_items(c, out, &end, &to, e);
        copy_end_clear(&end);
    }
    for (size_t i = 0; r == 0 && i < c->count; i++) { /* now that they stay where they are */
        struct copy_item *it = &c->items[i];

        it->result = &out->items[i];
        it->many |= from->count > 1;
        it->over_ssh = ssh_answers(c->env, it->result->instance);
        it->here = copy_kind_here(it->up ? it->from : it->to);
    }
    if (r == 0 && !to.selector && copy_kind_here(to.path) != COPY_KIND_FOLDER && c->count > 1)
        r = err_set(e, ERR_USAGE, "%s is not a folder, and there is more than one thing to copy",
                    to.path);
    if (r == 0)
        r = copy_check_apart(c->items, c->count, e);
    copy_end_clear(&to);
    return r;
}

/* ---- the ways ---- */

static int on_said(void *arg, int stream, const char *p, size_t len, struct err *e)
{
    struct copy_item *it = arg;

    (void)stream, (void)e;
    buf_add(&it->said, p, len);
    return 0;
}

static int on_file(void *arg, int stream, const char *p, size_t len, struct err *e)
{
    struct copy_item *it = arg;

    if (stream == 2)
        return on_said(arg, stream, p, len, e);
    return fs_write_all(it->fd, p, len) < 0 ? err_sys(e, "writing it") : 0;
}

static void start(struct copy *c, struct copy_item *it, char *command)
{
    free(it->command);
    it->command = command;
    buf_init(&it->said, SAID_MAX);
    it->job.command = command;
    it->job.arg = it;
    it->job.until = c->until;
    if (!it->job.output)
        it->job.output = on_said;
    hosts_start(c->hosts, &it->host, &it->job);
}

/* What became of a job whose command has to end with 0. */
static void take_end(struct copy_item *it)
{
    struct err *e = &it->result->error;

    it->result->took_ms += it->job.took_ms;
    if (it->job.error.code != ERR_NONE)
        *e = it->job.error;
    else if (it->job.status != 0)
        err_set(e, ERR_REMOTE, "%.*s", (int)strcspn(buf_str(&it->said), "\n"),
                it->said.len ? buf_str(&it->said) : "the command in the container failed");
}

static void open_login(struct copy *c, struct copy_item *it)
{
    struct err *e = &it->result->error;

    if (ssh_login_open(&it->login, c->env, it->result->instance, e) < 0)
        return;
    it->host = ssh_login_target(&it->login);
}

static void probe(struct copy *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct copy_item *it = &c->items[i];
        const char *const words[] = {
            "/bin/sh", "-c", copy_inside_script, "sh", "probe", it->up ? it->to : it->from, NULL};

        if (it->over_ssh)
            open_login(c, it);
        if (it->over_ssh && copy_is_well(it))
            start(c, it, quote_words(words));
    }
    hosts_finish(c->hosts);
    for (size_t i = 0; i < c->count; i++) {
        struct copy_item *it = &c->items[i];

        if (!it->over_ssh || !copy_is_well(it))
            continue;
        take_end(it);
        it->there = copy_kind_of(&it->mode, buf_str(&it->said));
    }
}

/* ---- over SSH ---- */

static void start_put(struct copy *c, struct copy_item *it)
{
    struct stat st;

    it->fd = open(it->from, O_RDONLY | O_CLOEXEC);
    if (it->fd < 0 || fstat(it->fd, &st) < 0) {
        err_sys(&it->result->error, "%s", it->from);
        return;
    }
    it->job = (struct host_job){.input_fd = &it->fd, .bulk = true};
    start(c, it, copy_put_command(it->target, (uint64_t)st.st_size, st.st_mode & 07777));
}

static void start_get(struct copy *c, struct copy_item *it)
{
    struct err *e = &it->result->error;

    if (copy_tree_open(&it->tree, it->target, e) < 0)
        return;
    it->fd = openat(it->tree.fd, COPY_TREE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (it->fd < 0) {
        err_sys(e, "writing it");
        return;
    }
    it->job = (struct host_job){.output = on_file, .bulk = true};
    start(c, it, copy_get_command(it->from));
}

static bool is_folder(const struct copy_item *it)
{
    return (it->up ? it->here : it->there) == COPY_KIND_FOLDER;
}

/* The next of them, at most AT_ONCE, from *at on. */
static size_t next_items(struct copy_item **out, const struct copy *c, size_t *at, bool folders)
{
    size_t count = 0;

    for (; *at < c->count && count < AT_ONCE; ++*at) {
        struct copy_item *it = &c->items[*at];

        if (it->over_ssh && copy_is_well(it) && is_folder(it) == folders)
            out[count++] = it;
    }
    return count;
}

static void finish_file(struct copy_item *it)
{
    struct err *e = &it->result->error;

    if (copy_is_well(it)) {
        take_end(it);
        it->result->bytes = it->up ? it->job.sent : it->job.received;
    }
    if (!it->up && copy_is_well(it) && fchmod(it->fd, it->mode) < 0)
        err_sys(e, "%s", it->target);
    if (!it->up && copy_is_well(it))
        copy_tree_move(&it->tree, it->target, e);
    item_close(it);
}

static void copy_files(struct copy *c)
{
    struct copy_item *some[AT_ONCE];
    size_t count, at = 0;

    while ((count = next_items(some, c, &at, false))) {
        for (size_t i = 0; i < count; i++) {
            some[i]->result->via = "ssh";
            if (some[i]->up)
                start_put(c, some[i]);
            else
                start_get(c, some[i]);
        }
        hosts_finish(c->hosts);
        for (size_t i = 0; i < count; i++)
            finish_file(some[i]);
    }
}

/* ---- rsync ---- */

/* The container's names go over rsync's own line (-s), not through a shell. Of what comes, links
 * and devices stay where they are. */
static int rsync_words(struct rsync_job *job, const struct copy *c, struct copy_item *it,
                       struct err *e)
{
    it->name = mem_printf("copy%zu", (size_t)(it - c->items));
    relay_allow(c->relay, it->name, &it->host, c->until);
    rsync_begin(job, c->env->o.paths->relay, c->relay);
    strv_add(&job->argv, "-s");
    strv_add(&job->argv, it->up ? "-rlpt" : "-rpt");
    /* To the nanosecond: rsync takes a file of the same size and second for the same. */
    strv_add(&job->argv, "--modify-window=-1");
    if (it->up) {
        strv_add(&job->argv, "--");
        strv_addf(&job->argv, "%s%s/", it->from[0] == '/' ? "" : "./", it->from);
        strv_addf(&job->argv, "%s:%s/", it->name, it->target);
        return 0;
    }
    if (copy_tree_open(&it->tree, it->target, e) < 0)
        return -1;
    strv_add(&job->argv, "--chmod=D0755,F-s,go-w");
    strv_add(&job->argv, "--");
    strv_addf(&job->argv, "%s:%s/", it->name, it->from);
    strv_addf(&job->argv, "%s%s/%s/", it->tree.dir[0] == '/' ? "" : "./", it->tree.dir,
              COPY_TREE_NAME);
    return 0;
}

static void take_rsync(struct copy *c, struct copy_item *it, const struct rsync_job *job)
{
    struct relay_bytes b = relay_bytes(c->relay, it->name);

    it->result->took_ms += job->took_ms;
    it->result->bytes = it->up ? b.sent : b.received;
    it->result->error = job->error;
    copy_left_take(&it->result->left, job->printed);
    if (copy_is_well(it) && !it->up)
        copy_tree_move(&it->tree, it->target, &it->result->error);
    item_close(it);
}

static void copy_folders(struct copy *c)
{
    struct copy_item *some[AT_ONCE];
    size_t found, at = 0;

    while ((found = next_items(some, c, &at, true))) {
        struct rsync_job jobs[AT_ONCE] = {0};
        size_t count = 0;

        for (size_t i = 0; i < found; i++) {
            some[i]->result->via = "rsync";
            if (rsync_words(&jobs[count], c, some[i], &some[i]->result->error) == 0)
                some[count++] = some[i];
            else
                rsync_clear(&jobs[count]);
        }
        rsync_run(jobs, count, PARALLEL, c->relay, c->until);
        for (size_t i = 0; i < count; i++) {
            take_rsync(c, some[i], &jobs[i]);
            rsync_clear(&jobs[i]);
        }
    }
}

/* ---- through the Engine API ---- */

/* Many at once cost as much as one: what takes long is that Docker begins a command. What comes
 * stays twice in the container meanwhile. */
enum { BATCH_UP = 64, BATCH_DOWN = 16 };

struct batch {
    struct copy_item **items; /* of one instance */
    size_t count;
};
struct batches {
    struct copy *c;
    struct batch *all;
    size_t count;
};

static void find_batches(struct batches *out, struct copy *c)
{
    auto_free bool *taken = mem_array(c->count, sizeof(*taken));

    for (size_t i = 0; i < c->count; i++) {
        const struct copy_item *first = &c->items[i];
        size_t most = first->up ? BATCH_UP : BATCH_DOWN;
        struct batch b = {0};

        if (first->over_ssh || taken[i])
            continue;
        b.items = mem_array(most, sizeof(struct copy_item *));
        for (size_t k = i; k < c->count && b.count < most; k++)
            if (!taken[k] && strcmp(c->items[k].result->instance, first->result->instance) == 0) {
                taken[k] = true;
                b.items[b.count++] = &c->items[k];
            }
        out->all = mem_grow(out->all, out->count + 1, sizeof(*out->all));
        out->all[out->count++] = b;
    }
}

static void docker_job(void *arg, size_t i)
{
    struct batches *all = arg;
    struct batch *b = &all->all[i];
    struct copy *c = all->c;
    int64_t began = clock_now_ms();
    struct engine *g = NULL;
    struct err e;

    if (until_check_wait(c->until, "it was not begun", &e) == 0 &&
        engine_clone(&g, c->env->engine, &e) == 0) {
        engine_set_until(g, c->until);
        copy_docker(b->items, b->count, c->env, g);
    } else {
        for (size_t k = 0; k < b->count; k++)
            b->items[k]->result->error = e;
    }
    engine_close(g);
    for (size_t k = 0; k < b->count; k++) {
        item_close(b->items[k]);
        b->items[k]->result->took_ms = clock_now_ms() - began;
    }
    free(b->items);
}

static void copy_by_docker(struct copy *c)
{
    struct batches all = {.c = c};

    find_batches(&all, c);
    pool_run(all.count, PARALLEL, docker_job, &all);
    free(all.all);
}

/* ---- all ---- */

static void item_clear(struct copy_item *it)
{
    item_close(it);
    ssh_login_clear(&it->login);
    buf_clear(&it->said);
    free(it->command);
    free(it->from);
    free(it->to);
    free(it->target);
    free(it->name);
}

static int run(struct copy *c, struct err *e)
{
    const char *tmp = c->env->o.temp_dir ? c->env->o.temp_dir : "/tmp";

    c->hosts = env_hosts(c->env);
    if (relay_open(&c->relay, c->hosts, tmp, e) < 0)
        return -1;
    probe(c);
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].over_ssh && copy_is_well(&c->items[i]))
            copy_decide(&c->items[i], &c->items[i].result->error);
    copy_files(c);
    copy_folders(c);
    copy_by_docker(c);
    return 0;
}

int copy_run(struct copy_results *out, struct env *env, const struct strv *from, const char *to,
             struct err *e)
{
    struct copy c = {.env = env};
    int r;

    *out = (struct copy_results){0};
    c.until = until_before(env->until, env_deadline(env, COPY_TIMEOUT_MS));
    r = build(&c, out, from, to, e);
    if (r == 0)
        r = run(&c, e);
    relay_close(c.relay);
    for (size_t i = 0; i < c.count; i++)
        item_clear(&c.items[i]);
    free(c.items);
    return r;
}

void copy_results_clear(struct copy_results *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->items[i].instance);
        free(r->items[i].from);
        free(r->items[i].to);
        strv_clear(&r->items[i].left.names);
    }
    free(r->items);
    *r = (struct copy_results){0};
}
