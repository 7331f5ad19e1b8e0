/* SPDX-License-Identifier: MIT */
#include "env/volume_format.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"

enum { TOOL_MS = 60000, OUTPUT_MAX = 16384, HEAD = 2048, BLKID_NOTHING = 2 };

static const char MARK[] = "formatting";

static int run(int *status, struct buf *out, const char *const *argv, struct until until,
               struct err *e)
{
    struct proc_opts o = {.argv = argv,
                          .deadline = until_within(until, TOOL_MS).deadline,
                          .cancel = until.cancel,
                          .out = out,
                          .err = out};

    buf_init(out, OUTPUT_MAX);
    return proc_run(status, &o, e);
}

/* ---- the mark ---- */

static int set_mark(struct volume_run *r, const char *name, bool begun, struct err *e)
{
    auto_strv struct strv names = {0};
    struct node *n;

    strv_add(&names, name);
    if (volume_run_begin(r, "volume mount", e) < 0 || volume_find(&n, &r->maps, name, e) < 0)
        return -1;
    if (begun)
        node_set_bool(n, MARK, true);
    else
        node_remove(n, MARK);
    return volume_run_put(r, &names, false, e);
}

bool volume_format_unmark(const struct volume_maps *m, const struct strv *names)
{
    bool marked = false;

    for (size_t i = 0; i < names->count; i++) {
        struct node *n = node_get(m->volumes, names->items[i]);

        marked = node_get_bool(n, MARK, false) || marked;
        if (n)
            node_remove(n, MARK);
    }
    return marked;
}

/* ---- what is there ---- */

static int begins_with_zeros(bool *zeros, const char *path, struct err *e)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    char head[HEAD] = "";
    ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);

    if (n < 0)
        return err_sys(e, "cannot read %s", path);
    *zeros = n == HEAD && !head[0] && memcmp(head, head + 1, HEAD - 1) == 0;
    return 0;
}

/* Whether it can be what a mkfs left that was killed: that writes its superblock last. */
static int is_half(bool *half, const char *file, struct until until, struct err *e)
{
    const char *probe[] = {"blkid", "-p", file, NULL};
    auto_buf struct buf out = {0};
    int status = 0;

    if (begins_with_zeros(half, file, e) < 0 || (*half && run(&status, &out, probe, until, e) < 0))
        return -1;
    *half = *half && status == BLKID_NOTHING;
    return 0;
}

static int make(const struct volume_format *f, struct until until, struct err *e)
{
    const char *argv[] = {"mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard", f->file, NULL};
    auto_buf struct buf out = {0};
    int status = 0, result;

    if (f->held >= 0)
        (void)fcntl(f->held, F_SETFD, 0);
    result = run(&status, &out, argv, until, e);
    if (f->held >= 0)
        (void)fcntl(f->held, F_SETFD, FD_CLOEXEC);
    if (result == 0 && status != 0)
        result = err_set(e, ERR_SYS, "%s: %s", argv[0],
                         out.len ? buf_str(&out) : "it failed with no output");
    return result;
}

int volume_format(struct volume_run *r, const struct volume_format *f, struct err *e)
{
    bool begun = node_get_bool(node_get(r->maps.volumes, f->name), MARK, false);
    bool blank = false, half = false;

    if (fs_is_blank(&blank, f->file, e) < 0)
        return -1;
    if (blank && f->read_only)
        return err_set(e, ERR_CONFLICT, "it holds nothing and is attached for reading only");
    if (begun && !blank && is_half(&half, f->file, r->env->until, e) < 0)
        return -1;
    if (f->read_only || (!blank && !begun))
        return 0;
    if (half)
        log_info("volume %s: formatting it was interrupted, and starts again", f->name);
    if (blank || half) {
        if (set_mark(r, f->name, true, e) < 0 || make(f, r->env->until, e) < 0)
            return -1;
    }
    return set_mark(r, f->name, false, e);
}
