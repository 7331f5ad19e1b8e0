/* SPDX-License-Identifier: MIT */
/*
 * A backing store for tgtd: Debian's own for librbd, but reads and writes are not handed to a
 * thread that waits for them. The thread that took a command sends it, librbd's thread for answers
 * puts it into a list, and a descriptor wakes the first one again. All other commands, and writes
 * that are to be flushed at once, go the old way.
 *
 * It is compiled with the source package of the tgt that is installed, bs_rbd.c in it.
 */
#define register_bs_module register_bs_rbd
#include "bs_rbd.c"
#undef register_bs_module

#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>

static pthread_mutex_t finished_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(finished);
static int wake_fd = -1;

static bool is_read(const struct scsi_cmd *cmd)
{
    switch (cmd->scb[0]) {
    case READ_6:
    case READ_10:
    case READ_12:
    case READ_16:
        return true;
    default:
        return false;
    }
}

/* As in bs_rbd_request: with FUA, and without a write cache, an answer means that it is flushed. */
static bool is_plain_write(const struct scsi_cmd *cmd)
{
    struct mode_pg *caching;
    switch (cmd->scb[0]) {
    case WRITE_6:
    case WRITE_10:
    case WRITE_12:
    case WRITE_16:
        caching = find_mode_page(cmd->dev, 0x08, 0);
        return caching && caching->mode_data[0] & 0x04 &&
               (cmd->scb[0] == WRITE_6 || !(cmd->scb[1] & 0x08));
    default:
        return false;
    }
}

/* In librbd's thread. */
static void answered(rbd_completion_t completion, void *arg)
{
    struct scsi_cmd *cmd = arg;
    ssize_t got = rbd_aio_get_return_value(completion);
    ssize_t wanted = is_read(cmd) ? (ssize_t)scsi_get_in_length(cmd) : 0;
    bool first;
    rbd_aio_release(completion);
    scsi_set_result(cmd, got == wanted ? SAM_STAT_GOOD : SAM_STAT_CHECK_CONDITION);
    pthread_mutex_lock(&finished_lock);
    first = list_empty(&finished);
    list_add_tail(&cmd->bs_list, &finished);
    pthread_mutex_unlock(&finished_lock);
    if (first)
        (void)eventfd_write(wake_fd, 1);
}

/* In tgtd's first thread, as all that follows. */
static void take_answers(int fd, int events, void *data)
{
    eventfd_t count;
    LIST_HEAD(list);
    (void)events, (void)data;
    (void)eventfd_read(fd, &count);
    pthread_mutex_lock(&finished_lock);
    list_splice_init(&finished, &list);
    pthread_mutex_unlock(&finished_lock);
    while (!list_empty(&list)) {
        struct scsi_cmd *cmd = list_first_entry(&list, struct scsi_cmd, bs_list);
        list_del(&cmd->bs_list);
        if (scsi_get_result(cmd) != SAM_STAT_GOOD) {
            eprintf("%x at %" PRIu64 " failed\n", cmd->scb[0], cmd->offset);
            sense_data_build(cmd, MEDIUM_ERROR, ASC_READ_ERROR);
        }
        target_cmd_io_done(cmd, scsi_get_result(cmd));
    }
}

static int submit(struct scsi_cmd *cmd)
{
    rbd_image_t image = RBDP(cmd->dev)->rbd_image;
    bool read = is_read(cmd);
    uint32_t length = read ? scsi_get_in_length(cmd) : scsi_get_out_length(cmd);
    rbd_completion_t completion;
    int error;
    if ((!read && !is_plain_write(cmd)) || length == 0 ||
        rbd_aio_create_completion(cmd, answered, &completion) < 0)
        return bs_thread_cmd_submit(cmd);
    set_cmd_async(cmd);
    error = read ? rbd_aio_read(image, cmd->offset, length, scsi_get_in_buffer(cmd), completion)
                 : rbd_aio_write(image, cmd->offset, length, scsi_get_out_buffer(cmd), completion);
    if (error == 0)
        return 0;
    rbd_aio_release(completion); /* it will not be called */
    return bs_thread_cmd_submit(cmd);
}

static tgtadm_err begin(struct scsi_lu *lu, char *options)
{
    if (wake_fd < 0) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0)
            return TGTADM_NOMEM;
        if (tgt_event_add(fd, EPOLLIN, take_answers, NULL)) {
            close(fd);
            return TGTADM_NOMEM;
        }
        wake_fd = fd;
    }
    return bs_rbd_init(lu, options);
}

void register_bs_module(void);
void register_bs_module(void)
{
    static struct backingstore_template own;
    own = rbd_bst;
    own.bs_name = "slipway";
    own.bs_init = begin;
    own.bs_cmd_submit = submit;
    register_backingstore_template(&own);
}
