/* SPDX-License-Identifier: MIT */
#include "model/secret.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/pool.h"

static int make_home(void **state)
{
    char *dir = mem_strdup("/tmp/secret_test.XXXXXX");

    if (!mkdtemp(dir))
        return -1;
    *state = dir;
    return 0;
}

static int remove_home(void **state)
{
    struct err e;
    int r = fs_remove_tree(*state, &e);

    free(*state);
    return r;
}

/* The folder of an environment's files. */
static char *folder_of(void **state, const char *env)
{
    return fs_join(*state, env);
}

static char *key_file(void **state, const char *env)
{
    return mem_printf("%s/%s/key", (const char *)*state, env);
}

static void write_key(void **state, const char *env, const char *text, mode_t mode)
{
    struct err e;
    auto_free char *dir = folder_of(state, env);
    auto_free char *path = key_file(state, env);

    assert_int_equal(fs_mkdirs(dir, 0700, &e), 0);
    assert_int_equal(
        fs_write(path, text, strlen(text),
                 &(struct fs_write_opts){.mode = mode, .uid = (uid_t)-1, .gid = (gid_t)-1}, &e),
        0);
}

static const char digits[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

static struct env_key fixed_key(void **state)
{
    auto_free char *demo = folder_of(state, "demo");
    struct env_key k;
    struct err e;

    write_key(state, "demo", digits, 0600);
    assert_int_equal(secret_load_key(&k, demo, &e), 0);
    return k;
}

static void a_missing_key_is_said_with_its_path(void **state)
{
    auto_free char *demo = folder_of(state, "demo");
    struct env_key k;
    struct err e;
    auto_free char *path = key_file(state, "demo");

    assert_int_equal(secret_load_key(&k, demo, &e), -1);
    assert_int_equal(e.code, ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, path));
}

static void a_key_is_made_once_and_only_its_owner_reads_it(void **state)
{
    auto_free char *demo = folder_of(state, "demo");
    struct env_key a, b;
    struct err e;
    struct stat st;
    bool created = false;
    auto_free char *path = key_file(state, "demo");

    assert_int_equal(secret_make_key(&a, demo, &created, &e), 0);
    assert_true(created);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 65);
    assert_int_equal(secret_make_key(&b, demo, &created, &e), 0);
    assert_false(created);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_int_equal(secret_remove_key(demo, &e), 0);
    assert_int_equal(secret_remove_key(demo, &e), 0);
    assert_int_equal(secret_make_key(&b, demo, NULL, &e), 0);
    assert_memory_not_equal(a.bytes, b.bytes, sizeof(a.bytes));
}

struct race {
    const char *folder;
    struct env_key keys[16];
    bool created[16];
    int results[16];
};

static void race_job(void *arg, size_t i)
{
    struct race *r = arg;
    struct err e;

    r->results[i] = secret_make_key(&r->keys[i], r->folder, &r->created[i], &e);
}

static void runs_at_the_same_time_agree_on_one_key(void **state)
{
    auto_free char *folder = folder_of(state, "race");
    struct race r = {.folder = folder};

    pool_run(ARRAY_LEN(r.keys), 8, race_job, &r);
    int created = 0;
    for (size_t i = 0; i < ARRAY_LEN(r.keys); i++) {
        assert_int_equal(r.results[i], 0);
        assert_memory_equal(&r.keys[0], &r.keys[i], sizeof(r.keys[0]));
        created += r.created[i];
    }
    assert_int_equal(created, 1);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    auto_free char *demo = folder_of(state, "demo");
    static const mode_t modes[] = {0640, 0604, 0660, 0644};

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct env_key k;
        struct err e;

        write_key(state, "demo", digits, modes[i]);
        assert_int_equal(secret_load_key(&k, demo, &e), -1);
        assert_int_equal(e.code, ERR_AUTH);
        assert_non_null(strstr(e.msg, "chmod 600"));
    }
}

static void a_damaged_key_is_refused_and_not_replaced(void **state)
{
    auto_free char *demo = folder_of(state, "demo");
    static const char *const texts[] = {
        "", "00", "zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00",
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct env_key k;
        struct err e;

        write_key(state, "demo", texts[i], 0600);
        assert_int_equal(secret_load_key(&k, demo, &e), -1);
        assert_int_equal(e.code, ERR_CONFIG);
        assert_int_equal(secret_make_key(&k, demo, NULL, &e), -1);
        assert_int_equal(e.code, ERR_CONFIG);
        if (strlen(texts[i]) > 2) /* the path in the message has digits too */
            assert_null(strstr(e.msg, texts[i]));
    }
}

static char *value(const struct env_key *k, enum secret_kind kind, enum secret_scope scope,
                   const char *instance)
{
    static char name[] = "key";
    static const char *const names[] = {"DNS:localhost"};
    struct secret_sans sans = {names, 1};
    struct secret_decl d = {.name = name, .kind = kind, .scope = scope};
    char *out = NULL;
    struct err e;

    assert_int_equal(secret_value(&out, k, &d, instance, &sans, &e), 0);
    return out;
}

static int count_of(const char *text, const char *what)
{
    int count = 0;

    for (const char *at = text; (at = strstr(at, what)); at++)
        count++;
    return count;
}

