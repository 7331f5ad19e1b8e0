/* SPDX-License-Identifier: MIT */
/*
 * An opened environment, and the start of everything that can be done with one. It is opened from
 * plain values, never from a command line or from variables of the process; what is done with it
 * comes back as data, progress and questions are callbacks, and nothing here prints. So a command
 * line, a server and a test use the same functions, several environments at once in one process.
 *
 * One thread at a time uses a `struct env`; whoever works in parallel clones its connections
 * (engine_clone, etcd_clone).
 */
#ifndef ENV_ENV_H
#define ENV_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/until.h"
#include "engine/images.h"
#include "etcd/etcd.h"
#include "model/catalog.h"
#include "model/secret.h"
#include "model/spec.h"

/* What is prepared; each includes what it needs itself. */
enum env_needs {
    ENV_NEEDS_CATALOG = 1 << 0,       /* env->catalog, without the components that have problems */
    ENV_NEEDS_SPEC = 1 << 1,          /* env->spec: the file, else the document in force, else the
                                      built-in demo; and the catalog */
    ENV_NEEDS_ENGINE = 1 << 2,        /* env->engine */
    ENV_NEEDS_ETCD = 1 << 3,          /* env->etcd as root, env->containers, env->key; the engine */
    ENV_NEEDS_NAME = 1 << 4,          /* env->name, valid */
    ENV_NEEDS_CONTAINERS = 1 << 5,    /* env->key, env->containers; works while etcd does not */
    ENV_NEEDS_KEY = 1 << 6,           /* env->key; works while Docker does not */
    ENV_NEEDS_WHOLE_CATALOG = 1 << 7, /* any problem of a component is an error; not after
                                         another need opened the catalog without it */
    ENV_NEEDS_SSH = 1 << 8,           /* the containers, and env->key.ssh as etcd has it, if it
                                         answers */
};

/* Where the program's own files are. */
struct env_paths {
    char *components, *dockerfiles; /* folders of components and of images */
    char *demo;                     /* the built-in environment document */
    char *steps;                    /* folder of the programs that do steps */
    char *init, *agent;             /* slipway-init and slipway-agent, for the images */
    char *daemon;                   /* slipwayd, for the image of the controller */
    char *relay; /* for rsync in the place of ssh: gets RELAY_WORD SOCKET HOST COMMAND ..., and
                    hands them to relay_call (host/relay.h) */
};

/* All borrowed until env_close. */
struct env_opts {
    const char *home;            /* holds a folder of files for each environment; never NULL */
    const char *name;            /* NULL: that of the file, else the only one there is, else demo */
    const char *file;            /* path of an environment document; NULL: the one in force */
    bool file_passes;            /* that file goes away: nobody edits it, so it is not remembered */
    const struct strv *catalogs; /* further component folders; NULL: none */
    const struct env_paths *paths;
    const char *docker; /* address of the engine, engine_open; NULL: as Docker's own client */
    const char *docker_config;  /* that client's folder, ~/.docker; NULL: none */
    const char *docker_context; /* its context; NULL: the current one of that folder */
    const char *temp_dir;       /* for temporary files; NULL: as the system has it */
    const char *self;   /* the instance that works with it: it leaves its own container alone, which
                           only `slipway` makes again, stops or removes; NULL: none does */
    const char *user;   /* who works with it, for locks and the audit; NULL: the process's owner */
    int64_t timeout_ms; /* of everything that is done with it; 0: each verb's own default */
    struct cancel *cancel; /* ends what is done with it; NULL: nobody does */
};

struct env {
    struct env_opts o;
    const char *name;
    char *name_owned;
    char *folder; /* the environment's own in o.home: key, document, lock, journal, links */
    char *user;
    struct until until; /* of the timeout and the cancel: bounds every call */
    struct catalog *catalog;
    struct spec *spec;
    struct spec *settled; /* what env_finalize made of it */
    struct node *kept;    /* the operator's copy of the document, as env_finalize found it first */
    int64_t expected;     /* revision that env_finalize wants the document to be at; 0: any */
    struct images_opts images;
    struct strv folders;  /* of the components in the catalog, for images.components */
    struct node *proxies; /* for images.proxies */
    struct engine *engine;
    struct hosts *hosts; /* env_hosts */
    struct env_key key;
    struct node *containers; /* those of this environment, as they were when it was opened */
    struct etcd *etcd;
    struct strv problems; /* lines of what is wrong with the document or catalog that was refused,
                             "file:line:column: ..." where there is a file; the error counts them */
    bool changed; /* something was changed with it and not taken back: what fails from then on is
                     not "failed before any change" */
};

/* Opens an environment: `needs` is a set of enum env_needs, 0 prepares nothing. On failure *out is
 * there all the same, for its `problems`: close it in every case. */
int env_open(struct env **out, const struct env_opts *o, unsigned needs, struct err *e);
/* Prepares more of an open environment. What is there already stays. */
int env_need(struct env *env, unsigned needs, struct err *e);
/* Connections over SSH (host/host.h), made when they are needed and kept until env_close. What
 * is begun with them is ended by whoever began it. */
struct hosts *env_hosts(struct env *env);
/* Frees it with its connections; NULL is fine. */
void env_close(struct env *env);
/* The end of a verb that begins now, clock.h: the timeout the environment was opened with, else the
 * verb's default. */
int64_t env_deadline(const struct env *env, int64_t default_ms);
/* Bounds the engine's calls, and so converge, by that deadline. */
void env_bound(struct env *env, int64_t default_ms);
/* Moves the problems' lines into env->problems and fills *e, which counts them. Returns -1. */
int env_refuse(struct env *env, const struct problems *p, const char *what, struct err *e);

/* Names of the environments that have a folder in `home`, sorted; and of those whose key is in
 * it. */
void env_homes(struct strv *out, const char *home);
void env_names(struct strv *out, const char *home);

#endif
