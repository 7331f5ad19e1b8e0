/* SPDX-License-Identifier: MIT */
/* For ssh.sh: what host/ does, from the command line.
 *   ssh_driver keys FOLDER LABEL       a derived key pair: FOLDER/LABEL and FOLDER/LABEL.pub
 *   ssh_driver NAME=VALUE... COMMAND   runs COMMAND and writes a line about each job to `result`;
 *                                      with put=PATH or get=PATH the one that writes or reads it
 * The names are in `settings`. Output is passed on; with `quietly=1` only its bytes are counted. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "host/copy.h"
#include "host/host.h"

struct settings {
    char *address, *ports, *user, *pin, *key, *input, *result, *name, *put, *get;
    long deadline, connect, quiet, cancel, count, repeat, pause, quietly, pipe, stop;
};

struct run {
    const struct settings *s;
    struct host_job job;
    char *name;
    size_t bytes[3];
};

static struct cancel cancel;

static void on_alarm(int number)
{
    (void)number;
    cancel_raise(&cancel);
}

static int fail(const struct err *e)
{
    fprintf(stderr, "ssh_driver: %s\n", e->msg);
    return 1;
}

/* ---- keys ---- */

static int write_text(const char *path, const char *text, struct err *e)
{
    const struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};

    return fs_write(path, text, strlen(text), &o, e);
}

static int keys(const char *folder, const char *label, struct err *e)
{
    const uint8_t from[CRYPTO_KEY_LEN] = "a test's";
    uint8_t seed[32];
    auto_wipe char *private = NULL;
    auto_free char *public = NULL;
    auto_free char *path = fs_join(folder, label);
    auto_free char *public_path = mem_printf("%s.pub", path);

    crypto_derive(seed, sizeof(seed), from, label);
    if (crypto_ssh_key(&private, &public, seed, label, e) < 0 || write_text(path, private, e) < 0)
        return -1;
    return write_text(public_path, public, e);
}

/* ---- jobs ---- */

static int on_output(void *arg, int stream, const char *p, size_t len, struct err *e)
{
    struct run *r = arg;

    r->bytes[stream] += len;
    if (r->s->stop && r->bytes[1] >= (size_t)r->s->stop)
        return err_set(e, ERR_CONFLICT, "enough");
    if (!r->s->quietly && fs_write_all(stream, p, len) < 0)
        return err_sys(e, "writing");
    return 0;
}

static void report(FILE *f, const struct run *r)
{
    const struct host_job *j = &r->job;

    fprintf(f, "%s status=%d signal=%s began=%d out=%zu err=%zu took=%lld code=%s %s\n", r->name,
            j->status, j->signal, j->began, r->bytes[1], r->bytes[2], (long long)j->took_ms,
            err_code_name(j->error.code), j->error.msg);
}

static void start(struct hosts *h, const struct settings *s, struct run *r, const char *port)
{
    const struct host_target t = {.name = s->name ? s->name : port,
                                  .address = s->address ? s->address : "127.0.0.1",
                                  .port = (int)strtol(port, NULL, 10),
                                  .user = s->user,
                                  .host_key = s->pin,
                                  .private_key = s->key};

    free(r->name);
    r->name = mem_strdup(port);
    r->job.until = until_in(s->deadline ? s->deadline : 60000, &cancel);
    hosts_start(h, &t, &r->job);
}

static int once(struct hosts *h, const struct settings *s, const struct host_job *like, FILE *f)
{
    auto_strv struct strv ports = {0};
    size_t count;
    struct run *runs;

    strv_split(&ports, s->ports, ",");
    count = ports.count * (size_t)(s->count ? s->count : 1);
    runs = mem_array(count, sizeof(*runs));
    for (size_t i = 0; i < count; i++) {
        runs[i] = (struct run){.s = s, .job = *like};
        runs[i].job.output = on_output;
        runs[i].job.arg = &runs[i];
        start(h, s, &runs[i], ports.items[i % ports.count]);
    }
    hosts_finish(h);
    for (size_t i = 0; i < count; i++) {
        report(f, &runs[i]);
        free(runs[i].name);
    }
    free(runs);
    return 0;
}