static void secrets_have_the_form_of_their_kind(void **state)
{
    struct env_key k = fixed_key(state);
    auto_free char *password = value(&k, SECRET_KIND_PASSWORD, SECRET_SCOPE_INSTANCE, "a-1");

    assert_int_equal(strlen(password), 43);
    assert_int_equal(strspn(password, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_"),
                     43);
    auto_free char *hex = value(&k, SECRET_KIND_HEX, SECRET_SCOPE_INSTANCE, "a-1");
    assert_int_equal(strlen(hex), 64);
    assert_int_equal(strspn(hex, "0123456789abcdef"), 64);
    auto_free char *ssh = value(&k, SECRET_KIND_SSH_KEY, SECRET_SCOPE_INSTANCE, "a-1");
    assert_non_null(strstr(ssh, "-----BEGIN OPENSSH PRIVATE KEY-----\n"));
    auto_free char *tls = value(&k, SECRET_KIND_TLS, SECRET_SCOPE_INSTANCE, "a-1");
    assert_int_equal(strncmp(tls, "-----BEGIN PRIVATE KEY-----", 27), 0);
    assert_int_equal(count_of(tls, "-----BEGIN CERTIFICATE-----"), 2);

    auto_free char *ceph = value(&k, SECRET_KIND_CEPH_KEY, SECRET_SCOPE_INSTANCE, "a-1");
    auto_free char *raw = NULL;
    size_t len;
    struct err e;
    assert_int_equal(strlen(ceph), 40);
    assert_int_equal(base64_decode(&raw, &len, ceph, strlen(ceph), &e), 0);
    assert_int_equal(len, 28);
    assert_memory_equal(raw, "\1\0\1\0\0\0\0\0\0\0\20\0", 12);
}

static void an_environment_secret_is_the_same_for_all_instances(void **state)
{
    struct env_key k = fixed_key(state);

    for (int kind = SECRET_KIND_PASSWORD; kind <= SECRET_KIND_TLS; kind++) {
        enum secret_kind sk = (enum secret_kind)kind;
        auto_free char *a = value(&k, sk, SECRET_SCOPE_ENVIRONMENT, "a-1");
        auto_free char *b = value(&k, sk, SECRET_SCOPE_ENVIRONMENT, "b-1");
        auto_free char *c = value(&k, sk, SECRET_SCOPE_INSTANCE, "a-1");
        auto_free char *d = value(&k, sk, SECRET_SCOPE_INSTANCE, "b-1");
        auto_free char *again = value(&k, sk, SECRET_SCOPE_INSTANCE, "b-1");

        assert_string_equal(a, b);
        assert_string_not_equal(c, d);
        assert_string_not_equal(a, c);
        assert_string_equal(d, again);
        assert_int_equal(strchr(c, '\n') != NULL, secret_is_pem(sk));
    }
}

static void passwords_change_with_user_and_generation(void **state)
{
    struct env_key k = fixed_key(state);
    auto_free char *a = secret_password(&k, "root", 1);
    auto_free char *b = secret_password(&k, "root", 2);
    auto_free char *c = secret_password(&k, "ceph-osd-1", 1);
    auto_free char *again = secret_password(&k, "root", 1);

    assert_string_equal(a, again);
    assert_string_not_equal(a, b);
    assert_string_not_equal(a, c);
    assert_int_equal(strlen(a), 43);
}

static void the_pin_and_the_uuids_follow_from_the_key(void **state)
{
    struct env_key k = fixed_key(state);
    struct err e;
    char pin[64], fsid[37], other[37];

    assert_int_equal(secret_pin(pin, &k, &e), 0);
    assert_int_equal(strncmp(pin, "sha256//", 8), 0);
    secret_shared_uuid(fsid, &k, "fsid");
    secret_shared_uuid(other, &k, "other");
    assert_string_not_equal(fsid, other);
    assert_string_not_equal(fsid, k.uuid);
    assert_int_equal(strlen(k.uuid), 36);
    assert_int_equal(k.uuid[14], '8');
}

static void ssh_keys_of_operator_and_hosts_differ(void **state)
{
    struct env_key k = fixed_key(state);
    struct err e;
    auto_free char *p1 = NULL, *l1 = NULL, *p2 = NULL, *l2 = NULL, *p3 = NULL, *l3 = NULL;

    assert_int_equal(secret_ssh_client(&p1, &l1, &k, &e), 0);
    assert_int_equal(secret_ssh_host(&p2, &l2, &k, "a-1", &e), 0);
    assert_int_equal(secret_ssh_host(&p3, &l3, &k, "a-2", &e), 0);
    assert_string_not_equal(l1, l2);
    assert_string_not_equal(l2, l3);
    assert_non_null(strstr(l2, " a-1"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_missing_key_is_said_with_its_path),
        TEST(a_key_is_made_once_and_only_its_owner_reads_it),
        TEST(runs_at_the_same_time_agree_on_one_key),
        TEST(a_key_that_others_may_read_is_refused),
        TEST(a_damaged_key_is_refused_and_not_replaced),
        TEST(secrets_have_the_form_of_their_kind),
        TEST(an_environment_secret_is_the_same_for_all_instances),
        TEST(passwords_change_with_user_and_generation),
        TEST(the_pin_and_the_uuids_follow_from_the_key),
        TEST(ssh_keys_of_operator_and_hosts_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
