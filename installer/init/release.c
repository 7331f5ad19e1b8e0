/* SPDX-License-Identifier: MIT */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    TRIAL_CRASHES = 3, /* of a release that has not shown that it works */
    YOUNG_CRASHES = 5, /* of one that has, while it is young */
    YOUNG_MS = 10 * 60 * 1000,
};

static int open_dir(const struct release *r)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/releases", r->home);

    return n < (int)sizeof(path) ? open(path, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
}

static bool is_image(const char *name)
{
    return strcmp(name, RELEASE_IMAGE) == 0;
}

static bool is_there(int dir, const char *name)
{
    char path[RELEASE_NAME_SIZE + sizeof("/" RELEASE_AGENT)];

    snprintf(path, sizeof(path), "%s/" RELEASE_AGENT, name);
    return faccessat(dir, path, X_OK, 0) == 0;
}

/* What was current before, unless that is gone or no better. */
static void find_previous(char out[RELEASE_NAME_SIZE], int dir, const struct release *r)
{
    release_previous(out, dir, r->current);
    if (strcmp(out, r->current) == 0 || (!is_image(out) && !is_there(dir, out)))
        snprintf(out, RELEASE_NAME_SIZE, "%s", RELEASE_IMAGE);
}

static int trial_time(const struct release *r)
{
    return r->trial_ms ? r->trial_ms : RELEASE_TRIAL_MS;
}

static void begin_trial(struct release *r, int dir)
{
    r->trial_since = clock_now_ms();
    r->trial_until = r->trial_since + trial_time(r);
    r->waits = false;
    unlinkat(dir, RELEASE_WAITS, 0);
}

void release_choose(struct release *r, char *path, size_t size)
{
    char name[RELEASE_NAME_SIZE] = RELEASE_IMAGE, trial[RELEASE_NAME_SIZE];
    int dir = open_dir(r);

    if (dir >= 0) {
        release_read(name, dir, RELEASE_CURRENT);
        if (strcmp(name, r->avoid) == 0 || (!is_image(name) && !is_there(dir, name)))
            snprintf(name, sizeof(name), "%s", RELEASE_IMAGE);
    }
    if (strcmp(name, r->current) != 0) {
        memcpy(r->current, name, sizeof(name));
        r->crashes = 0;
        r->young_until = is_image(name) ? 0 : clock_now_ms() + YOUNG_MS;
        r->trial_until = 0;
    }
    if (dir >= 0 && !is_image(name) && release_read(trial, dir, RELEASE_TRIAL) &&
        strcmp(trial, name) == 0 && !r->trial_until)
        begin_trial(r, dir);
    if (dir >= 0)
        close(dir);
    if (is_image(name))
        snprintf(path, size, "%s", r->image_agent);
    else
        snprintf(path, size, "%s/releases/%s/" RELEASE_AGENT, r->home, name);
}

bool release_is_image(const struct release *r)
{
    return is_image(r->current);
}

/* Whoever deploys reads it, and the agent names it in etcd. */
static void name_bad(int dir, const char *name, const char *why)
{
    int bad, fd;

    mkdirat(dir, RELEASE_BAD, 0755);
    bad = openat(dir, RELEASE_BAD, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    fd = bad < 0 ? -1
                 : openat(bad, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, why, strlen(why)) < 0)
        spawn_say("release %.12s cannot be named as bad: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (bad >= 0)
        close(bad);
}

void release_put_back(struct release *r, const char *why)
{
    char to[RELEASE_NAME_SIZE] = RELEASE_IMAGE;
    int dir;

    if (is_image(r->current))
        return;
    dir = open_dir(r);
    if (dir >= 0) {
        find_previous(to, dir, r);
        name_bad(dir, r->current, why);
    }
    spawn_say("release %.12s is put back, %.12s comes again: %s", r->current, to, why);
    /* On a full disk the link stays; here it is not followed any more. */
    memcpy(r->avoid, r->current, sizeof(r->avoid));
    if (dir < 0 || release_switch(dir, RELEASE_CURRENT, to) < 0)
        spawn_say("the link to the release cannot be changed: %s", strerror(errno));
    if (dir >= 0) {
        if (renameat(dir, RELEASE_BEFORE, dir, RELEASE_PREVIOUS) < 0 && errno != ENOENT)
            spawn_say("the link to the release before: %s", strerror(errno));
        unlinkat(dir, RELEASE_TRIAL, 0);
        unlinkat(dir, RELEASE_WAITS, 0);
        close(dir);
    }
    r->trial_until = r->young_until = 0;
}

void release_exchange(struct release *r, int trial_ms)
{
    r->trial_ms = trial_ms < 1 || trial_ms > RELEASE_TRIAL_MAX_MS ? RELEASE_TRIAL_MS : trial_ms;
    r->avoid[0] = r->current[0] = '\0'; /* somebody asks for it: a new beginning */
    r->trial_until = 0;
}

void release_well(struct release *r)
{
    int dir;

    if (!r->trial_until)
        return;
    r->trial_until = 0;
    r->crashes = 0;
    dir = open_dir(r);
    if (dir >= 0) {
        unlinkat(dir, RELEASE_TRIAL, 0);
        unlinkat(dir, RELEASE_WAITS, 0);
        close(dir);
    }
    spawn_say("release %.12s works", r->current);
}

/* For whoever asks in which state it is. */
static void note_waits(const struct release *r)
{
    int dir = open_dir(r);
    int fd = dir < 0 ? -1
                     : openat(dir, RELEASE_WAITS,
                              O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd >= 0)
        close(fd);
    if (dir >= 0)
        close(dir);
    spawn_say("release %.12s: etcd does not answer, the trial goes on", r->current);
}

void release_waits(struct release *r)
{
    int64_t last = r->trial_since + (int64_t)RELEASE_WAITS_MAX * trial_time(r);
    int64_t until = clock_now_ms() + trial_time(r);

    if (!r->trial_until)
        return;
    r->trial_until = until < last ? until : last;
    if (!r->waits)
        note_waits(r);
    r->waits = true;
}

bool release_crashed(struct release *r, int status)
{
    char why[128];

    if (is_image(r->current))
        return false;
    r->crashes++;
    if (r->trial_until && r->crashes >= TRIAL_CRASHES) {
        snprintf(why, sizeof(why), "it ended %d times, the last time with status %d", r->crashes,
                 status);
        release_put_back(r, why);
        return true;
    }
    if (r->young_until && r->crashes >= YOUNG_CRASHES && clock_now_ms() < r->young_until) {
        snprintf(why, sizeof(why),
                 "it ended %d times in the minutes after it had worked, the last time with status "
                 "%d",
                 r->crashes, status);
        release_put_back(r, why);
        return true;
    }
    return false;
}

bool release_is_late(struct release *r)
{
    char why[128];

    if (!r->trial_until || clock_now_ms() < r->trial_until)
        return false;
    snprintf(why, sizeof(why), "it did not report that it works within %d s%s",
             (r->waits ? (int)(clock_now_ms() - r->trial_since) : trial_time(r)) / 1000,
             r->waits ? "; etcd did not answer it" : "");
    release_put_back(r, why);
    return true;
}