static int run(const struct settings *s, const char *command, struct err *e)
{
    const struct hosts_opts o = {.connect_ms = s->connect, .quiet_ms = s->quiet};
    struct host_job like = {.command = command};
    auto_free char *copy = NULL;
    struct stat st;
    int fd = s->input ? open(s->input, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    FILE *f = s->result ? fopen(s->result, "we") : stdout;
    struct hosts *h = hosts_new(&o);

    if (!f || fd < 0)
        return err_sys(e, "opening the files");
    like.bulk = s->input != NULL;
    if (s->put && fstat(fd, &st) == 0)
        copy = copy_put_command(s->put, (uint64_t)st.st_size, st.st_mode);
    else if (s->get)
        copy = copy_get_command(s->get);
    if (copy)
        like.command = copy;
    if (s->input || s->pipe)
        like.input_fd = &fd;
    for (long i = 0; i < (s->repeat ? s->repeat : 1); i++) {
        if (i) /* standing connections are looked after only in turns */
            usleep((useconds_t)s->pause * 1000);
        once(h, s, &like, f);
    }
    hosts_free(h);
    fclose(f);
    return 0;
}

/* ---- the command line ---- */

static int load(char **text, struct err *e)
{
    char *path = *text;

    *text = NULL;
    return path && *path ? fs_read(text, NULL, path, 65536, e) : 0;
}

static int set(struct settings *s, const char *word, struct err *e)
{
    const struct {
        const char *name;
        char **text;
        long *number;
    } all[] = {
        {"address", &s->address, NULL},   {"ports", &s->ports, NULL},
        {"user", &s->user, NULL},         {"pin", &s->pin, NULL},
        {"key", &s->key, NULL},           {"input", &s->input, NULL},
        {"result", &s->result, NULL},     {"name", &s->name, NULL},
        {"put", &s->put, NULL},           {"get", &s->get, NULL},
        {"deadline", NULL, &s->deadline}, {"connect", NULL, &s->connect},
        {"quiet", NULL, &s->quiet},       {"cancel", NULL, &s->cancel},
        {"count", NULL, &s->count},       {"repeat", NULL, &s->repeat},
        {"pause", NULL, &s->pause},       {"quietly", NULL, &s->quietly},
        {"pipe", NULL, &s->pipe},         {"stop", NULL, &s->stop},
    };
    size_t len = strcspn(word, "=");

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (strlen(all[i].name) != len || strncmp(all[i].name, word, len) != 0)
            continue;
        if (all[i].text)
            *all[i].text = (char *)(uintptr_t)word + len + 1;
        else
            *all[i].number = strtol(word + len + 1, NULL, 10);
        return 0;
    }
    return err_set(e, ERR_USAGE, "no such setting: %s", word);
}

int main(int argc, char **argv)
{
    struct settings s = {0};
    struct err e;

    fs_open_standard();
    signal(SIGPIPE, SIG_IGN);
    if (argc == 4 && strcmp(argv[1], "keys") == 0)
        return keys(argv[2], argv[3], &e) < 0 ? fail(&e) : 0;
    for (int i = 1; i + 1 < argc; i++)
        if (set(&s, argv[i], &e) < 0)
            return fail(&e);
    if (argc < 3 || !s.ports || load(&s.pin, &e) < 0 || load(&s.key, &e) < 0)
        return fail(&e);
    cancel_init(&cancel);
    if (s.cancel) {
        const struct itimerval t = {.it_value = {s.cancel / 1000, s.cancel % 1000 * 1000}};

        signal(SIGALRM, on_alarm);
        setitimer(ITIMER_REAL, &t, NULL);
    }
    if (run(&s, argv[argc - 1], &e) < 0)
        return fail(&e);
    free(s.pin);
    mem_wipe_str(s.key);
    cancel_clear(&cancel);
    return 0;
}
