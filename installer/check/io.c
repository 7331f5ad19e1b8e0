/* SPDX-License-Identifier: MIT */
#include "check/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "env/instances.h"
#include "conf/json.h"
#include "engine/images.h"
#include "crypto/crypto.h"
#include "plan/host_dir.h"

enum { OUTPUT_MAX = 65536, FILE_MAX = 64 << 20, IO_MS = 60000, ERROR_MAX = 500 };

int check_io_parse(struct check_io *io, char **file, const char *text, struct err *e)
{
    auto_node struct node *n = NULL;
    const char *sum, *via, *name;

    *io = (struct check_io){0};
    *file = NULL;
    if (json_parse(&n, "hook io", text, strlen(text), e) < 0)
        return -1;
    sum = node_get_text(n, "sha256");
    via = node_get_text(n, "via");
    name = node_get_text(n, "file");
    if (!sum || strlen(sum) != CHECK_IO_SUM_LEN ||
        strspn(sum, "0123456789abcdef") != CHECK_IO_SUM_LEN)
        return err_set(e, ERR_REMOTE, "hook io printed no sha256");
    if (name && (!*name || strchr(name, '/') || *name == '.'))
        return err_set(e, ERR_REMOTE, "hook io: \"%.80s\" is not a file of its folder", name);
    snprintf(io->sum, sizeof(io->sum), "%s", sum);
    snprintf(io->via, sizeof(io->via), "%s", via ? via : "its own protocol");
    *file = name ? mem_strdup(name) : NULL;
    return 0;
}

static void last_line(char *out, size_t size, const struct buf *b)
{
    auto_strv struct strv lines = {0};

    strv_split(&lines, b->data ? b->data : "", "\n");
    snprintf(out, size, "%s", lines.count ? lines.items[lines.count - 1] : "it said nothing");
}

/* 1: the same, 0: this machine may not look, -1 it is not there, or other data. */
static int read_here(const struct check_io *io, const struct env *env, const char *instance,
                     const char *file, struct err *e)
{
    auto_free char *data = NULL, *path = NULL;
    auto_close int fd = -1;
    char sum[CRYPTO_HEX_LEN];
    size_t len = 0;

    if (geteuid() != 0)
        return 0;
    if (host_dir_open(&fd, env->name, instance, file, O_RDONLY, e) < 0)
        return err_wrap(e, "this machine does not see the file");
    path = mem_printf("/proc/self/fd/%d", fd);
    if (fs_read(&data, &len, path, FILE_MAX, e) < 0)
        return err_wrap(e, "this machine does not see the file");
    crypto_sha256_hex(sum, data, len);
    return strcmp(sum, io->sum) == 0
               ? 1
               : err_set(e, ERR_REMOTE, "this machine reads other data from %s", file);
}

int check_io_run(struct check_io *io, const struct check *c, enum check_io_kind kind,
                 const char *instance, const char *volume, struct err *e)
{
    const char *const argv[] = {
        IMAGES_AGENT, "hook", "io", kind == CHECK_IO_WRITE ? "write" : "read", volume, NULL};
    auto_buf struct buf out = {0}, errors = {0};
    auto_free char *file = NULL;
    struct engine_exec call = {.argv = argv,
                               .out = &out,
                               .err = &errors,
                               .deadline = until_within(c->until, IO_MS).deadline};
    const char *id;
    int status, here;

    *io = (struct check_io){0};
    buf_init(&out, OUTPUT_MAX);
    buf_init(&errors, OUTPUT_MAX);
    if (instances_container(NULL, &id, c->env, instance, e) < 0 ||
        engine_exec_run(&status, c->env->engine, id, &call, e) < 0)
        return -1;
    if (status != 0) {
        char why[ERROR_MAX];

        last_line(why, sizeof(why), &errors);
        return err_set(e, ERR_REMOTE, "%s", why);
    }
    if (check_io_parse(io, &file, buf_str(&out), e) < 0)
        return -1;
    here = file ? read_here(io, c->env, instance, file, e) : 0;
    io->on_host = here == 1;
    return here < 0 ? -1 : 0;
}
