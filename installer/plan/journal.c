/* SPDX-License-Identifier: MIT */
#include "plan/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "conf/json.h"
#include "model/keys.h"
#include "plan/fault.h"

enum { FILE_MAX = 16 << 20, LATE_MS = 15 * 1000, ETCD_MS = 5000, GATHER_MS = 500 };

struct journal {
    char *env, *path, *run;
    int fd;               /* -1: there is no file */
    bool unwritten;       /* what the file does not take is let go */
    atomic_bool given_up; /* it has not taken an entry, and is not written any more */
    const struct env_lock *lock;
    const struct link *root;
    struct until until;
    struct etcd *c; /* of the thread; of journal_finish when the thread is gone */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t cond;
    struct node *pending; /* key -> entry: what etcd does not have yet */
    bool stop, away, lost;
    struct fault fault;
};

char *journal_leftover(const char *folder)
{
    auto_free char *path = fs_join(folder, "journal");
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

/* Age of the last entry in milliseconds; -1: there is none. */
static int64_t last_entry_age(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -1;
    return clock_wall_ms() - ((int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
}

static bool makes_object(const char *title)
{
    for (enum op_kind kind = 0; kind < OP_KIND_COUNT; kind++) {
        auto_free char *start = mem_printf("%s %s ", op_verb(kind), op_noun(kind));

        if (op_has(kind, OP_TRAIT_MAKES) && strncmp(title, start, strlen(start)) == 0)
            return true;
    }
    return false;
}

void journal_unanswered(struct journal_unanswered *u, const char *folder)
{
    auto_free char *path = fs_join(folder, "journal");
    auto_free char *text = NULL;
    auto_strv struct strv lines = {0};
    auto_node struct node *open_calls = node_new_map(); /* title -> how many */
    const struct node *call;
    int64_t age = last_entry_age(path);
    struct err ignored;

    *u = (struct journal_unanswered){0};
    if (age < 0 || age >= LATE_MS || fs_read(&text, NULL, path, FILE_MAX, &ignored) < 0)
        return;
    strv_split(&lines, text, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        auto_node struct node *entry = NULL;
        const char *op, *state;

        if (json_parse(&entry, path, lines.items[i], strlen(lines.items[i]), &ignored) < 0)
            continue;
        op = node_get_text(entry, "op");
        state = node_get_text(entry, "state");
        if (op && state && strcmp(state, "unanswered") != 0)
            node_set_int(open_calls, op,
                         node_get_int(open_calls, op, 0) +
                             (strcmp(state, "started") == 0 ? 1 : -1));
    }
    node_for_each (call, open_calls) {
        if (node_get_int(open_calls, call->key, 0) < 1)
            continue;
        u->late = clock_deadline(LATE_MS - age);
        u->makes_objects = u->makes_objects || makes_object(call->key);
    }
}

void journal_wait_out(const char *folder, int64_t age_ms, struct until until)
{
    auto_free char *path = fs_join(folder, "journal");
    int64_t age = last_entry_age(path);

    if (age < 0 || age >= age_ms)
        return;
    log_info("letting Docker finish what the interrupted run had asked of it");
    until_sleep_ms(until, age_ms - age);
}

void journal_forget(const char *folder)
{
    auto_free char *path = fs_join(folder, "journal");

    unlink(path);
}

/* What has come up since the last time, in one transaction (or a few, when it is much). */
static void write_etcd(struct journal *j, const struct node *entries)
{
    struct etcd_push_opts o = {lock_key(j->lock), lock_revision(j->lock), 1};
    auto_free struct etcd_write *writes = mem_array(entries->count + 1, sizeof(*writes));
    const struct node *entry;
    size_t count = 0;
    struct err e;

    node_for_each (entry, entries)
        writes[count++] = (struct etcd_write){.key = entry->key, .value = entry->text};
    if (!j->c && etcd_open(&j->c, j->root, NULL, &e) < 0) {
        err_drop(&e, "opening etcd for the journal");
        return;
    }
    etcd_set_until(j->c, until_within(j->until, ETCD_MS));
    if (etcd_push(j->c, writes, count, &o, NULL, &e) == 0)
        return;
    if (e.code == ERR_LOCKED) {
        pthread_mutex_lock(&j->mutex);
        j->lost = true;
        pthread_mutex_unlock(&j->mutex);
    }
    /* etcd itself may be what is being replaced: the file has the entries. */
    err_drop(&e, "writing the journal to etcd");
}

/* Lets entries come together: each transaction takes etcd's time from those that wait for it. With
 * the mutex held. */
static void gather(struct journal *j)
{
    struct until until = until_within(j->until, GATHER_MS);

    while (!j->stop && !until_passed(until))
        pool_cond_wait(&j->cond, &j->mutex, until_left_ms(until));
}

static void *mirror(void *arg)
{
    struct journal *j = arg;

    pthread_mutex_lock(&j->mutex);
    for (;;) {
        bool can = !j->away && lock_is_taken(j->lock);
        auto_node struct node *entries = NULL;

        if (j->stop && (!can || j->pending->count == 0))
            break;
        if (!can || j->pending->count == 0) {
            pthread_cond_wait(&j->cond, &j->mutex);
            continue;
        }
        entries = j->pending;
        j->pending = node_new_map();
        pthread_mutex_unlock(&j->mutex);
        write_etcd(j, entries);
        pthread_mutex_lock(&j->mutex);
        gather(j);
    }
    pthread_mutex_unlock(&j->mutex);
    return NULL;
}

/* `r` 0, or -1 with *e: the file did not take an entry, which does not stop every run. */
static int file_failed(struct journal *j, int r, struct err *e)
{
    if (r == 0 || !j->unwritten)
        return r;
    if (!atomic_exchange(&j->given_up, true))
        log_warn("%s; going on without a journal", e->msg);
    return 0;
}

/* Appended by one call: the entries of several threads stay whole without a lock. */
static int write_file(const struct journal *j, const char *line, struct err *e)
{
    ssize_t written;

    if (j->fd < 0 || atomic_load(&j->given_up))
        return 0;
    written = write(j->fd, line, strlen(line));
    if (written < 0)
        return err_sys(e, "writing %s", j->path);
    if ((size_t)written < strlen(line))
        return err_set(e, ERR_SYS, "writing %s: there is no room for a whole entry", j->path);
    return 0;
}

int journal_open(struct journal **out, const struct journal_opts *o, struct err *e)
{
    struct journal *j = mem_alloc(sizeof(*j));

    j->env = mem_strdup(o->env);
    j->path = fs_join(o->folder, "journal");
    j->run = mem_printf("%" PRId64 "-%d", clock_wall_ms(), (int)getpid());
    j->fault = fault_parse(o->fault);
    j->lock = o->lock;
    j->root = o->root;
    j->until = o->until;
    j->pending = node_new_map();
    pthread_mutex_init(&j->mutex, NULL);
    pool_cond_init(&j->cond);
    j->fd = open(j->path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600);
    j->unwritten = o->unwritten;
    if (j->fd < 0 && file_failed(j, err_sys(e, "opening %s", j->path), e) < 0) {
        journal_close(j);
        return -1;
    }
    /* Without its thread the journal is the file alone. */
    j->has_thread = o->lock && o->root && thread_start(&j->thread, NULL, mirror, j) == 0;
    *out = j;
    return 0;
}

void journal_set_etcd_away(struct journal *j, bool away)
{
    pthread_mutex_lock(&j->mutex);
    j->away = away;
    pthread_cond_signal(&j->cond);
    pthread_mutex_unlock(&j->mutex);
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

int journal_write(struct journal *j, const struct op *op, const char *state, struct err *e)
{
    auto_free char *text = entry_text(op, state);
    auto_free char *line = mem_printf("%s\n", text);
    auto_free char *name = mem_printf("%s/%s-%s", j->run, op_verb(op->kind), op->target);
    auto_free char *key = keys_journal(j->env, name);
    int r = file_failed(j, write_file(j, line, e), e);

    pthread_mutex_lock(&j->mutex);
    if (r == 0 && j->lost)
        r = err_set(e, ERR_LOCKED, "the lock of environment %s was lost to another run", j->env);
    node_set_text(j->pending, key, text);
    pthread_cond_signal(&j->cond);
    fault_point(&j->fault);
    pthread_mutex_unlock(&j->mutex);
    return r;
}

static void stop_mirror(struct journal *j)
{
    if (!j->has_thread)
        return;
    pthread_mutex_lock(&j->mutex);
    j->stop = true;
    pthread_cond_signal(&j->cond);
    pthread_mutex_unlock(&j->mutex);
    pthread_join(j->thread, NULL);
    j->has_thread = false;
}

void journal_finish(struct journal *j)
{
    auto_free char *prefix = keys_journal(j->env, "");
    struct err e;

    unlink(j->path);
    pthread_mutex_lock(&j->mutex);
    node_free(j->pending); /* removed with the rest anyway */
    j->pending = node_new_map();
    pthread_mutex_unlock(&j->mutex);
    stop_mirror(j);
    if (j->away || !j->root || !j->lock || !lock_is_taken(j->lock))
        return;
    if ((!j->c && etcd_open(&j->c, j->root, NULL, &e) < 0) ||
        (etcd_set_until(j->c, until_within(j->until, ETCD_MS)),
         etcd_delete(j->c, prefix, NULL, &e) < 0))
        err_drop(&e, "removing the journal");
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    stop_mirror(j);
    etcd_close(j->c);
    if (j->fd >= 0)
        close(j->fd);
    pthread_mutex_destroy(&j->mutex);
    pthread_cond_destroy(&j->cond);
    node_free(j->pending);
    free(j->env);
    free(j->path);
    free(j->run);
    free(j);
}
