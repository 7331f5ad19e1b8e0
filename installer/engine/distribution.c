/* SPDX-License-Identifier: MIT */
#include "engine/distribution.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"

enum { PULL_MS = 15 * 1000, OUTPUT_MAX = 256 << 10, TAIL = 1000 };

char *distribution_suite(const char *image)
{
    static const char name[] = "debian:";
    const char *slash = strrchr(image, '/');
    const char *p = slash ? slash + 1 : image;

    if (strncmp(p, name, sizeof(name) - 1) != 0)
        return NULL;
    p += sizeof(name) - 1;
    size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz");
    if (len == 0 || (p[len] != '\0' && p[len] != '-'))
        return NULL; /* debian:13: debootstrap knows names only */
    return mem_strndup(p, len);
}

static void tell(const struct engine_progress *p, const char *text)
{
    if (p->line)
        p->line(p->arg, text);
}

/* An image to be made by debootstrap. */
struct making {
    const struct images_opts *o;
    const struct engine_progress *p;
    const char *ref, *suite;
};

/* Runs the script; its last words are the error's. */
static int run_script(const struct making *m, const char *tar, struct until until, struct err *e)
{
    auto_free char *script = fs_join(m->o->dockerfiles, "../scripts/host/make-base");
    const char *argv[] = {"sh", script, m->suite, tar, m->o->mirror, NULL};
    auto_buf struct buf out;
    int status = 0;

    buf_init(&out, OUTPUT_MAX);
    struct proc_opts po = {
        .argv = argv, .deadline = until.deadline, .cancel = until.cancel, .out = &out, .err = &out};
    if (proc_run(&status, &po, e) < 0)
        return -1;
    if (status == 0)
        return 0;
    size_t skip = out.len > TAIL ? out.len - TAIL : 0;
    return err_set(e, ERR_REMOTE, "%s ended with status %d: %s", fs_basename(script), status,
                   buf_str(&out) + skip);
}

static int make(struct engine *g, const struct making *m, struct err *e)
{
    auto_free char *tar =
        mem_printf("%s/slipway-base-XXXXXX", m->o->temp_dir ? m->o->temp_dir : "/var/tmp");

    if (geteuid() != 0)
        return err_set(e, ERR_AUTH,
                       "no registry answers, and debootstrap needs root: run as root, or load the "
                       "image %s with docker load",
                       m->o->base);
    auto_close int fd = mkostemp(tar, O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, "making a temporary file %s", tar);
    tell(m->p, "no registry answers: making the base with debootstrap, about a minute");
    struct until until = until_before(engine_until(g), m->p->deadline);
    int r = run_script(m, tar, until, e);
    if (r == 0)
        r = engine_image_import(g, m->ref, fd, until, e);
    unlink(tar);
    return r;
}

static int pull(struct engine *g, const char *image, const struct engine_progress *p, struct err *e)
{
    struct engine_progress quick = *p;

    quick.first_deadline = clock_deadline(PULL_MS);
    return engine_image_pull(g, image, &quick, e);
}

int distribution_ensure(char **ref, struct engine *g, const struct images_opts *o,
                        const struct engine_progress *p, struct err *e)
{
    *ref = NULL;
    auto_free char *suite = distribution_suite(o->base);
    auto_free char *made = suite ? mem_printf("slipway/debian:%s", suite) : NULL;
    const char *choices[] = {o->base, made};
    for (size_t i = 0; i < ARRAY_LEN(choices) && choices[i]; i++) {
        int there = engine_image_has(g, choices[i], e);

        if (there < 0)
            return -1;
        if (there > 0) {
            *ref = mem_strdup(choices[i]);
            return 0;
        }
    }
    if (pull(g, o->base, p, e) == 0) {
        *ref = mem_strdup(o->base);
        return 0;
    }
    if (!made)
        return err_wrap(e,
                        "the base image %s (load it with docker load, or choose debian:SUITE-slim)",
                        o->base);
    err_drop(e, "pulling the base image");
    const struct making m = {.o = o, .p = p, .ref = made, .suite = suite};
    if (make(g, &m, e) < 0)
        return err_wrap(e, "making the base image %s", made);
    *ref = steal(made);
    return 0;
}
