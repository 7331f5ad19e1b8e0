/* SPDX-License-Identifier: MIT */
/*
 * libslipway-volume reads and writes the volumes of a Slipway environment without a volume driver
 * in between: from any program on a machine that reaches the monitors and OSDs, by librbd.
 *
 * A connection belongs to one pool, a volume to one connection. A volume has one writer: who opens
 * one with SV_WRITER has it alone until it is closed, and is refused (-EBUSY) while a volume driver
 * or another program has it. Any number of programs may read it at the same time.
 *
 * Every function returns 0 or more, or a negative errno; then *e, where it is not NULL, holds the
 * same number and a sentence without a line end. What comes out is NULL or 0 after a failure.
 *
 * Every function that talks to the storage ends: each of its requests has `timeout_s` seconds, then
 * the function returns -ETIMEDOUT. It sends several requests where it has to, and a shrink, a
 * rollback or a removal one for each part of the volume. Whether a write or any other change that
 * ended with -ETIMEDOUT took place is not known.
 *
 * Threads may share connections and volumes without locks of their own. Closing is for the last
 * user: no other call on the same object may be under way or follow. Nothing survives a fork: the
 * child opens its own connection.
 *
 * Nothing is kept back in this process: a write that has ended is in the storage. sv_flush waits
 * for those that are under way.
 */
#ifndef SLIPWAY_VOLUME_H
#define SLIPWAY_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SV_API __attribute__((visibility("default")))

enum {
    SV_TEXT_MAX = 512,         /* of an error, with its NUL */
    SV_NAME_MAX = 64,          /* of a volume, a snapshot, a pool */
    SV_ADDRESS_MAX = 128,      /* of a client, with its NUL */
    SV_REQUEST_MAX = 1 << 30,  /* bytes of one read or write */
    SV_TIMEOUT_DEFAULT_S = 30, /* 1 to 3600 are allowed */
};

/* Why a call failed. Never holds a key. */
struct sv_error {
    int code; /* negative errno */
    char text[SV_TEXT_MAX];
};

struct sv_connection;
struct sv_volume;

/* ---- Connections ---- */

/*
 * Where the storage is and who asks. Zero means the default; SV_OPTIONS_INIT is all zero and must
 * be used, since its first field says which fields the caller knows. `monitors` is what `slipway
 * volume show` prints after mon_host=. The key comes from exactly one of key_file, key and keyring,
 * unless conf_file names it. The key of client.rbd is in every volume driver:
 * `slipway exec volumedriver-qemu-1 cat /run/slipway/secrets/rbd`.
 */
