/* SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"

static const uint8_t seed[32] = {1, 2, 3};

static void ssh_keygen_reads_the_private_key_and_prints_the_public_one(void **state)
{
    (void)state;
    if (access("/usr/bin/ssh-keygen", X_OK) != 0)
        skip();
    static const char *const comments[] = {"", "a", "slipway", "ceph-osd-1", "with some words"};
    for (size_t i = 0; i < ARRAY_LEN(comments); i++) {
        auto_wipe char *private = NULL;
        auto_free char *public = NULL;
        struct err e;

        assert_int_equal(crypto_ssh_key(&private, &public, seed, comments[i], &e), 0);
        char path[] = "/tmp/ssh_key_test.XXXXXX";
        int fd = mkstemp(path);
        assert_int_equal(write(fd, private, strlen(private)), strlen(private));
        close(fd);
        auto_buf struct buf out;
        buf_init(&out, 4096);
        const char *const argv[] = {"ssh-keygen", "-y", "-f", path, NULL};
        int status = -1;
        int result =
            proc_run(&status,
                     &(struct proc_opts){
                         .argv = argv, .deadline = clock_deadline(5000), .out = &out, .err = &out},
                     &e);
        unlink(path);
        assert_int_equal(result, 0);
        assert_int_equal(status, 0);
        auto_free char *line = mem_printf("%s\n", public);
        assert_string_equal(buf_str(&out), line);
    }
}

static void the_same_seed_gives_the_same_key(void **state)
{
    (void)state;
    static const uint8_t other_seed[32] = {9};
    auto_free char *a = NULL, *b = NULL, *c = NULL, *pa = NULL, *pb = NULL, *pc = NULL;
    struct err e;
    assert_int_equal(crypto_ssh_key(&a, &pa, seed, "x", &e), 0);
    assert_int_equal(crypto_ssh_key(&b, &pb, seed, "x", &e), 0);
    assert_int_equal(crypto_ssh_key(&c, &pc, other_seed, "x", &e), 0);
    assert_string_equal(a, b);
    assert_string_equal(pa, pb);
    assert_string_not_equal(pa, pc);
}

static void a_comment_of_two_lines_is_refused(void **state)
{
    (void)state;
    char *a = NULL, *b = NULL;
    struct err e;
    assert_int_equal(crypto_ssh_key(&a, &b, seed, "x\nssh-ed25519 AAAA", &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
}

static void a_public_line_has_the_fingerprint_that_ssh_keygen_prints(void **state)
{
    auto_free char *private = NULL, *public = NULL, *blob = NULL, *type = NULL;
    char fingerprint[CRYPTO_SSH_FINGERPRINT_LEN];
    size_t len = 0;
    struct err e;

    (void)state;
    assert_int_equal(crypto_ssh_key(&private, &public, seed, "with words", &e), 0);
    assert_int_equal(crypto_ssh_blob(&blob, &len, &type, public, &e), 0);
    assert_string_equal(type, "ssh-ed25519");
    assert_int_equal(len, 51); /* RFC 8709 */
    crypto_ssh_fingerprint(fingerprint, blob, len);
    assert_int_equal(strlen(fingerprint), strlen("SHA256:") + 43);
    /* ssh-keygen -lf of that line */
    assert_string_equal(fingerprint, "SHA256:YHaGduN1eox2WyCMUiyyokMcRF1s0DccEBw/xKxj0Uc");
}

static void a_public_line_has_a_type_and_a_key_of_that_type(void **state)
{
    static const char *const lines[] = {
        "",
        "ssh-ed25519",
        "ssh-ed25519 ",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 ?",
        "AAAAC3NzaC1lZDI1NTE5AAAAIIScOAlvJy8wt9FLNiYcCSBHbWgY+11J9Q0Rgzpp7ZhS",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIIScOAlvJy8wt9FLNiYcCSBHbWgY+11J9Q0Rgzpp7ZhS",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char *blob, *type;
        size_t len;
        struct err e;

        assert_int_equal(crypto_ssh_blob(&blob, &len, &type, lines[i], &e), -1);
        assert_int_equal(e.code, ERR_CONFIG);
        assert_null(blob);
        assert_null(type);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssh_keygen_reads_the_private_key_and_prints_the_public_one),
        cmocka_unit_test(the_same_seed_gives_the_same_key),
        cmocka_unit_test(a_comment_of_two_lines_is_refused),
        cmocka_unit_test(a_public_line_has_the_fingerprint_that_ssh_keygen_prints),
        cmocka_unit_test(a_public_line_has_a_type_and_a_key_of_that_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
