/* SPDX-License-Identifier: MIT */
/*
 * slipway-volume.h from the command line, for tests/integration: vollib_driver COMMAND ARGUMENT...
 * Where the storage is: VOLLIB_LINE (a line of `slipway volume show`) or VOLLIB_MONITORS, and
 * VOLLIB_KEY_FILE, VOLLIB_KEYRING, VOLLIB_CONF, VOLLIB_USER, VOLLIB_POOL, VOLLIB_TIMEOUT. It uses
 * nothing but the shared library. A failure is "CODE: text" on stderr and exit status 1.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "slipway-volume.h"

enum { REQUEST = 64 << 10, DEPTH = 16 };

struct run {
    struct sv_connection *c;
    struct sv_volume *v;
    char **arguments; /* of the command */
    int count;
    struct sv_error e;
};

static const char *text(const struct run *r, int i)
{
    return i < r->count ? r->arguments[i] : "";
}

static uint64_t number(const struct run *r, int i)
{
    return strtoull(text(r, i), NULL, 0);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int open_as(struct run *r, enum sv_mode mode)
{
    return sv_open(&r->v, r->c, text(r, 0), mode, &r->e);
}

/* ---- data that can be told from any other ---- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void make_data(unsigned char *buffer, size_t length, uint64_t offset, uint64_t seed)
{
    for (size_t i = 0; i < length; i++) {
        uint64_t at = offset + i;

        buffer[i] =
            (unsigned char)(mix(seed * UINT64_C(0x9e3779b97f4a7c15) + at / 8) >> (8 * (at % 8)));
    }
}

/* ---- asynchronous: DEPTH requests under way ---- */

struct lane {
    struct pump *p;
    unsigned char buffer[REQUEST], want[REQUEST];
    uint64_t offset;
    size_t length;
};

struct pump {
    struct run *r;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lane *idle[DEPTH];
    int idle_count, wrong;
    uint64_t seed;
    bool reading;
    struct sv_error first; /* that went wrong */
};

static void lane_done(void *arg, const struct sv_error *e)
{
    struct lane *l = arg;
    struct pump *p = l->p;

    if (!e && p->reading)
        make_data(l->want, l->length, l->offset, p->seed);
    pthread_mutex_lock(&p->lock);
    if (e && !p->first.code)
        p->first = *e;
    if (!e && p->reading && memcmp(l->want, l->buffer, l->length) != 0)
        p->wrong++;
    p->idle[p->idle_count++] = l;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* Waits until `count` lanes are idle and returns one. */
static struct lane *wait_lane(struct pump *p, int count)
{
    struct lane *l;

    pthread_mutex_lock(&p->lock);
    while (p->idle_count < count)
        pthread_cond_wait(&p->changed, &p->lock);
    l = p->idle[--p->idle_count];
    pthread_mutex_unlock(&p->lock);
    return l;
}

static int start(struct pump *p, struct lane *l)
{
    struct sv_done done = {lane_done, l};

    if (p->reading)
        return sv_read_async(p->r->v, l->buffer, l->length, l->offset, &done);
    make_data(l->buffer, l->length, l->offset, p->seed);
    return sv_write_async(p->r->v, l->buffer, l->length, l->offset, &done);
}

static void pump_all(struct pump *p, uint64_t offset, uint64_t length)
{
    struct sv_done done = {lane_done, NULL};
    int r = 0;

    while (length > 0 && r == 0 && !p->first.code) {
        struct lane *l = wait_lane(p, 1);

        l->offset = offset;
        l->length = length < REQUEST ? (size_t)length : REQUEST;
        offset += l->length;
        length -= l->length;
        r = start(p, l);
        if (r < 0)
            lane_done(l, &(struct sv_error){.code = r, .text = "not started"});
    }
    done.arg = wait_lane(p, DEPTH);
    if (p->reading)
        return;
    r = sv_flush_async(p->r->v, &done);
    if (r < 0)
        lane_done(done.arg, &(struct sv_error){r, "no flush"});
    wait_lane(p, DEPTH);
}

/* NAME SEED OFFSET LENGTH */
static int pump(struct run *r, bool reading)
{
    struct lane *lanes = calloc(DEPTH, sizeof(*lanes));
    struct pump p = {.r = r, .seed = number(r, 1), .reading = reading};

    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.changed, NULL);
    for (int i = 0; i < DEPTH; i++) {
        lanes[i].p = &p;
        p.idle[p.idle_count++] = &lanes[i];
    }
    pump_all(&p, number(r, 2), number(r, 3));
    pthread_cond_destroy(&p.changed);
    pthread_mutex_destroy(&p.lock);
    free(lanes);
    r->e = p.first;
    if (!r->e.code && p.wrong) {
        r->e.code = -EIO;
        snprintf(r->e.text, sizeof(r->e.text), "%d requests read other data", p.wrong);
    }
    return r->e.code;
}

static int run_write(struct run *r)
{
    return open_as(r, SV_WRITER) < 0 ? -1 : pump(r, false);
}

static int run_verify(struct run *r)
{
    return open_as(r, SV_READ_ONLY) < 0 ? -1 : pump(r, true);
}

/* ---- waiting ---- */

/* NAME BYTE OFFSET LENGTH */
static int run_fill(struct run *run)
{
    size_t length = (size_t)number(run, 3);
    unsigned char *buffer = malloc(length + 1);
    int r = buffer ? open_as(run, SV_WRITER) : -ENOMEM;

    if (r == 0) {
        memset(buffer, (int)number(run, 1), length);
        r = sv_write(run->v, buffer, length, number(run, 2), &run->e);
    }
    free(buffer);
    return r == 0 ? sv_flush(run->v, &run->e) : r;
}

static int run_check(struct run *run)
{
    size_t length = (size_t)number(run, 3);
    unsigned char *buffer = malloc(length + 1), want = (unsigned char)number(run, 1);
    int r = buffer ? open_as(run, SV_READ_ONLY) : -ENOMEM;

    if (r == 0)
        r = sv_read(run->v, buffer, length, number(run, 2), &run->e);
    for (size_t i = 0; r == 0 && i < length; i++)
        if (buffer[i] != want) {
            snprintf(run->e.text, sizeof(run->e.text), "byte %zu is 0x%02x", i, buffer[i]);
            r = run->e.code = -EIO;
        }
    free(buffer);
    return r;
}

static int run_zero(struct run *r)
{
    return open_as(r, SV_WRITER) < 0 ? -1
                                     : sv_write_zeroes(r->v, number(r, 1), number(r, 2), &r->e);
}

static int run_discard(struct run *r)
{
    return open_as(r, SV_WRITER) < 0 ? -1 : sv_discard(r->v, number(r, 1), number(r, 2), &r->e);
}

/* ---- volumes, snapshots, clients ---- */

static int run_connect(struct run *r)
{
    (void)r;
    return 0;
}

static int run_create(struct run *r)
{
    return sv_create(r->c, text(r, 0), number(r, 1), &r->e);
}

static int run_remove(struct run *r)
{
    return sv_remove(r->c, text(r, 0), &r->e);
}

static int run_list(struct run *r)
{
    char **names;
    int64_t count = sv_list(r->c, &names, &r->e);

    for (int64_t i = 0; i < count; i++)
        puts(names[i]);
    sv_names_free(names);
    return count < 0 ? -1 : 0;
}

static int run_size(struct run *r)
{
    int64_t size = open_as(r, SV_READ_ONLY) < 0 ? -1 : sv_size(r->v, &r->e);

    if (size >= 0)
        printf("%" PRId64 "\n", size);
    return size < 0 ? -1 : 0;
}

/* NAME BYTES [shrink] */
static int run_resize(struct run *r)
{
    if (open_as(r, SV_WRITER) < 0)
        return -1;
    return sv_resize(r->v, number(r, 1), *text(r, 2) ? SV_GROW_OR_SHRINK : SV_GROW, &r->e);
}

/* NAME create|rollback|remove SNAPSHOT */
static int run_snapshot(struct run *r)
{
    const char *verb = text(r, 1), *name = text(r, 2);

    if (open_as(r, SV_WRITER) < 0)
        return -1;
    if (strcmp(verb, "create") == 0)
        return sv_snapshot_create(r->v, name, &r->e);
    if (strcmp(verb, "rollback") == 0)
        return sv_snapshot_rollback(r->v, name, &r->e);
    return sv_snapshot_remove(r->v, name, &r->e);
}

static int run_snapshots(struct run *r)
{
    struct sv_snapshot *list = NULL;
    int64_t count = open_as(r, SV_READ_ONLY) < 0 ? -1 : sv_snapshot_list(r->v, &list, &r->e);

    for (int64_t i = 0; i < count; i++)
        printf("%s %" PRIu64 "\n", list[i].name, list[i].size_bytes);
    sv_snapshots_free(list);
    return count < 0 ? -1 : 0;
}

static int print_clients(struct run *r)
{
    struct sv_client *list;
    int64_t count = sv_client_list(r->v, &list, &r->e);

    for (int64_t i = 0; i < count; i++)
        printf("%s client.%" PRIu64 "%s%s%s\n", list[i].address, list[i].id,
               list[i].has_lock ? " writer" : "", list[i].is_connected ? "" : " gone",
               list[i].is_self ? " self" : "");
    fflush(stdout);
    sv_clients_free(list);
    return count < 0 ? -1 : 0;
}

static int run_clients(struct run *r)
{
    return open_as(r, SV_READ_ONLY) < 0 ? -1 : print_clients(r);
}

/* Is the writer until its input ends. */
static int run_hold(struct run *r)
{
    char line[16];

    if (open_as(r, SV_WRITER) < 0 || print_clients(r) < 0)
        return -1;
    while (fgets(line, sizeof(line), stdin))
        ;
    return 0;
}

/* ---- a storage that stops answering ---- */

static void say(const char *what, int64_t begin, int64_t result, const struct sv_error *e)
{
    printf("%s %" PRId64 " %" PRId64 " ms %s\n", what, result, now_ms() - begin,
           result < 0 ? e->text : "");
    fflush(stdout);
}

#define TRY(what, call)                                                                            \
    do {                                                                                           \
        int64_t begin = now_ms();                                                                  \
        int64_t result = (call);                                                                   \
        say(what, begin, result, &r->e);                                                           \
    } while (0)

/* Opens, says "ready", waits for a line, tries everything, closes. Each must end. */
static int run_stall(struct run *r)
{
    static const char room[4096] = {1};
    char buffer[4096], line[16], other[2 * SV_NAME_MAX];
    struct sv_volume *second = NULL;
    struct sv_snapshot *snapshots = NULL;
    struct sv_client *clients = NULL;
    char **names = NULL;

    snprintf(other, sizeof(other), "%s-2", text(r, 0));
    if (open_as(r, SV_WRITER) < 0)
        return -1;
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        return 0;
    TRY("read", sv_read(r->v, buffer, sizeof(buffer), 0, &r->e));
    TRY("write", sv_write(r->v, room, sizeof(room), 0, &r->e));
    TRY("async", pump(r, false));
    TRY("flush", sv_flush(r->v, &r->e));
    TRY("resize", sv_resize(r->v, UINT64_C(512) << 20, SV_GROW, &r->e));
    TRY("snapshot", sv_snapshot_create(r->v, "late", &r->e));
    TRY("snapshots", sv_snapshot_list(r->v, &snapshots, &r->e));
    TRY("clients", sv_client_list(r->v, &clients, &r->e));
    TRY("list", sv_list(r->c, &names, &r->e));
    TRY("open", sv_open(&second, r->c, other, SV_WRITER, &r->e));
    TRY("create", sv_create(r->c, "late", UINT64_C(1) << 20, &r->e));
    sv_snapshots_free(snapshots);
    sv_clients_free(clients);
    sv_names_free(names);
    TRY("close", sv_close(r->v, &r->e));
    r->v = NULL;
    sv_close(second, NULL);
    return 0;
}

/* ---- wrong use ---- */

static void want(const char *what, int64_t wanted, int64_t got, const struct sv_error *e)
{
    if (got == wanted)
        return;
    fprintf(stderr, "%s: %" PRId64 " instead of %" PRId64 ": %s\n", what, got, wanted, e->text);
    exit(1);
}

static void unwanted(void *arg, const struct sv_error *e)
{
    (void)e;
    *(int *)arg = 1;
}

/* NAME, which has 64 MiB */
static int run_abuse(struct run *r)
{
    uint64_t end = UINT64_C(64) << 20;
    char buffer[512] = {0};
    struct sv_volume *v;
    int called = 0;
    struct sv_done done = {unwanted, &called};

    want("open", 0, open_as(r, SV_READ_ONLY), &r->e);
    want("disconnect", -EBUSY, sv_disconnect(r->c, &r->e), &r->e);
    want("write", -EROFS, sv_write(r->v, buffer, 512, 0, &r->e), &r->e);
    want("flush", -EROFS, sv_flush(r->v, &r->e), &r->e);
    want("async", -EROFS, sv_write_async(r->v, buffer, 512, 0, &done), &r->e);
    want("resize", -EROFS, sv_resize(r->v, end, SV_GROW, &r->e), &r->e);
    want("snapshot", -EROFS, sv_snapshot_create(r->v, "x", &r->e), &r->e);
    want("the end", 0, sv_read(r->v, buffer, 512, end - 512, &r->e), &r->e);
    want("nothing", 0, sv_read(r->v, NULL, 0, end, &r->e), &r->e);
    want("over the end", -EINVAL, sv_read(r->v, buffer, 512, end - 511, &r->e), &r->e);
    want("far behind", -EINVAL, sv_read(r->v, buffer, 512, UINT64_MAX - 1, &r->e), &r->e);
    want("too much", -EINVAL, sv_read(r->v, buffer, SIZE_MAX, 0, &r->e), &r->e);
    want("no buffer", -EINVAL, sv_read(r->v, NULL, 512, 0, &r->e), &r->e);
    want("async over the end", -EINVAL, sv_read_async(r->v, buffer, 512, end, &done), &r->e);
    want("no such volume", -ENOENT, sv_open(&v, r->c, "nothing", SV_WRITER, &r->e), &r->e);
    want("a snapshot to write", -EROFS, sv_open(&v, r->c, "disk@one", SV_WRITER, &r->e), &r->e);
    want("a mode", -EINVAL, sv_open(&v, r->c, "disk", (enum sv_mode)7, &r->e), &r->e);
    want("a name", -EINVAL, sv_open(&v, r->c, "no/disk", SV_WRITER, &r->e), &r->e);
    want("a size", -EINVAL, sv_create(r->c, "x", (UINT64_C(64) << 40) + (1 << 20), &r->e), &r->e);
    want("half a MiB", -EINVAL, sv_create(r->c, "x", 1 << 19, &r->e), &r->e);
    want("an old name", -EEXIST, sv_create(r->c, text(r, 0), end, &r->e), &r->e);
    want("no error", -EINVAL, sv_create(r->c, "x", 1, NULL), &r->e);
    want("callbacks", 0, called, &r->e);
    return 0;
}

/* ---- the program ---- */

static const struct command {
    const char *name;
    int (*run)(struct run *r);
} COMMANDS[] = {
    {"connect", run_connect},   {"create", run_create},       {"remove", run_remove},
    {"list", run_list},         {"size", run_size},           {"resize", run_resize},
    {"write", run_write},       {"verify", run_verify},       {"fill", run_fill},
    {"check", run_check},       {"zero", run_zero},           {"discard", run_discard},
    {"snapshot", run_snapshot}, {"snapshots", run_snapshots}, {"clients", run_clients},
    {"hold", run_hold},         {"stall", run_stall},         {"abuse", run_abuse},
};

static int connect_storage(struct run *r)
{
    struct sv_options o = SV_OPTIONS_INIT;
    struct sv_line line;
    const char *timeout = getenv("VOLLIB_TIMEOUT");

    o.monitors = getenv("VOLLIB_MONITORS");
    o.key_file = getenv("VOLLIB_KEY_FILE");
    o.keyring = getenv("VOLLIB_KEYRING");
    o.conf_file = getenv("VOLLIB_CONF");
    o.user = getenv("VOLLIB_USER");
    if (getenv("VOLLIB_LINE")) {
        if (sv_line_parse(&line, getenv("VOLLIB_LINE"), &r->e) < 0)
            return -1;
        o.monitors = line.monitors;
        o.user = line.user;
        o.pool = line.pool;
    }
    if (getenv("VOLLIB_POOL"))
        o.pool = getenv("VOLLIB_POOL");
    o.timeout_s = timeout ? (unsigned)strtoul(timeout, NULL, 10) : 0;
    return sv_connect(&r->c, &o, &r->e);
}

int main(int argc, char **argv)
{
    struct run run = {.arguments = argv + 2, .count = argc > 2 ? argc - 2 : 0};
    const struct command *command = NULL;
    struct sv_error closing = {0};
    int r;

    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
        if (argc > 1 && strcmp(argv[1], COMMANDS[i].name) == 0)
            command = &COMMANDS[i];
    if (!command) {
        fputs("vollib_driver: no such command\n", stderr);
        return 6;
    }
    r = connect_storage(&run);
    if (r == 0)
        r = command->run(&run);
    if (sv_close(run.v, &closing) < 0 || sv_disconnect(run.c, &closing) < 0)
        fprintf(stderr, "closing: %d: %s\n", closing.code, closing.text);
    if (r < 0)
        fprintf(stderr, "%d: %s\n", run.e.code, run.e.text);
    return r < 0 || closing.code ? 1 : 0;
}
