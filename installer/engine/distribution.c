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
    const char *p = slash != NULL ? slash + 1 : image;
    if (strncmp(p, name, sizeof name - 1) != 0)
        return NULL;
    p += sizeof name - 1;
    size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz");
    if (len == 0 || (p[len] != '\0' && p[len] != '-'))
        return NULL; /* debian:13: debootstrap knows names only */
    return mem_strndup(p, len);
}

static void tell(const struct engine_progress *p, const char *text)
{
    if (p->line != NULL)
        p->line(p->arg, text);
}

/* An image to be made by debootstrap. */
struct making {
    const struct images_opts *o;
    const struct engine_progress *p;
    const char *ref, *suite;
};

/* Runs the script; its last words are the error's. */
static int run_script(const struct making *m, const char *tar, struct err *e)
{
    auto_free char *script = fs_join(m->o->dockerfiles, "../scripts/host/make-base");
    const char *argv[] = {"sh", script, m->suite, tar, m->o->mirror, NULL};
    auto_buf struct buf out;
    int status = 0;
    buf_init(&out, OUTPUT_MAX);
    struct proc_opts po = {.argv = argv, .deadline = m->p->deadline, .out = &out, .err = &out};
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
    const char *dir = getenv("TMPDIR");
    auto_free char *tar =
        mem_printf("%s/slipway-base-XXXXXX", dir != NULL && dir[0] != '\0' ? dir : "/var/tmp");
    if (geteuid() != 0)
        return err_set(e, ERR_AUTH,
                       "no registry answers, and debootstrap needs root: run as root, or load the "
                       "image %s with docker load",
                       m->o->base);
    auto_close int fd = mkostemp(tar, O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, "making a temporary file %s", tar);
    tell(m->p, "no registry answers: making the base with debootstrap, about a minute");
    int rc = run_script(m, tar, e);
    if (rc == 0)
        rc = engine_image_import(g, m->ref, fd, m->p->deadline, e);
    unlink(tar);
    return rc;
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
    auto_free char *made = suite != NULL ? mem_printf("slipway/debian:%s", suite) : NULL;
    const char *choices[] = {o->base, made};
    for (size_t i = 0; i < ARRAY_LEN(choices) && choices[i] != NULL; i++) {
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
    if (made == NULL)
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
