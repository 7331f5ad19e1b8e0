/* SPDX-License-Identifier: MIT */
#include "agent/release_command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/release_dir.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/sig.h"
#include "conf/json.h"

enum { LOOK_MS = 50, EXTRA_MS = 15 * 1000, WORDS_MAX = 8, RSYNC_WORDS = 5 };

static void print(const struct node *n)
{
    auto_free char *text = json_text(n);

    puts(text);
}

/* ---- status ---- */

static int show(struct release_dir *d, struct err *e)
{
    auto_node struct node *n = node_new_map();
    char current[RELEASE_NAME_SIZE], previous[RELEASE_NAME_SIZE], trial[RELEASE_NAME_SIZE];
    char digest[RELEASE_NAME_SIZE];

    release_read(current, d->fd, RELEASE_CURRENT);
    /* One that is not there does not run: init takes the image's agent then. */
    if (release_dir_digest(digest, d, current, e) < 0) {
        if (!release_is_digest(current))
            return -1;
        snprintf(current, sizeof(current), RELEASE_IMAGE);
        if (release_dir_digest(digest, d, current, e) < 0)
            return -1;
    }
    node_set_text(n, "current", current);
    node_set_text(n, "digest", digest);
    if (release_previous(previous, d->fd, current))
        node_set_text(n, "previous", previous);
    node_set_bool(n, "trial",
                  release_read(trial, d->fd, RELEASE_TRIAL) && strcmp(trial, current) == 0);
    node_set_bool(n, "waits", release_dir_waits(d));
    node_set(n, "bad", release_dir_bad(d));
    print(n);
    return 0;
}

/* ---- activate ---- */

/* PID 1; outside of a container whoever the test says. */
static int tell_init(int trial_ms, struct err *e)
{
    const char *text = getenv("SLIPWAY_INIT_PID");
    pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : 1;

    if (pid < 1 || sigqueue(pid, RELEASE_SIGNAL, (union sigval){.sival_int = trial_ms}) < 0)
        return err_sys(e, "telling slipway-init");
    return 0;
}

static int answer(const char *result, const char *why)
{
    auto_node struct node *n = node_new_map();

    node_set_text(n, "result", result);
    if (why)
        node_set_text(n, "why", why);
    print(n);
    return 0;
}

/* Whoever asked is gone. */
static bool is_alone(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = 0};

    return poll(&p, 1, 0) > 0 && p.revents & (POLLERR | POLLHUP);
}

/* init decides; this only looks. Not for as long as etcd does not answer: that may be long. */
static int wait_for_end(const struct release_dir *d, const char *name, int trial_ms)
{
    int64_t deadline = clock_deadline(trial_ms + EXTRA_MS);

    while (!clock_passed(deadline) && sig_interrupts() == 0 && !is_alone()) {
        char current[RELEASE_NAME_SIZE], trial[RELEASE_NAME_SIZE];
        bool on_trial = release_read(trial, d->fd, RELEASE_TRIAL);

        release_read(current, d->fd, RELEASE_CURRENT);
        if (strcmp(current, name) != 0) {
            auto_free char *why = release_dir_why_bad(d, name);

            return answer("back", why ? why : "another release is current");
        }
        if (!on_trial)
            return answer("works", NULL);
        clock_sleep_ms(LOOK_MS);
    }
    return release_dir_waits(d) ? answer("waits", NULL)
                                : answer("unknown", "slipway-init does not decide");
}

/* In this order: a run that is killed at any point leaves what the next one can go on from, and
 * what to go back to (release_previous). Killed before the last link, it leaves the current one
 * current and a trial of another one, which counts for nothing; killed behind it, before init is
 * told, the new one comes, on trial, with the next start of the agent. The trial begins with the
 * link that makes it current. */
