/* SPDX-License-Identifier: MIT */
// link: installer/agent
// wrap: time
#include "agent/release_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "crypto/crypto.h"

/* Files of this test count as settled when this is far ahead. */
static time_t ahead;

time_t __real_time(time_t *t);
time_t __wrap_time(time_t *t);
time_t __wrap_time(time_t *t)
{
    return __real_time(t) + ahead;
}

static const char name[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const struct fs_write_opts plain = {.mode = 0755, .uid = (uid_t)-1, .gid = (gid_t)-1};

struct place {
    char home[32];
    char *release, *note;
    struct release_dir d;
};

static void open_place(struct place *p)
{
    struct err e;

    *p = (struct place){.home = "/tmp/release-XXXXXX", .d = {.fd = -1, .lock = -1}};
    assert_non_null(mkdtemp(p->home));
    p->d.home = p->home;
    p->d.path = fs_join(p->home, "releases");
    auto_free char *folder = fs_join(p->d.path, name);
    assert_int_equal(fs_mkdirs(folder, 0755, &e), 0);
    p->release = fs_join(folder, RELEASE_AGENT);
    p->note = fs_join(folder, "digest");
    assert_int_equal(fs_write(p->release, "one", 3, &plain, &e), 0);
}

static void close_place(struct place *p)
{
    struct err e;

    free(p->d.path);
    free(p->release);
    free(p->note);
    assert_int_equal(fs_remove_tree(p->home, &e), 0);
}

static void assert_digest(const struct place *p, const char *content)
{
    char want[CRYPTO_HEX_LEN], got[RELEASE_NAME_SIZE];
    struct err e;

    crypto_sha256_hex(want, content, strlen(content));
    assert_int_equal(release_dir_digest(got, &p->d, name, &e), 0);
    assert_string_equal(got, want);
}

static void a_digest_is_found_out_once(void **state)
{
    auto_free char *text = NULL;
    char got[RELEASE_NAME_SIZE];
    struct place p;
    struct err e;
    size_t len;

    (void)state;
    open_place(&p);
    ahead = 10;
    assert_digest(&p, "one");
    assert_int_equal(fs_read(&text, &len, p.note, 512, &e), 0);
    memset(text + len - (RELEASE_NAME_SIZE - 1), 'a', RELEASE_NAME_SIZE - 1);
    assert_int_equal(fs_write(p.note, text, len, &plain, &e), 0);
    assert_int_equal(release_dir_digest(got, &p.d, name, &e), 0);
    assert_string_equal(got, text + len - (RELEASE_NAME_SIZE - 1));
    close_place(&p);
}

/* Same size, same file, and its time of modification put back. */
static void a_file_that_was_changed_in_secret_is_read_again(void **state)
{
    struct timespec times[2];
    struct place p;
    struct stat st;
    int fd;

    (void)state;
    open_place(&p);
    ahead = 10;
    assert_digest(&p, "one");
    assert_int_equal(stat(p.release, &st), 0);
    usleep(50 * 1000);
    fd = open(p.release, O_WRONLY);
    assert_int_equal(write(fd, "two", 3), 3);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
    assert_digest(&p, "two");
    close_place(&p);
}

static void one_that_was_changed_just_now_is_not_noted(void **state)
{
    struct place p;

    (void)state;
    open_place(&p);
    ahead = 0;
    assert_digest(&p, "one");
    assert_false(fs_exists(p.note));
    close_place(&p);
}

static void nonsense_in_the_note_is_not_believed(void **state)
{
    static const char *const texts[] = {"", "1 2 3", "digest\n"};
    struct place p;
    struct err e;

    (void)state;
    open_place(&p);
    ahead = 10;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(fs_write(p.note, texts[i], strlen(texts[i]), &plain, &e), 0);
        assert_digest(&p, "one");
    }
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_is_found_out_once),
        cmocka_unit_test(a_file_that_was_changed_in_secret_is_read_again),
        cmocka_unit_test(one_that_was_changed_just_now_is_not_noted),
        cmocka_unit_test(nonsense_in_the_note_is_not_believed),
    };

    return cmocka_run_group_tests_name("release_digest", tests, NULL, NULL);
}
