/* SPDX-License-Identifier: MIT */
/*
 * The one path of the environment document: load what is stored, adopt what instances changed
 * since, keep what commands made and a file does not name, decode once.
 */
#ifndef ENV_DOCUMENT_H
#define ENV_DOCUMENT_H

#include "env/env.h"

/* env->spec from the file that the environment was opened with. */
int env_document_load_file(struct env *env, struct err *e);
/* env->spec from the document in force: etcd's copy, else the operator's (etcd is down, or the
 * first run was interrupted before etcd had one), else, of the demo, the built-in one.
 * `away`: why etcd could not be opened; NULL: it is open. ERR_NOTFOUND when the environment was
 * never made here. */
int env_document_load_known(struct env *env, const struct err *away, struct err *e);

#define DOCUMENT_STORED "the document in etcd"
/* A document that is stored or was built here, and that nobody is at work on: *out, owned, or the
 * first problems in the one message, where it is called `what`. What a command reads is decoded
 * here, to decide from; what it has made of it by config_plan, which tells what the change would
 * break. */
int env_document_decode(struct spec **out, const struct env *env, const struct node *document,
                        const char *what, struct err *e);

/* For struct converge_opts, with the environment as its argument: *spec becomes what the document
 * has to be now, under what the file says. `keys`: what etcd holds, NULL when it does not answer;
 * then the operator's copy counts. The result lives until the next call. */
int env_finalize(void *arg, const struct spec **spec, const struct etcd_kvs *keys, struct err *e);

#endif