static int make_current(const struct release_dir *d, const char *name, int trial_ms, struct err *e)
{
    char current[RELEASE_NAME_SIZE], previous[RELEASE_NAME_SIZE];
    bool image = strcmp(name, RELEASE_IMAGE) == 0;
    auto_free char *bad = mem_printf(RELEASE_BAD "/%s", name);

    release_read(current, d->fd, RELEASE_CURRENT);
    release_previous(previous, d->fd, current);
    if (unlinkat(d->fd, bad, 0) < 0 && errno != ENOENT && errno != ENOTDIR)
        return err_sys(e, "%s", bad);
    if (strcmp(current, name) != 0 && (release_switch(d->fd, RELEASE_BEFORE, previous) < 0 ||
                                       release_switch(d->fd, RELEASE_PREVIOUS, current) < 0))
        return err_sys(e, "the link to the release before");
    if (image && unlinkat(d->fd, RELEASE_TRIAL, 0) < 0 && errno != ENOENT)
        return err_sys(e, "the mark of the trial");
    if (!image && release_switch(d->fd, RELEASE_TRIAL, name) < 0)
        return err_sys(e, "the mark of the trial");
    if (release_switch(d->fd, RELEASE_CURRENT, name) < 0 || fsync(d->fd) < 0)
        return err_sys(e, "the link to the release");
    return tell_init(trial_ms, e);
}

static int switch_to(struct release_dir *d, const char *name, int trial_ms, struct err *e)
{
    char current[RELEASE_NAME_SIZE], trial[RELEASE_NAME_SIZE];
    int r;

    release_read(current, d->fd, RELEASE_CURRENT);
    if (strcmp(current, name) == 0 && !release_read(trial, d->fd, RELEASE_TRIAL))
        return answer("unchanged", NULL);
    if (make_current(d, name, trial_ms, e) < 0)
        return -1;
    r = wait_for_end(d, name, trial_ms);
    release_dir_tidy(d);
    return r;
}

static int activate(struct release_dir *d, const char *digest, int trial_ms, struct err *e)
{
    if (!digest || !release_is_digest(digest))
        return err_set(e, ERR_USAGE, "release activate needs a digest");
    if (release_dir_begin(d, e) < 0 || release_dir_accept(d, digest, e) < 0)
        return -1;
    return switch_to(d, digest, trial_ms, e);
}

static int rollback(struct release_dir *d, int trial_ms, struct err *e)
{
    char current[RELEASE_NAME_SIZE], previous[RELEASE_NAME_SIZE], digest[RELEASE_NAME_SIZE];

    if (release_dir_begin(d, e) < 0)
        return -1;
    release_read(current, d->fd, RELEASE_CURRENT);
    if (!release_previous(previous, d->fd, current))
        return err_set(e, ERR_NOTFOUND, "no other release ran in this container");
    if (release_dir_digest(digest, d, previous, e) < 0) {
        err_drop(e, "going back");
        return err_set(e, ERR_NOTFOUND, "the release before, %.12s, is not there any more",
                       previous);
    }
    return switch_to(d, previous, trial_ms, e);
}

/* What was sent in part takes room, which may be what is wanting. */
static int discard(struct release_dir *d, const char *digest, struct err *e)
{
    auto_free char *sent = mem_printf("%s/.%s.new", d->path, digest);

    if (!release_is_digest(digest))
        return err_set(e, ERR_USAGE, "release discard needs a digest");
    if (release_dir_begin(d, e) < 0 || (fs_exists(sent) && fs_remove_tree(sent, e) < 0))
        return -1;
    return answer("discarded", NULL);
}

/* ---- rsync ---- */

