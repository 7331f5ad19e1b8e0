/* SPDX-License-Identifier: MIT */
#include "env/rsync.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/proc.h"
#include "base/thread.h"

enum { PRINTED_MAX = 4 << 20, SAID_MAX = 16 << 10, TURN_MS = 200 };

struct batch {
    struct rsync_job *jobs;
    size_t count;
    unsigned parallel;
    struct until until;
    int over; /* an eventfd: all have ended */
};

/* In rsync's own quotes: a quote inside is doubled. */
static void add_quoted(struct buf *b, const char *word)
{
    buf_putc(b, '\'');
    for (const char *c = word; *c; c++) {
        if (*c == '\'')
            buf_putc(b, '\'');
        buf_putc(b, *c);
    }
    buf_putc(b, '\'');
}

void rsync_begin(struct rsync_job *job, const char *program, const struct relay *r)
{
    auto_buf struct buf shell = {0};
    struct strv *argv = &job->argv;

    if (!program) {
        err_set(&job->error, ERR_CONFIG, "there is no program that rsync could have for ssh");
        return;
    }
    buf_init(&shell, 4 * PATH_MAX);
    add_quoted(&shell, program);
    buf_puts(&shell, " " RELAY_WORD " ");
    add_quoted(&shell, relay_path(r));
    strv_add(argv, "rsync");
    strv_add(argv, "-e");
    strv_add(argv, buf_str(&shell));
}

/* What the other side's program says, else what rsync complains of first, from which the rest
 * follows; else the last line but rsync's own summary, which says only where in its source it
 * was. */
static void explain(struct rsync_job *job)
{
    auto_strv struct strv lines = {0};
    const char *why = "it said nothing";
    const char *other = strstr(job->said, "slipway-agent: ");
    const char *first = strstr(job->said, "rsync: [");

    other = other ? other : first;
    strv_split(&lines, other ? other : job->said, "\n");
    for (size_t i = 0; i < lines.count; i++)
        if (strncmp(lines.items[i], "rsync error:", 12) != 0 || i == 0)
            why = lines.items[other ? 0 : i];
    err_set(&job->error, ERR_REMOTE, "%.500s (rsync's status %d)", why, job->status);
}

static void run_one(void *arg, size_t i)
{
    static const char *const variables[] = {"LC_ALL=C.UTF-8", NULL};
    const struct batch *b = arg;
    struct rsync_job *job = &b->jobs[i];
    auto_buf struct buf printed = {0}, said = {0};
    int64_t began = clock_now_ms();

    buf_init(&printed, PRINTED_MAX);
    buf_init(&said, SAID_MAX);
    job->status = -1;
    if (job->error.code == ERR_NONE &&
        until_check_wait(b->until, "rsync was not begun", &job->error) == 0 &&
        proc_run(&job->status,
                 &(struct proc_opts){.argv = (const char *const *)job->argv.items,
                                     .env = variables,
                                     .deadline = b->until.deadline,
                                     .cancel = b->until.cancel,
                                     .out = &printed,
                                     .err = &said},
                 &job->error) == 0) {
        job->printed = buf_take(&printed);
        job->said = mem_strdup(buf_str(&said));
        if (job->status != 0)
            explain(job);
    } else if (job->error.code == ERR_NOTFOUND) {
        err_set(&job->error, ERR_NOTFOUND, "there is no rsync on this machine; install it");
    }
    job->took_ms = clock_now_ms() - began;
}

static void *run_all(void *arg)
{
    struct batch *b = arg;
    uint64_t one = 1;

    pool_run(b->count, b->parallel, run_one, b);
    if (write(b->over, &one, sizeof(one)) < 0)
        return NULL; /* the other thread looks by itself, too */
    return NULL;
}

static void on_over(void *arg)
{
    *(bool *)arg = true;
}

void rsync_run(struct rsync_job *jobs, size_t count, unsigned parallel, struct relay *r,
               struct until until)
{
    auto_close int fd = eventfd(0, EFD_CLOEXEC);
    struct batch b = {
        .jobs = jobs, .count = count, .parallel = parallel, .until = until, .over = fd};
    bool over = false;
    struct host_watch w = {.fd = fd, .ready = on_over, .arg = &over};
    pthread_t id;

    if (count == 0)
        return;
    errno = fd < 0 ? errno : thread_start(&id, NULL, run_all, &b);
    if (errno) {
        for (size_t i = 0; i < count; i++)
            err_sys(&jobs[i].error, "starting a thread");
        return;
    }
    relay_watch(r, &w);
    while (!over)
        relay_turn(r, until_in(TURN_MS, NULL));
    relay_unwatch(r, &w);
    pthread_join(id, NULL);
}

void rsync_clear(struct rsync_job *job)
{
    strv_clear(&job->argv);
    free(job->printed);
    free(job->said);
    *job = (struct rsync_job){0};
}
