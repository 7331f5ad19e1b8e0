/* SPDX-License-Identifier: MIT */
/* One copy on its way, for copy.c and what it uses. */
#ifndef ENV_COPY_ITEM_H
#define ENV_COPY_ITEM_H

#include "env/copy.h"
#include "env/copy_tree.h"
#include "env/rsync.h"
#include "env/ssh.h"

enum copy_kind { COPY_KIND_NONE, COPY_KIND_FILE, COPY_KIND_FOLDER, COPY_KIND_OTHER };

struct copy_item {
    struct copy_result *result;
    bool up;   /* into the instance */
    bool many; /* one of several, so that the target has to be a folder */
    bool over_ssh;
    char *from, *to;      /* paths, as they were named */
    enum copy_kind here;  /* what the path of this machine is */
    enum copy_kind there; /* what that of the instance is */
    char *name;           /* for rsync */
    char *target;         /* the copy's own path, when all is known */
    mode_t mode;          /* of a file that comes */
    struct ssh_login login;
    struct host_target host; /* of `login` */
    struct host_job job;
    char *command;
    struct buf said;       /* what the command says */
    struct copy_tree tree; /* of what comes */
    int fd;                /* of the file that is read or written; -1: none */
};

/* Whether nothing failed of it so far. */
bool copy_is_well(const struct copy_item *it);
/* Of a path of this machine. */
enum copy_kind copy_kind_here(const char *path);
/* Both kinds are known: where it goes, or that it cannot. */
int copy_decide(struct copy_item *it, struct err *e);
/* Of two that would be written to one place the second would take the first one's: an error that
 * names both. */
int copy_check_apart(const struct copy_item *items, size_t count, struct err *e);
/* Through the Engine API: all of them are of one instance, and of one direction. What became of
 * each is in its result. */
void copy_docker(struct copy_item *const *items, size_t count, struct env *env, struct engine *g);
/* Takes apart what the probe's command says: "file 640". *mode: of a file, what everybody may
 * have of it here. */
enum copy_kind copy_kind_of(mode_t *mode, const char *said);
/* copy_inside.sh, for `sh -c SCRIPT sh VERB WORD...`; its verbs are told there. */
extern const char copy_inside_script[];

/* ---- what is left out ---- */

/* One more. */
void copy_left_add(struct copy_left *l, const char *name);
/* All that rsync has printed of it. */
void copy_left_take(struct copy_left *l, const char *printed);

#endif
