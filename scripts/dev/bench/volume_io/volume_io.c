/* SPDX-License-Identifier: MIT */
/*
 * One measurement of a block device as its client sees it, the same loop for every way to it:
 *
 *   volume_io ENGINE TARGET read|write BYTES DEPTH SECONDS
 *
 *   rbd    POOL/IMAGE          librbd with $CEPH_CONF, user rbd
 *   nbd    URI                 libnbd, one connection; keys for nbds:// from $PSK
 *   vhost  SOCKET              vhost-user-blk by libblkio, one queue
 *   iscsi  URL                 libiscsi; the password of the user slipway from $CHAP
 *   file   PATH                O_DIRECT, libaio
 *
 * Up to 64 KiB at random places, more than that in sequence; writes put random data. Prints
 * operations per second. SECONDS 0: once over all of it.
 */
#define _GNU_SOURCE
#include <blkio.h>
#include <errno.h>
#include <fcntl.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <libaio.h>
#include <libnbd.h>
#include <poll.h>
#include <pthread.h>
#include <rados/librados.h>
#include <rbd/librbd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MAX = 256, RANDOM_MAX = 65536, ALIGN = 4096, BLOCK = 512 };

struct bench;
struct slot {
    struct bench *b;
    char *data;
    uint64_t offset;
    struct iocb iocb;
    rbd_completion_t completion;
};

struct engine {
    const char *name;
    void (*open)(struct bench *b, const char *target); /* fills size */
    void (*submit)(struct bench *b, struct slot *s);
    void (*wait)(struct bench *b); /* for at least one; calls done for each */
    void (*close)(struct bench *b);
};

struct bench {
    const struct engine *engine;
    bool write;
    size_t bytes;
    int depth;
    double seconds;
    uint64_t size, next, random, count;
    struct slot slots[DEPTH_MAX], *idle[DEPTH_MAX];
    int idle_count;
    char *memory;
    size_t memory_bytes;

    rados_t cluster;
    rados_ioctx_t pool;
    rbd_image_t image;
    pthread_mutex_t lock; /* over the next two */
    pthread_cond_t changed;
    struct slot *finished[DEPTH_MAX];
    int finished_count;
    struct nbd_handle *nbd;
    struct blkio *blkio;
    struct blkioq *queue;
    struct blkio_mem_region region;
    struct iscsi_context *iscsi;
    int lun;
    int fd;
    io_context_t aio;
};

