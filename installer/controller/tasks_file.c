/* SPDX-License-Identifier: MIT */
/* What became of tasks, in a file: added line by line, and now and then written again. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "controller/tasks_own.h"

enum { ADDED_MAX = 4 << 20 /* bytes that are added before the file is written again */ };

struct node *task_whole(const struct task *t)
{
    struct node *n = node_copy(t->told);

    if (t->result)
        node_set(n, "result", node_copy(t->result));
    return n;
}

static void add_line(struct buf *b, const struct task *t)
{
    auto_node struct node *n = task_whole(t);

    json_format(b, n, 0);
    buf_putc(b, '\n');
}

/* The newest first is how they are held, the oldest first how they are written. */
static void add_lines(struct buf *b, const struct task *t)
{
    if (!t)
        return;
    add_lines(b, t->older);
    add_line(b, t);
}

/* A line each. */
static int write_all(struct tasks *ts, struct err *e)
{
    static const struct fs_write_opts private = {0600, (uid_t)-1, (gid_t)-1};
    auto_buf struct buf b = {0};

    buf_init(&b, TASKS_FILE_MAX);
    add_lines(&b, ts->newest);
    if (fs_write(ts->path, buf_str(&b), b.len, &private, e) < 0)
        return -1;
    ts->added = 0;
    return 0;
}

static int append(struct task *t, struct err *e)
{
    struct tasks *ts = t->ts;
    auto_close int fd = open(ts->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    auto_buf struct buf b = {0};

    buf_init(&b, TASKS_FILE_MAX);
    add_line(&b, t);
    ts->added += b.len;
    if (fd < 0 || fs_write_all(fd, buf_str(&b), b.len) < 0)
        return err_sys(e, "cannot write %s", ts->path);
    return 0;
}

/* What came of writing. After a failure half a line may stand there, to which nothing is to be
 * added. */
static void note_written(struct tasks *ts, int r, const struct err *e)
{
    if (r < 0 && !ts->unwritten)
        log_warn("the history of tasks is not written down: %s", e->msg);
    if (r == 0 && ts->unwritten)
        log_info("the history of tasks is written down again");
    ts->unwritten = r < 0;
}

void task_write(struct task *t)
{
    struct tasks *ts = t->ts;
    struct err e;

    if (ts->added < ADDED_MAX && !ts->unwritten)
        note_written(ts, append(t, &e), &e);
    else
        tasks_write_all(ts, &e);
}

int tasks_write_all(struct tasks *ts, struct err *e)
{
    int r = write_all(ts, e);

    note_written(ts, r, e);
    return r;
}

void tasks_catch_up(struct tasks *ts)
{
    struct err e;

    pthread_mutex_lock(&ts->mutex);
    if (ts->unwritten)
        tasks_write_all(ts, &e);
    pthread_mutex_unlock(&ts->mutex);
}