/* "-pIe.LsfxCIvu": permissions, ignore times, and what rsync's client says it can do. */
static bool is_shape(const char *flags)
{
    const char *p = flags;

    if (*p++ != '-')
        return false;
    p += strspn(p, "pI");
    if (*p++ != 'e')
        return false;
    p += strspn(p, "0123456789.");
    return p[strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0' &&
           strlen(flags) < 40;
}

/* What was asked for decides nothing but the digest: the words are ours. The basis is what runs. */
static int receive(struct release_dir *d, const struct strv *words, struct err *e)
{
    char digest[RELEASE_NAME_SIZE], current[RELEASE_NAME_SIZE];
    const char *to = words->items[RSYNC_WORDS - 1];

    snprintf(digest, sizeof(digest), "%.*s", (int)strcspn(to, "/"), to);
    if (strcmp(words->items[1], "--server") != 0 || !is_shape(words->items[2]) ||
        strcmp(words->items[3], ".") != 0 || !release_is_digest(digest) ||
        strcmp(to + RELEASE_NAME_SIZE - 1, "/" RELEASE_AGENT) != 0)
        return err_set(e, ERR_AUTH, "this key may send a release, and nothing else");
    if (release_dir_begin(d, e) < 0)
        return -1;
    auto_free char *folder = mem_printf(".%s.new", digest);
    auto_free char *target = mem_printf("%s/" RELEASE_AGENT, folder);
    release_read(current, d->fd, RELEASE_CURRENT);
    auto_free char *basis =
        release_is_digest(current) ? mem_printf("%s/%s", d->path, current) : mem_strdup(d->home);
    const char *const argv[] = {"rsync", "--server", words->items[2], "--copy-dest",
                                basis,   ".",        target,          NULL};
    static const char *const variables[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};
    if (fchdir(d->fd) < 0 || (mkdir(folder, 0700) < 0 && errno != EEXIST))
        return err_sys(e, "the folder for the release");
    execve("/usr/bin/rsync", (char **)(uintptr_t)argv, (char **)(uintptr_t)variables);
    return err_sys(e, "running rsync");
}

/* ---- the command ---- */

static int trial_of(int *out, const char *text, struct err *e)
{
    char *end;
    long ms = text ? strtol(text, &end, 10) : RELEASE_TRIAL_MS;

    if (text && (*end || ms < 1 || ms > RELEASE_TRIAL_MAX_MS))
        return err_set(e, ERR_USAGE, "the trial takes 1 to %d ms, not \"%s\"", RELEASE_TRIAL_MAX_MS,
                       text);
    *out = (int)ms;
    return 0;
}

static int run(struct release_dir *d, const struct strv *words, struct err *e)
{
    const char *verb = words->count ? words->items[0] : "";
    int trial_ms;

    if (strcmp(verb, "status") == 0 && words->count == 1)
        return show(d, e);
    if (strcmp(verb, "activate") == 0 && (words->count == 2 || words->count == 3))
        return trial_of(&trial_ms, words->items[2], e) < 0
                   ? -1
                   : activate(d, words->items[1], trial_ms, e);
    if (strcmp(verb, "rollback") == 0 && words->count <= 2)
        return trial_of(&trial_ms, words->items[1], e) < 0 ? -1 : rollback(d, trial_ms, e);
    if (strcmp(verb, "discard") == 0 && words->count == 2)
        return discard(d, words->items[1], e);
    return err_set(e, ERR_USAGE,
                   "release takes status, activate DIGEST [MS], discard DIGEST or rollback [MS]");
}

static int forced(struct release_dir *d, struct err *e)
{
    const char *asked = getenv("SSH_ORIGINAL_COMMAND");
    auto_strv struct strv words = {0};

    strv_split(&words, asked ? asked : "", " ");
    if (words.count > 1 && words.count <= WORDS_MAX && strcmp(words.items[0], "release") == 0) {
        auto_strv struct strv rest = strv_copy((const char *const *)words.items + 1);

        return run(d, &rest, e);
    }
    if (words.count == RSYNC_WORDS && strcmp(words.items[0], "rsync") == 0)
        return receive(d, &words, e);
    return err_set(e, ERR_AUTH, "this key may send a release, and nothing else");
}

int release_command(const struct options *o, struct err *e)
{
    struct release_dir d;
    int r = release_dir_open(&d, e);

    if (r == 0)
        r = o->rest.count == 1 && strcmp(o->rest.items[0], "forced") == 0 ? forced(&d, e)
                                                                          : run(&d, &o->rest, e);
    release_dir_close(&d);
    return r;
}
