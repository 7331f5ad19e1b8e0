/* SPDX-License-Identifier: MIT */
/*
 * Files and folders into instances and out of them: over SSH where sshd runs in the container (a
 * file by one command, a folder by rsync), else as an archive through the Engine API. One instance
 * that fails does not hold up the others.
 *
 * Names are as `cp -r` has them: into the target where that is a folder, else in its place. What
 * comes out of a container is looked through first: files and folders alone.
 */
#ifndef ENV_COPY_H
#define ENV_COPY_H

#include "env/env.h"

/* "ceph-osd-1:/etc/hosts": the selector in front of the colon, "" when the word is a path here. */
struct copy_end {
    char *selector, *path;
};
/* A path here that has a colon has a slash before it: ./a:b. Clear it in every case. Pure. */
int copy_end_parse(struct copy_end *out, const char *word, struct err *e);
void copy_end_clear(struct copy_end *end);
/* What a copy of `path` is called in a folder; "" for one that has no name of its own. Owned. */
char *copy_end_name(const char *path);

enum { COPY_TIMEOUT_MS = 60 * 60 * 1000 };

/* What a folder has that is not copied: into an instance all but files, folders and links, out of
 * one all but files and folders. */
enum { COPY_LEFT_NAMES = 20 };
struct copy_left {
    size_t count;
    struct strv names; /* below the folder; of the first COPY_LEFT_NAMES */
};

struct copy_result {
    char *instance, *from, *to; /* `to`: where it is now */
    const char *via;            /* "ssh", "rsync", "docker"; NULL: it was not begun */
    uint64_t bytes;             /* that went over the line */
    int64_t took_ms;
    struct copy_left left;
    struct err error; /* ERR_NONE: it is there */
};
struct copy_results {
    struct copy_result *items;
    size_t count;
};

/* `from` has one word at least. Needs the containers. 0 whatever became of each; -1: nothing was
 * begun. Clear the results in every case. */
int copy_run(struct copy_results *out, struct env *env, const struct strv *from, const char *to,
             struct err *e);
void copy_results_clear(struct copy_results *r);

#endif
