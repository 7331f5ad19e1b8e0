/* SPDX-License-Identifier: MIT */
/* The two ways into a container: the key that deploys, and the Engine API. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env/instances.h"
#include "env/release_item.h"

enum { SAID_MAX = 64 << 10, DISCARD_MS = 15 * 1000 };

static bool is_open(const struct release_item *it)
{
    return it->over_ssh && !it->done && it->result->error.code == ERR_NONE;
}

/* ---- over SSH ---- */

static int on_said(void *arg, int stream, const char *p, size_t len, struct err *e)
{
    struct release_item *it = arg;

    (void)e;
    buf_add(stream == 1 ? &it->said : &it->errors, p, len);
    return 0;
}

/* The command's last line, without the name that the agent puts in front. */
static int explain(const struct buf *errors, int status, struct err *e)
{
    const char *text = buf_str(errors), *name = "slipway-agent: ";
    const char *at = strstr(text, name);

    if (at)
        text = at + strlen(name);
    if (!*text || status == 127)
        return err_set(e, ERR_REMOTE,
                       "its image is too old to exchange the agent; `slipway up` makes a new one");
    return err_set(e, ERR_REMOTE, "%.*s", (int)strcspn(text, "\n"), text);
}

static void start(struct release_work *w, struct release_item *it, char *command)
{
    free(it->command);
    it->command = command;
    buf_clear(&it->said);
    buf_clear(&it->errors);
    buf_init(&it->said, SAID_MAX);
    buf_init(&it->errors, SAID_MAX);
    it->job =
        (struct host_job){.command = command, .output = on_said, .arg = it, .until = w->until};
    hosts_start(w->hosts, &it->host, &it->job);
}

/* The operator's key is renewed by every rotation, this one only by newer versions of it. */
static int explain_login(const struct err *why, struct err *e)
{
    *e = *why;
    if (why->code != ERR_AUTH || !strstr(why->msg, HOST_REFUSED))
        return -1;
    return err_set(e, ERR_AUTH, "%.400s; `slipway up` gives it the key that deploys agents",
                   why->msg);
}

static int job_end(struct release_item *it, struct err *e)
{
    it->result->took_ms += it->job.took_ms;
    if (it->job.error.code != ERR_NONE)
        return explain_login(&it->job.error, e);
    return it->job.status == 0 ? 0 : explain(&it->errors, it->job.status, e);
}

static void ask(struct release_work *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct release_item *it = &w->items[i];
        struct release_result *r = it->result;

        if (!it->over_ssh)
            continue;
        r->via = "ssh";
        if (ssh_login_deploy(&it->login, w->env, r->instance, &r->error) < 0)
            continue;
        it->host = ssh_login_target(&it->login);
        start(w, it, mem_strdup("release status"));
    }
    hosts_finish(w->hosts);
    for (size_t i = 0; i < w->count; i++) {
        struct release_item *it = &w->items[i];
        struct err *e = &it->result->error;

        if (is_open(it) && job_end(it, e) == 0 &&
            release_take_status(it, buf_str(&it->said), e) == 0)
            it->done = release_is_unchanged(w, it);
    }
}

/* The folder is the container's to choose; the basis, too. */
static void send(struct release_work *w)
{
    struct rsync_job *jobs = mem_array(w->count, sizeof(*jobs));
    struct release_item **whose = mem_array(w->count, sizeof(struct release_item *));
    size_t count = 0;

    for (size_t i = 0; i < w->count; i++) {
        struct release_item *it = &w->items[i];
        struct rsync_job *job = &jobs[count];

        if (!is_open(it))
            continue;
        it->name = mem_printf("i%zu", i);
        relay_allow(w->relay, it->name, &it->host, w->until);
        rsync_begin(job, w->env->o.paths->relay, w->relay);
        strv_add(&job->argv, "-pI");
        strv_add(&job->argv, "--");
        strv_addf(&job->argv, "%s%s", w->file[0] == '/' ? "" : "./", w->file);
        strv_addf(&job->argv, "%s:%s/" RELEASE_AGENT, it->name, w->digest);
        whose[count++] = it;
    }
    rsync_run(jobs, count, w->parallel, w->relay, w->until);
    for (size_t i = 0; i < count; i++) {
        struct release_result *r = whose[i]->result;

        r->sent = relay_bytes(w->relay, whose[i]->name).sent;
        r->took_ms += jobs[i].took_ms;
        r->error = jobs[i].error;
        rsync_clear(&jobs[i]);
    }
    free(jobs);
    free(whose);
}

