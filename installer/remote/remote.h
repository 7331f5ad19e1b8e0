/* SPDX-License-Identifier: MIT */
/*
 * An environment on another machine, through the API of its slipwayd. What is asked comes back as
 * the same trees that env/ gives, so whoever prints them does not care where they are from; what
 * changes something takes the same arguments. What a server says is checked for what printing
 * takes for granted, and nothing more: it may be anybody's text.
 */
#ifndef REMOTE_REMOTE_H
#define REMOTE_REMOTE_H

#include "env/config.h"
#include "env/logs.h"
#include "env/volumes.h"

struct remote;

/* All borrowed for the call. */
struct remote_opts {
    const char *url;        /* "https://host:port" */
    const char *token_file; /* holds one API token */
    const char *pin;        /* "sha256//BASE64", as slipwayd prints it; NULL: authorities count */
    const char *ca;         /* file of authorities, PEM; NULL: the system's */
    int64_t timeout_ms;     /* of everything; 0: 60 s for each answer, tasks as long as they take */
    struct cancel *cancel;
};

/* *out owned, remote_close. Nothing is asked yet. ERR_USAGE for words that cannot be right, before
 * the token is read. */
int remote_open(struct remote **out, const struct remote_opts *o, struct err *e);
/* NULL is fine. */
void remote_close(struct remote *r);
/* "https://host:port", borrowed. */
const char *remote_place(const struct remote *r);
/* The lines of what is wrong with what was refused; the error counts them. Borrowed. */
const struct strv *remote_problems(const struct remote *r);
/* Whether something was changed on the way. */
bool remote_has_changed(const struct remote *r);

/* ---- asking: see env/status.h, env/config.h, env/history.h, env/volumes.h ---- */

/* Of these instances and components; all when there are no words. */
int remote_status(struct node **out, struct remote *r, const struct strv *words, struct err *e);
int remote_config_get(struct node **out, struct remote *r, const char *target, const char *word,
                      struct err *e);
int remote_config_list(struct node **rows, struct remote *r, const char *target, struct err *e);
/* The document in force. */
int remote_document(struct node **out, struct remote *r, struct err *e);
/* Besides what env_history gives, "text" says what a change means, for people. */
int remote_history(struct node **out, struct remote *r, const char *target, const char *key,
                   struct err *e);
int remote_volume_list(struct node **rows, struct remote *r, struct err *e);
int remote_volume_show(struct node **row, struct remote *r, const char *name, struct err *e);

/* Lines as logs_read gives them; `since` and `until` of `o` as people write them. `begin` is told
 * the instances first: a line's source is a number in these names, which last for the call. */
struct remote_logs {
    struct logs_opts o;
    void (*begin)(void *arg, const struct strv *names); /* with o.arg */
};
int remote_logs_read(struct remote *r, const struct strv *words, const struct remote_logs *l,
                     struct err *e);

/* ---- changing ---- */

/* Changes keys as env_config_change does: *changes has its rows, with "text", and *component whose
 * they are; both owned. What somebody else changes meanwhile is ERR_CONFLICT. */
struct remote_change {
    struct node *changes;
    char *component;
};
int remote_config_change(struct remote_change *out, struct remote *r, const char *target,
                         const struct config_edit *edits, bool dry_run, struct err *e);

/* As those of env/volumes.h, one volume after the other. Each is a task of the server, which is
 * waited for; when that is cancelled the task goes on, and the error says so. no_wait and
 * lock_wait_ms are refused. */
int remote_volume_create(struct remote *r, const struct strv *names, const struct volume_new *n,
                         const char *to, const struct volume_options *o, struct err *e);
int remote_volume_resize(struct remote *r, const char *name, const char *size, bool force,
                         const struct volume_options *o, struct err *e);
int remote_volume_delete(struct remote *r, const struct strv *names, bool force,
                         const struct volume_options *o, struct err *e);
int remote_volume_attach(struct remote *r, const struct strv *names,
                         const struct volume_attach_opts *a, const struct volume_options *o,
                         struct err *e);
int remote_volume_detach(struct remote *r, const struct strv *names,
                         const struct volume_detach_opts *d, const struct volume_options *o,
                         struct err *e);
int remote_volume_move(struct remote *r, const char *name, const struct volume_move_opts *m,
                       const struct volume_options *o, struct err *e);
int remote_volume_template(struct remote *r, const char *name, const struct volume_options *o,
                           struct err *e);
int remote_volume_snapshot(struct remote *r, const char *name, const struct strv *snapshots,
                           const struct volume_options *o, struct err *e);
int remote_volume_snapshot_delete(struct remote *r, const char *name, const struct strv *snapshots,
                                  const struct volume_options *o, struct err *e);
int remote_volume_rollback(struct remote *r, const char *name, const char *snapshot,
                           const struct volume_options *o, struct err *e);

#endif