struct sv_options {
    size_t options_size;   /* sizeof(struct sv_options) */
    const char *monitors;  /* addresses, with commas between them */
    const char *user;      /* "rbd" */
    const char *key_file;  /* file that holds the key alone */
    const char *key;       /* the key itself: for programs that keep it elsewhere */
    const char *keyring;   /* file as `ceph auth get` prints it */
    const char *conf_file; /* a ceph.conf; what is given above beats it */
    const char *pool;      /* "volumes" */
    unsigned timeout_s;    /* SV_TIMEOUT_DEFAULT_S */
};
#define SV_OPTIONS_INIT                                                                            \
    {                                                                                              \
        sizeof(struct sv_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0                     \
    }

/*
 * Opens a connection. -EINVAL: the options are wrong; -ENOENT: there is no such pool or file;
 * -EACCES: the storage does not take the key; -ETIMEDOUT: no monitor answers. The options are not
 * needed afterwards.
 */
SV_API int sv_connect(struct sv_connection **out, const struct sv_options *o, struct sv_error *e);

/* Closes it; NULL is fine. -EBUSY: it stays, because volumes are open. */
SV_API int sv_disconnect(struct sv_connection *c, struct sv_error *e);

/* What one line "rbd:POOL/VOLUME:id=USER:mon_host=ADDRESSES:keyfile=FILE" says; key_file may be
 * empty. */
struct sv_line {
    char pool[SV_NAME_MAX + 1], volume[SV_NAME_MAX + 1], user[SV_NAME_MAX + 1];
    char monitors[2048], key_file[1024];
};

/*
 * Takes the librbd line that `slipway volume show` prints apart; its fields can be pointed to by
 * options. -EINVAL where it is not one.
 */
SV_API int sv_line_parse(struct sv_line *out, const char *line, struct sv_error *e);

/* ---- Volumes of a pool ---- */

/*
 * Makes a thin volume. Names and sizes are those of `slipway volume create`: whole MiB from 1 MiB
 * to 64 TiB. -EEXIST: there is one. `slipway volume` commands know only what they made themselves.
 */
SV_API int sv_create(struct sv_connection *c, const char *name, uint64_t size_bytes,
                     struct sv_error *e);

/* Deletes a volume and its data. -EBUSY: somebody has it; -ENOTEMPTY: it has snapshots. */
SV_API int sv_remove(struct sv_connection *c, const char *name, struct sv_error *e);

/* Names of all volumes and how many there are. Owned by the caller: sv_names_free. */
SV_API int64_t sv_list(struct sv_connection *c, char ***out, struct sv_error *e);
SV_API void sv_names_free(char **names);

enum sv_mode {
    SV_READ_ONLY, /* disturbs nobody and is not a client of sv_client_list */
    SV_WRITER,    /* the only one */
};

/*
 * Opens a volume, or "VOLUME@SNAPSHOT" with SV_READ_ONLY. -ENOENT: there is none; -EBUSY: somebody
 * else is its writer, and the text says who. A writer that died is gone after half a minute.
 */
SV_API int sv_open(struct sv_volume **out, struct sv_connection *c, const char *name,
                   enum sv_mode mode, struct sv_error *e);

/*
 * Waits for the asynchronous requests and their callbacks, and closes; NULL is fine. -EBUSY: a
 * callback has not returned in twice the time of a request, the volume stays open. With any other
 * error it is closed.
 */
SV_API int sv_close(struct sv_volume *v, struct sv_error *e);

/* The size in bytes. Of a volume opened with SV_READ_ONLY: that of the time it was opened. */
SV_API int64_t sv_size(struct sv_volume *v, struct sv_error *e);

/* Shrinking loses what is behind the new end. */
enum sv_resize { SV_GROW, SV_GROW_OR_SHRINK };

/* Changes the size, by the rules of sv_create. -EINVAL: SV_GROW, and it would be smaller. */
SV_API int sv_resize(struct sv_volume *v, uint64_t size_bytes, enum sv_resize how,
                     struct sv_error *e);

/* ---- Reading and writing ---- */

/*
 * All of `length` bytes or an error; nothing is read or written behind the end (-EINVAL). Volumes
 * opened with SV_READ_ONLY refuse to be written (-EROFS). -ESHUTDOWN: this writer was fenced
 * because another took over, and nothing it writes arrives any more.
 */
SV_API int sv_read(struct sv_volume *v, void *buffer, size_t length, uint64_t offset,
                   struct sv_error *e);
SV_API int sv_write(struct sv_volume *v, const void *buffer, size_t length, uint64_t offset,
                    struct sv_error *e);

/* Gives the space back. What is read there afterwards is the old data or zeroes. */
SV_API int sv_discard(struct sv_volume *v, uint64_t offset, uint64_t length, struct sv_error *e);

/* Zeroes for certain; takes no space where it can be helped. */
SV_API int sv_write_zeroes(struct sv_volume *v, uint64_t offset, uint64_t length,
                           struct sv_error *e);

/* Ends when every write that was started before has ended. */
SV_API int sv_flush(struct sv_volume *v, struct sv_error *e);

/* ---- Asynchronous requests ---- */

/*
 * What is called when a request has ended, once for each that was started, on a thread of the
 * library; `e` is NULL when all went well. It may start further requests. It must not call anything
 * that waits for the storage, sv_close least of all: it would wait for itself.
 */
struct sv_done {
    void (*call)(void *arg, const struct sv_error *e);
    void *arg;
};

/*
 * 0: started, `done` will be called; the buffer must stay until then. Negative: refused as the
 * waiting functions would refuse it, and `done` will not be called. Requests of the same place that
 * are under way together end in any order.
 */
SV_API int sv_read_async(struct sv_volume *v, void *buffer, size_t length, uint64_t offset,
                         const struct sv_done *done);
SV_API int sv_write_async(struct sv_volume *v, const void *buffer, size_t length, uint64_t offset,
                          const struct sv_done *done);
SV_API int sv_flush_async(struct sv_volume *v, const struct sv_done *done);

/* ---- Snapshots ---- */

struct sv_snapshot {
    char *name;
    uint64_t size_bytes; /* of the volume when it was made */
};

/* Makes a snapshot of what has been written so far. Needs SV_WRITER. -EEXIST: there is one. */
SV_API int sv_snapshot_create(struct sv_volume *v, const char *name, struct sv_error *e);

/* All snapshots and how many there are. Owned by the caller: sv_snapshots_free. */
SV_API int64_t sv_snapshot_list(struct sv_volume *v, struct sv_snapshot **out, struct sv_error *e);
SV_API void sv_snapshots_free(struct sv_snapshot *list);

/* Takes the volume, its size too, back to the snapshot. Needs SV_WRITER. */
SV_API int sv_snapshot_rollback(struct sv_volume *v, const char *name, struct sv_error *e);

/* Deletes a snapshot. Needs SV_WRITER. -EBUSY: it is protected. */
SV_API int sv_snapshot_remove(struct sv_volume *v, const char *name, struct sv_error *e);

/* ---- Clients ---- */

struct sv_client {
    char address[SV_ADDRESS_MAX]; /* as ceph osd blocklist takes it: 10.0.0.7:0/1234567 */
    uint64_t id;                  /* of its connection to the storage */
    bool has_lock;                /* it is the writer */
    bool is_connected;            /* false: holds the lock, but was not heard of for a while */
    bool is_self;                 /* this connection */
};

/* Everybody who has the volume open but readers. Owned by the caller: sv_clients_free. */
SV_API int64_t sv_client_list(struct sv_volume *v, struct sv_client **out, struct sv_error *e);
SV_API void sv_clients_free(struct sv_client *list);

/* The library's version, "0.1.0". Static. */
SV_API const char *sv_version(void);

#ifdef __cplusplus
}
#endif

#endif
