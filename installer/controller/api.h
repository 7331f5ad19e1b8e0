/* SPDX-License-Identifier: MIT */
/* The functions that answer, one for each row of routes.def; and what they share. */
#ifndef CONTROLLER_API_H
#define CONTROLLER_API_H

#include "controller/controller.h"
#include "controller/request.h"
#include "model/catalog.h"

/* clang-format off */
#define ROUTE(id, ...) int api_##id(struct controller *c, struct request *q, struct err *e);
#include "controller/routes.def"
#undef ROUTE
/* clang-format on */

/* An environment for one request, that its user changes it as: for etcd and Docker, within 30 s.
 * env_close in every case. */
int api_open(struct env **out, const struct controller *c, const struct request *q, unsigned needs,
             struct err *e);
/* Answers with a list of the rows, which it takes, as listing.h makes it. */
int api_list(struct request *q, struct node *rows, const char *filters, struct err *e);
/* Answers with JSON; takes the value. Always 0. */
int api_answer(struct request *q, struct node *value);
/* Begins a task and answers with it; `arguments` is taken. See tasks.h. */
struct task_kind;
int api_begin(struct controller *c, struct request *q, const struct task_kind *kind,
              struct node *arguments, struct err *e);
/* Answers with a task that was begun; takes it. Always 0. */
int api_answer_task(struct request *q, struct node *task);
/* The flag or text of the body, NULL without. */
bool api_flag(const struct request *q, const char *name);
const char *api_text(const struct request *q, const char *name);

/* The work of a check, for a task: `a` {"words": what, empty: all}. */
int api_run_check(struct task *t, struct env *env, const struct node *a, struct err *e);

/* Sets "text" of one change: what becomes of it, for people. `key` NULL: nobody knows the key. */
void api_key_text(struct node *row, const struct config_key *key);
/* The same of a row of the history; none where that is about no key. */
void api_change_text(struct node *row, const struct catalog *catalog);

#endif