/* What came in part is of no use, and takes room where there may be none. */
static void discard(struct release_work *w)
{
    struct until until = until_within(w->until, DISCARD_MS);

    for (size_t i = 0; i < w->count; i++) {
        struct release_item *it = &w->items[i];

        if (!it->name || it->result->error.code == ERR_NONE)
            continue;
        start(w, it, mem_printf("release discard %s", w->digest));
        it->job.until = until;
    }
    hosts_finish(w->hosts);
    for (size_t i = 0; i < w->count; i++) {
        struct release_item *it = &w->items[i];

        if (it->name && it->result->error.code != ERR_NONE && it->job.error.code != ERR_NONE)
            err_drop(&it->job.error, "discarding what was sent in part");
    }
}

static void finish(struct release_work *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (is_open(&w->items[i]))
            start(w, &w->items[i],
                  w->o->verb == RELEASE_VERB_DEPLOY
                      ? mem_printf("release activate %s %lld", w->digest, (long long)w->trial_ms)
                      : mem_printf("release rollback %lld", (long long)w->trial_ms));
    hosts_turn(w->hosts, until_in(0, NULL));
    release_step(w); /* some were asked, and none has answered */
    hosts_finish(w->hosts);
    for (size_t i = 0; i < w->count; i++) {
        struct release_item *it = &w->items[i];
        struct err *e = &it->result->error;

        if (is_open(it) && job_end(it, e) == 0)
            release_take_end(it, buf_str(&it->said), e);
    }
}

int release_over_ssh(struct release_work *w, struct err *e)
{
    int r = 0;

    w->hosts = env_hosts(w->env);
    ask(w);
    release_step(w);
    if (w->o->verb == RELEASE_VERB_DEPLOY) {
        r = relay_open(&w->relay, w->hosts, w->env->o.temp_dir ? w->env->o.temp_dir : "/tmp", e);
        if (r == 0) {
            send(w);
            release_step(w);
            discard(w);
            release_step(w);
        }
    }
    if (r == 0 && w->o->verb != RELEASE_VERB_STATUS)
        finish(w);
    release_step(w);
    relay_close(w->relay);
    return r;
}

/* ---- through the Engine API ---- */

/* The image's agent, with these words. */
static int call(char **said, struct engine *g, const char *id, const char *const *argv,
                struct until until, struct err *e)
{
    auto_buf struct buf out = {0}, errors = {0};
    const struct engine_exec x = {
        .argv = argv, .out = &out, .err = &errors, .deadline = until.deadline};
    int status;

    buf_init(&out, SAID_MAX);
    buf_init(&errors, SAID_MAX);
    if (engine_exec_run(&status, g, id, &x, e) < 0)
        return -1;
    if (status != 0)
        return explain(&errors, status, e);
    *said = buf_take(&out);
    return 0;
}

static int put_file(struct release_work *w, struct release_item *it, struct engine *g,
                    const char *id, struct err *e)
{
    auto_free char *path = mem_printf(RELEASE_HOME "/releases/.%s.new/" RELEASE_AGENT, w->digest);
    const struct engine_file f = {.path = path, .data = w->data, .len = w->len, .mode = 0755};

    it->result->sent = w->len;
    if (engine_container_put(g, id, &f, 1, e) == 0)
        return 0;
    const char *argv[] = {RELEASE_HOME "/" RELEASE_AGENT, "release", "discard", w->digest, NULL};
    auto_free char *said = NULL;
    struct err ignored;
    if (call(&said, g, id, argv, until_within(w->until, DISCARD_MS), &ignored) < 0)
        err_drop(&ignored, "discarding what was sent in part");
    return -1;
}

int release_by_engine(struct release_work *w, struct release_item *it, struct engine *g,
                      struct err *e)
{
    const char *status[] = {RELEASE_HOME "/" RELEASE_AGENT, "release", "status", NULL};
    auto_free char *ms = mem_printf("%lld", (long long)w->trial_ms);
    const char *activate[] = {status[0], "release", "activate", w->digest, ms, NULL};
    const char *rollback[] = {status[0], "release", "rollback", ms, NULL};
    bool deploy = w->o->verb == RELEASE_VERB_DEPLOY;
    auto_free char *said = NULL, *ended = NULL;
    const char *id;

    if (instances_running(NULL, &id, w->env, it->result->instance, e) < 0)
        return -1;
    it->result->via = "docker";
    if (call(&said, g, id, status, w->until, e) < 0 || release_take_status(it, said, e) < 0)
        return -1;
    release_step(w);
    if (release_is_unchanged(w, it))
        return 0;
    if (deploy && put_file(w, it, g, id, e) < 0)
        return -1;
    release_step(w);
    if (call(&ended, g, id, deploy ? activate : rollback, w->until, e) < 0)
        return -1;
    release_step(w);
    return release_take_end(it, ended, e);
}
