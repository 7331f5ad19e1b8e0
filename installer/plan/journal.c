/* SPDX-License-Identifier: MIT */
#include "plan/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"

enum { FILE_MAX = 16 << 20, SETTLE_MS = 2500 };

struct journal {
    char *env, *path, *run;
    int fd;
    pthread_mutex_t mutex; /* guards sequence, faults */
    unsigned sequence;
    long kill_after; /* -1: never */
};

/*
 * A failpoint for the tests, like etcd's gofail: SLIPWAY_FAULT=kill-after:N ends the process by
 * SIGKILL behind the Nth journal entry, so that a test can interrupt a run between any two
 * operations.
 */
static long fault_count(void)
{
    const char *fault = getenv("SLIPWAY_FAULT");
    char *end = NULL;
    long n;

    if (!fault || strncmp(fault, "kill-after:", 11) != 0)
        return -1;
    n = strtol(fault + 11, &end, 10);
    return end != fault + 11 && *end == '\0' && n > 0 ? n : -1;
}

static void fault_point(struct journal *j)
{
    if (j->kill_after < 0 || --j->kill_after > 0)
        return;
    kill(getpid(), SIGKILL);
}

static char *journal_path(const char *env)
{
    auto_free char *home = secret_home(env);

    return fs_join(home, "journal");
}

char *journal_leftover(const char *env)
{
    auto_free char *path = journal_path(env);
    auto_free char *text = NULL;
    auto_strv struct strv lines = {0};
    auto_node struct node *last = NULL;
    struct err ignored;

    if (fs_read(&text, NULL, path, FILE_MAX, &ignored) < 0)
        return NULL;
    strv_split(&lines, text, "\n");
    for (size_t i = lines.count; i > 0 && !last; i--)
        if (json_parse(&last, path, lines.items[i - 1], strlen(lines.items[i - 1]), &ignored) < 0)
            last = NULL;
    if (!last)
        return NULL;
    return mem_printf("the run of %s ended at `%s` (%s); what is missing is done now",
                      node_get_text(last, "at") ? node_get_text(last, "at") : "?",
                      node_get_text(last, "op") ? node_get_text(last, "op") : "?",
                      node_get_text(last, "state") ? node_get_text(last, "state") : "?");
}

void journal_settle(const char *env)
{
    auto_free char *path = journal_path(env);
    struct stat st;
    int64_t age;

    if (stat(path, &st) < 0)
        return;
    age = clock_wall_ms() - ((int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
    if (age >= 0 && age < SETTLE_MS)
        clock_sleep_ms(SETTLE_MS - age);
}

void journal_forget(const char *env)
{
    auto_free char *path = journal_path(env);

    unlink(path);
}

int journal_open(struct journal **out, const char *env, struct err *e)
{
    struct journal *j = mem_alloc(sizeof(*j));

    j->env = mem_strdup(env);
    j->path = journal_path(env);
    j->run = mem_printf("%" PRId64 "-%d", clock_wall_ms(), (int)getpid());
    j->kill_after = fault_count();
    pthread_mutex_init(&j->mutex, NULL);
    j->fd = open(j->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (j->fd < 0) {
        err_sys(e, "opening %s", j->path);
        journal_close(j);
        return -1;
    }
    *out = j;
    return 0;
}

static char *entry_text(const struct op *op, const char *state)
{
    auto_node struct node *n = node_new_map();
    auto_free char *title = op_title(op);
    char at[32];

    clock_format(at, clock_wall_ms());
    node_set_text(n, "op", title);
    node_set_text(n, "state", state);
    node_set_text(n, "at", at);
    node_set_int(n, "pid", getpid());
    return json_text(n);
}

static int write_etcd(struct journal *j, struct etcd *c, const struct env_lock *l,
                      const struct op *op, const char *text, struct err *e)
{
    auto_free char *name = mem_printf("%s/%s-%s", j->run, op_verb(op->kind), op->target);
    auto_free char *key = keys_journal(j->env, name);
    struct etcd_txn *t = etcd_txn_new();
    int r;

    etcd_txn_if(t, lock_key(l), ETCD_CMP_CREATE_EQ, lock_revision(l));
    etcd_txn_put(t, key, text, 0);
    r = etcd_txn_run(c, t, NULL, e);
    etcd_txn_free(t);
    if (r < 0 && e->code == ERR_CONFLICT)
        return err_set(e, ERR_LOCKED, "the lock of environment %s was lost to another run", j->env);
    return r;
}

int journal_write(struct journal *j, struct etcd *c, const struct env_lock *l, const struct op *op,
                  const char *state, struct err *e)
{
    auto_free char *text = entry_text(op, state);
    auto_free char *line = mem_printf("%s\n", text);
    int r = 0;

    pthread_mutex_lock(&j->mutex);
    if (write(j->fd, line, strlen(line)) < 0)
        r = err_sys(e, "writing %s", j->path);
    pthread_mutex_unlock(&j->mutex);
    if (r == 0 && c && l && lock_key(l))
        r = write_etcd(j, c, l, op, text, e);
    /* etcd itself may be what is being replaced: the file has the entry. */
    if (r < 0 && (err_retryable(e) || e->code == ERR_REMOTE)) {
        err_drop(e, "writing the journal to etcd");
        r = 0;
    }
    pthread_mutex_lock(&j->mutex);
    fault_point(j);
    pthread_mutex_unlock(&j->mutex);
    return r;
}

void journal_finish(struct journal *j, struct etcd *c)
{
    auto_free char *prefix = keys_journal(j->env, "");
    struct err e;

    unlink(j->path);
    if (c && etcd_delete(c, prefix, NULL, &e) < 0)
        err_drop(&e, "removing the journal");
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    pthread_mutex_destroy(&j->mutex);
    free(j->env);
    free(j->path);
    free(j->run);
    free(j);
}
