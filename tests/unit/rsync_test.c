/* SPDX-License-Identifier: MIT */
// wrap: libssh2_init
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env/rsync.h"
#include "host/host.h"

static atomic_int set_ups;

int __real_libssh2_init(int flags);
int __wrap_libssh2_init(int flags);
int __wrap_libssh2_init(int flags)
{
    atomic_fetch_add(&set_ups, 1);
    usleep(20 * 1000); /* the others come meanwhile */
    return __real_libssh2_init(flags);
}

static char *folder;

/* A rsync that does this; NULL: there is none. */
static void fake(const char *script)
{
    auto_free char *path = fs_join(folder, "rsync");
    auto_free char *text = script ? mem_printf("#!/bin/sh\n%s\n", script) : NULL;
    struct err e;

    unlink(path);
    if (text)
        assert_int_equal(
            fs_write(path, text, strlen(text), &(struct fs_write_opts){.mode = 0755}, &e), 0);
}

static void run(struct rsync_job *job, const char *program)
{
    struct hosts *h = hosts_new(NULL);
    struct relay *r;
    struct err e;

    *job = (struct rsync_job){0};
    assert_int_equal(relay_open(&r, h, folder, &e), 0);
    rsync_begin(job, program, r);
    rsync_run(job, 1, 1, r, until_in(30 * 1000, NULL));
    relay_close(r);
    hosts_free(h);
}

static void the_program_is_the_callers(void **state)
{
    struct rsync_job job;

    (void)state;
    fake("printf '%s\n' \"$2\"");
    run(&job, "/opt/a 'b'/server");
    assert_int_equal(job.status, 0);
    assert_non_null(strstr(job.printed, "'/opt/a ''b''/server' relay-call '"));
    rsync_clear(&job);
    run(&job, NULL);
    assert_int_equal(job.status, -1);
    assert_int_equal(job.error.code, ERR_CONFIG);
    rsync_clear(&job);
}

static void only_a_missing_rsync_is_missing(void **state)
{
    struct rsync_job job;

    (void)state;
    fake("echo 'sh: rsync: not found' >&2; exit 127"); /* on the other side */
    run(&job, "/bin/true");
    assert_int_equal(job.error.code, ERR_REMOTE);
    assert_string_equal(job.error.msg, "sh: rsync: not found (rsync's status 127)");
    rsync_clear(&job);
    fake(NULL);
    run(&job, "/bin/true");
    assert_int_equal(job.error.code, ERR_NOTFOUND);
    assert_string_equal(job.error.msg, "there is no rsync on this machine; install it");
    rsync_clear(&job);
}

static void *make_hosts(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100; i++)
        hosts_free(hosts_new(NULL));
    return NULL;
}

static void libssh2_is_set_up_once(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_hosts, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(set_ups, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libssh2_is_set_up_once),
        cmocka_unit_test(the_program_is_the_callers),
        cmocka_unit_test(only_a_missing_rsync_is_missing),
    };
    char path[] = "/tmp/slipway-rsync.XXXXXX";
    struct err e;
    int r;

    folder = mkdtemp(path);
    if (!folder || setenv("PATH", folder, 1) < 0)
        return 1;
    r = cmocka_run_group_tests(tests, NULL, NULL);
    if (fs_remove_tree(folder, &e) < 0)
        return 1;
    return r;
}