static _Noreturn void __attribute__((format(printf, 1, 2))) fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("volume_io: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void check(int64_t result, const char *what)
{
    if (result < 0)
        fail("%s: %s", what, strerror(result == -1 ? errno : (int)-result));
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void done(struct bench *b, struct slot *s, int64_t result)
{
    check(result, b->write ? "write" : "read");
    b->count++;
    b->idle[b->idle_count++] = s;
}

/* The first line of the file that a variable names. */
static char *secret(const char *variable)
{
    const char *path = getenv(variable);
    FILE *f = path ? fopen(path, "r") : NULL;
    char *line = NULL;
    size_t room = 0;
    if (!f || getline(&line, &room, f) < 0)
        fail("%s names no file", variable);
    line[strcspn(line, "\n")] = '\0';
    fclose(f);
    return line;
}

/* ---- librbd ---- */

static void rbd_begin(struct bench *b, const char *target)
{
    char *pool = strdup(target), *image = strchr(pool, '/');
    if (!image)
        fail("POOL/IMAGE is expected");
    *image++ = '\0';
    check(rados_create2(&b->cluster, "ceph", "client.rbd", 0), "librados");
    check(rados_conf_read_file(b->cluster, getenv("CEPH_CONF")), "CEPH_CONF");
    check(rados_connect(b->cluster), "connecting");
    check(rados_ioctx_create(b->cluster, pool, &b->pool), pool);
    check(rbd_open(b->pool, image, &b->image, NULL), image);
    check(rbd_get_size(b->image, &b->size), "size");
    free(pool);
}

static void rbd_finished(rbd_completion_t completion, void *arg)
{
    struct slot *s = arg;
    struct bench *b = s->b;
    (void)completion;
    pthread_mutex_lock(&b->lock);
    b->finished[b->finished_count++] = s;
    if (b->finished_count == 1)
        pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void rbd_submit(struct bench *b, struct slot *s)
{
    check(rbd_aio_create_completion(s, rbd_finished, &s->completion), "completion");
    check(b->write ? rbd_aio_write(b->image, s->offset, b->bytes, s->data, s->completion)
                   : rbd_aio_read(b->image, s->offset, b->bytes, s->data, s->completion),
          "submitting");
}

static void rbd_wait(struct bench *b)
{
    struct slot *got[DEPTH_MAX];
    int count;
    pthread_mutex_lock(&b->lock);
    while (b->finished_count == 0)
        pthread_cond_wait(&b->changed, &b->lock);
    count = b->finished_count;
    memcpy(got, b->finished, sizeof(*got) * (size_t)count);
    b->finished_count = 0;
    pthread_mutex_unlock(&b->lock);
    for (int i = 0; i < count; i++) {
        ssize_t result = rbd_aio_get_return_value(got[i]->completion);
        rbd_aio_release(got[i]->completion);
        done(b, got[i], result);
    }
}

static void rbd_end(struct bench *b)
{
    check(rbd_flush(b->image), "flush");
    rbd_close(b->image);
    rados_ioctx_destroy(b->pool);
    rados_shutdown(b->cluster);
}

/* ---- NBD ---- */

static void nbd_begin(struct bench *b, const char *target)
{
    if (!(b->nbd = nbd_create()) || nbd_set_uri_allow_local_file(b->nbd, true) < 0)
        fail("%s", nbd_get_error());
    if (strncmp(target, "nbds", 4) == 0 && (nbd_set_tls_psk_file(b->nbd, getenv("PSK")) < 0 ||
                                            nbd_set_tls_username(b->nbd, "slipway") < 0))
        fail("%s", nbd_get_error());
    /* libnbd writes zeros into the buffer of each read first; no other way here does. */
    if (nbd_set_pread_initialize(b->nbd, false) < 0 || nbd_connect_uri(b->nbd, target) < 0)
        fail("%s", nbd_get_error());
    b->size = (uint64_t)nbd_get_size(b->nbd);
}

static int nbd_finished(void *arg, int *error)
{
    struct slot *s = arg;
    done(s->b, s, *error ? -*error : 0);
    return 1; /* retired */
}

static void nbd_submit(struct bench *b, struct slot *s)
{
    nbd_completion_callback then = {.callback = nbd_finished, .user_data = s};
    int64_t cookie = b->write ? nbd_aio_pwrite(b->nbd, s->data, b->bytes, s->offset, then, 0)
                              : nbd_aio_pread(b->nbd, s->data, b->bytes, s->offset, then, 0);
    if (cookie < 0)
        fail("%s", nbd_get_error());
}

static void nbd_wait(struct bench *b)
{
    if (nbd_poll(b->nbd, -1) < 0)
        fail("%s", nbd_get_error());
}

static void nbd_end(struct bench *b)
{
    if (b->write && nbd_flush(b->nbd, 0) < 0)
        fail("%s", nbd_get_error());
    nbd_shutdown(b->nbd, 0);
    nbd_close(b->nbd);
}

/* ---- vhost-user-blk ---- */

static void blkio_check(int result)
{
    if (result < 0)
        fail("libblkio: %s", blkio_get_error_msg());
}

static void vhost_begin(struct bench *b, const char *target)
{
    blkio_check(blkio_create("virtio-blk-vhost-user", &b->blkio));
    blkio_check(blkio_set_str(b->blkio, "path", target));
    blkio_check(blkio_connect(b->blkio));
    blkio_check(blkio_start(b->blkio));
    blkio_check(blkio_get_uint64(b->blkio, "capacity", &b->size));
    b->queue = blkio_get_queue(b->blkio, 0);
    /* Its memory is the only one that the other side sees. */
    blkio_check(blkio_alloc_mem_region(b->blkio, &b->region, b->memory_bytes));
    blkio_check(blkio_map_mem_region(b->blkio, &b->region));
    memcpy(b->region.addr, b->memory, b->memory_bytes);
    for (int i = 0; i < b->depth; i++)
        b->slots[i].data = (char *)b->region.addr + (size_t)i * b->bytes;
}

static void vhost_submit(struct bench *b, struct slot *s)
{
    if (b->write)
        blkioq_write(b->queue, s->offset, s->data, b->bytes, s, 0);
    else
        blkioq_read(b->queue, s->offset, s->data, b->bytes, s, 0);
}

static void vhost_wait(struct bench *b)
{
    struct blkio_completion got[DEPTH_MAX];
    int count = blkioq_do_io(b->queue, got, 1, DEPTH_MAX, NULL);
    blkio_check(count);
    for (int i = 0; i < count; i++)
        done(b, got[i].user_data, got[i].ret);
}

static void vhost_end(struct bench *b)
{
    struct blkio_completion got;
    blkioq_flush(b->queue, NULL, 0);
    blkio_check(blkioq_do_io(b->queue, &got, 1, 1, NULL));
    check(got.ret, "flush");
    blkio_destroy(&b->blkio);
}

/* ---- iSCSI ---- */

static void iscsi_begin(struct bench *b, const char *target)
{
    struct scsi_readcapacity16 *capacity;
    struct scsi_task *task;
    struct iscsi_url *url;
    char *password = secret("CHAP");
    if (!(b->iscsi = iscsi_create_context("iqn.2024-01.io.slipway:bench")) ||
        !(url = iscsi_parse_full_url(b->iscsi, target)))
        fail("iSCSI: %s", iscsi_get_error(b->iscsi));
    iscsi_set_targetname(b->iscsi, url->target);
    iscsi_set_session_type(b->iscsi, ISCSI_SESSION_NORMAL);
    iscsi_set_header_digest(b->iscsi, ISCSI_HEADER_DIGEST_NONE);
    iscsi_set_initiator_username_pwd(b->iscsi, "slipway", password);
    free(password);
    if (iscsi_full_connect_sync(b->iscsi, url->portal, url->lun))
        fail("iSCSI: %s", iscsi_get_error(b->iscsi));
    b->lun = url->lun;
    iscsi_destroy_url(url);
    task = iscsi_readcapacity16_sync(b->iscsi, b->lun);
    capacity = task ? scsi_datain_unmarshall(task) : NULL;
    if (!capacity || capacity->block_length != BLOCK)
        fail("iSCSI: capacity");
    b->size = (capacity->returned_lba + 1) * BLOCK;
    scsi_free_scsi_task(task);
}

static void iscsi_finished(struct iscsi_context *iscsi, int status, void *data, void *arg)
{
    struct slot *s = arg;
    scsi_free_scsi_task(data);
    if (status != SCSI_STATUS_GOOD)
        fail("iSCSI: %s", iscsi_get_error(iscsi));
    done(s->b, s, 0);
}

static void iscsi_submit(struct bench *b, struct slot *s)
{
    struct scsi_task *task;
    uint64_t lba = s->offset / BLOCK;
    if (b->write) {
        task = iscsi_write16_task(b->iscsi, b->lun, lba, (unsigned char *)s->data,
                                  (uint32_t)b->bytes, BLOCK, 0, 0, 0, 0, 0, iscsi_finished, s);
    } else {
        task = iscsi_read16_task(b->iscsi, b->lun, lba, (uint32_t)b->bytes, BLOCK, 0, 0, 0, 0, 0,
                                 iscsi_finished, s);
        if (task)
            scsi_task_add_data_in_buffer(task, (int)b->bytes, (unsigned char *)s->data);
    }
    if (!task)
        fail("iSCSI: %s", iscsi_get_error(b->iscsi));
}

static void iscsi_wait(struct bench *b)
{
    struct pollfd fd = {.fd = iscsi_get_fd(b->iscsi),
                        .events = (short)iscsi_which_events(b->iscsi)};
    if (poll(&fd, 1, -1) < 0 || iscsi_service(b->iscsi, fd.revents) < 0)
        fail("iSCSI: %s", iscsi_get_error(b->iscsi));
}

static void iscsi_end(struct bench *b)
{
    scsi_free_scsi_task(iscsi_synchronizecache16_sync(b->iscsi, b->lun, 0, 0, 0, 0));
    iscsi_logout_sync(b->iscsi);
    iscsi_destroy_context(b->iscsi);
}

/* ---- file ---- */

static void file_begin(struct bench *b, const char *target)
{
    struct stat st;
    check(b->fd = open(target, O_RDWR | O_DIRECT), target);
    check(fstat(b->fd, &st), target);
    b->size = (uint64_t)st.st_size;
    check(io_setup(b->depth, &b->aio), "io_setup");
}

static void file_submit(struct bench *b, struct slot *s)
{
    struct iocb *one = &s->iocb;
    if (b->write)
        io_prep_pwrite(one, b->fd, s->data, b->bytes, (long long)s->offset);
    else
        io_prep_pread(one, b->fd, s->data, b->bytes, (long long)s->offset);
    one->data = s;
    check(io_submit(b->aio, 1, &one), "io_submit");
}

static void file_wait(struct bench *b)
{
    struct io_event got[DEPTH_MAX];
    int count = io_getevents(b->aio, 1, DEPTH_MAX, got, NULL);
    check(count, "io_getevents");
    for (int i = 0; i < count; i++) {
        int64_t result = (int64_t)got[i].res;
        done(b, got[i].data, result < 0 || (size_t)result == b->bytes ? result : -EIO);
    }
}

static void file_end(struct bench *b)
{
    check(fsync(b->fd), "fsync");
    close(b->fd);
}

/* ---- the loop ---- */

static void prepare(struct bench *b)
{
    uint64_t *words;
    b->memory_bytes = (b->bytes * (size_t)b->depth + ALIGN - 1) / ALIGN * ALIGN;
    if (posix_memalign((void **)&b->memory, ALIGN, b->memory_bytes))
        fail("no memory");
    words = (uint64_t *)(void *)b->memory;
    b->random = (uint64_t)getpid() * 0x9e3779b97f4a7c15 | 1;
    for (size_t i = 0; i < b->memory_bytes / sizeof *words; i++)
        words[i] = (b->random = b->random * 6364136223846793005 + 1442695040888963407);
    for (int i = 0; i < b->depth; i++) {
        b->slots[i] = (struct slot){.b = b, .data = b->memory + (size_t)i * b->bytes};
        b->idle[b->idle_count++] = &b->slots[i];
    }
}

static uint64_t place(struct bench *b)
{
    uint64_t count = b->size / b->bytes;
    b->random = b->random * 6364136223846793005 + 1442695040888963407;
    return (b->bytes <= RANDOM_MAX ? (b->random >> 20) % count : b->next++ % count) * b->bytes;
}

static double run(struct bench *b)
{
    double begin = now(), end = begin + b->seconds;
    uint64_t total = b->seconds > 0 ? UINT64_MAX : b->size / b->bytes, sent = 0;
    while (sent < total && (b->seconds <= 0 || now() < end)) {
        while (b->idle_count && sent < total) {
            struct slot *s = b->idle[--b->idle_count];
            s->offset = place(b);
            b->engine->submit(b, s);
            sent++;
        }
        b->engine->wait(b);
    }
    while (b->idle_count < b->depth)
        b->engine->wait(b);
    return (double)b->count / (now() - begin);
}

int main(int argc, char **argv)
{
    static const struct engine engines[] = {
        {"rbd", rbd_begin, rbd_submit, rbd_wait, rbd_end},
        {"nbd", nbd_begin, nbd_submit, nbd_wait, nbd_end},
        {"vhost", vhost_begin, vhost_submit, vhost_wait, vhost_end},
        {"iscsi", iscsi_begin, iscsi_submit, iscsi_wait, iscsi_end},
        {"file", file_begin, file_submit, file_wait, file_end},
    };
    struct bench *b = calloc(1, sizeof *b);
    if (!b || argc != 7)
        fail("ENGINE TARGET read|write BYTES DEPTH SECONDS are expected");
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (strcmp(engines[i].name, argv[1]) == 0)
            b->engine = &engines[i];
    b->write = strcmp(argv[3], "write") == 0;
    b->bytes = strtoul(argv[4], NULL, 10);
    b->depth = (int)strtol(argv[5], NULL, 10);
    b->seconds = strtod(argv[6], NULL);
    if (!b->engine || b->bytes < BLOCK || b->bytes % BLOCK || b->depth < 1 || b->depth > DEPTH_MAX)
        fail("no such engine, size or depth");
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    prepare(b);
    b->engine->open(b, argv[2]);
    if (b->size < b->bytes)
        fail("%s is too small", argv[2]);
    printf("%.1f\n", run(b));
    b->engine->close(b);
    return 0;
}
