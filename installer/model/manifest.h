/* SPDX-License-Identifier: MIT */
/*
 * A component folder: component.yaml decoded and checked, hooks and templates by presence. The
 * program knows what a component is, never which ones exist. Keys: components/README.md.
 */
#ifndef MODEL_MANIFEST_H
#define MODEL_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strv.h"
#include "conf/node.h"
#include "conf/problems.h"

enum value_type {
    VALUE_TYPE_STRING,
    VALUE_TYPE_INT,
    VALUE_TYPE_FLOAT,
    VALUE_TYPE_BOOL,
    VALUE_TYPE_SIZE,
    VALUE_TYPE_DURATION,
    VALUE_TYPE_SCHEDULE, /* a line of crontab.h, or "null": never */
    VALUE_TYPE_ENUM,
    VALUE_TYPE_LIST,
    VALUE_TYPE_MAP
};
enum apply_kind { APPLY_KIND_RESTART, APPLY_KIND_RELOAD, APPLY_KIND_LIVE };

struct config_key {
    char *name, *help;
    enum value_type type;
    enum apply_kind apply;
    struct node *fallback; /* the default as written, or NULL: no default */
    bool required;         /* no default and must be given */
    bool grows_only;       /* what is stored does not shrink: a smaller value is refused (grow.h) */
    bool has_min, has_max;
    int64_t min, max;   /* int, size (bytes), duration (ms); list and map: item count */
    struct strv values; /* enum */
    char *less_than; /* its value is below that of this key, or of CONFIG_MEMORY; NULL: of none */
};
/* What `less_than` calls the memory limit of the container. */
#define CONFIG_MEMORY "memory"
/* What a schedule is that never comes: null in a document, and this text in etcd. */
#define CONFIG_NEVER "null"

enum shared_kind {
    SHARED_KIND_UUID,      /* generated, the same for every component that declares the name */
    SHARED_KIND_INSTANCES, /* JSON map instance -> address of the named component */
    SHARED_KIND_COUNT,     /* how many instances the named component has */
};
struct shared_value {
    char *name, *component; /* component: for instances and count */
    enum shared_kind kind;
};

enum secret_kind {
#define SECRET(kind, ...) SECRET_KIND_##kind,
#include "model/secrets.def"
#undef SECRET
};
enum secret_scope { SECRET_SCOPE_INSTANCE, SECRET_SCOPE_ENVIRONMENT };
struct secret_decl {
    char *name;
    enum secret_kind kind;
    enum secret_scope scope; /* environment: one value for every component that declares the name */
};

enum template_format {
    TEMPLATE_FORMAT_INI,
    TEMPLATE_FORMAT_ENV,
    TEMPLATE_FORMAT_JSON,
    TEMPLATE_FORMAT_YAML,
    TEMPLATE_FORMAT_ARGS
};
struct template_decl {
    char *name; /* file in templates/ */
    char *path; /* where the rendered file goes */
    enum template_format format;
    mode_t mode; /* default 0644 */
    char *owner; /* user name or NULL: root */
};

struct port_decl {
    char *name;
    int port;
    bool published; /* on 127.0.0.1, also when the environment does not say so */
    char *help;
};

/* What it is to the environment. The first two have the live map `volumes`. */
enum manifest_role {
    MANIFEST_ROLE_NONE,
    MANIFEST_ROLE_STORAGE,    /* makes volumes and pools: has the live map `pools` too */
    MANIFEST_ROLE_DRIVER,     /* serves volumes */
    MANIFEST_ROLE_CONTROLLER, /* its image holds slipwayd and all components; it alone may have
                               * run.engine_socket and a secret of SECRET_KIND_ENVIRONMENT_KEY */
};
/* The one component that may have that role: whoever has its rights is root on the host. */
#define MANIFEST_CONTROLLER "controller"

struct manifest {
    char *dir; /* the folder */
    char *name, *summary, *image;
    enum manifest_role role;
    struct strv requires;
    bool early; /* start: early - may start before what it requires is ready; waits by itself */
    int instances_default, instances_min, instances_max;
    struct strv instances_allowed; /* e.g. 1 3 5; empty: any in min..max */
    char *data_root;               /* NULL: no data */
    int data_volumes;              /* of one instance, when the environment says nothing */
    int data_volumes_max;          /* the most an environment may give it */
    bool data_rebuilds;            /* hook prepare makes lost data again, or refuses */
    struct {
        struct node
            *command; /* list of scalars, may hold ${variables}; NULL: the agent runs nothing */
        char *user;   /* NULL: root */
        struct strv capabilities, devices;
        struct strv device_rules; /* Docker's device cgroup rules, "b 7:* rwm" */
        char *restart; /* Docker restart policy: always | on-failure | no | unless-stopped */
        bool read_only;
        bool shared_mount;   /* needs a mount that propagates to the host */
        char *host_dir;      /* where it sees its folder of the host, or NULL */
        char *plugin_dir;    /* where it sees the host's /run/docker/plugins, or NULL */
        char *engine_socket; /* where it sees the socket of Docker, or NULL */
        struct node *env;    /* map or NULL */
        /* Map right (a key of `run`) -> key of `config`, true or false: the right is there only
         * while the key is true. NULL: all are always there. */
        struct node *only_with;
    } run;
    bool ssh; /* sshd runs in the container */
    struct config_key *config;
    size_t config_count;
    struct strv edits;     /* keys its instances change in etcd: "KEY", "COMPONENT/KEY" */
    struct node *profiles; /* map profile -> map key -> default, or NULL */
    struct shared_value *shared;
    size_t shared_count;
    struct secret_decl *secrets;
    size_t secret_count;
    struct template_decl *templates;
    size_t template_count;
    struct port_decl *ports;
    size_t port_count;
    int64_t ready_deadline_ms; /* default 120 s */
    int64_t ready_settle_ms; /* a daemon that ran for less is not ready; default 3 s without a hook
                              * ready, else 0 */
    int64_t health_every_ms, health_deadline_ms; /* default 10 s, 5 s */
    int64_t hook_deadline_ms;                    /* prepare, once, apply, drain: default 120 s */
    int stop_signal;                             /* default SIGTERM */
    int reload_signal;                           /* default SIGHUP */
    int64_t stop_grace_ms;                       /* default 10 s */
    char *update;                                /* one_by_one | together */
};

/* Decodes DIR/component.yaml; every problem goes to `p` (whose name is set to the file). NULL when
 * there was any. */
struct manifest *manifest_load(const char *dir, struct problems *p);
/* The same from a tree, for tests and fuzzers; dir NULL: no file is looked at. */
struct manifest *manifest_decode(const struct node *root, const char *dir, struct problems *p);
void manifest_free(struct manifest *m);
const struct config_key *manifest_config(const struct manifest *m, const char *name);
void manifest_config_names(const struct manifest *m, struct strv *out);
/* Path of hooks/<name> when it exists and is executable, owned; else NULL. */
char *manifest_hook(const struct manifest *m, const char *name);

/*
 * Checks and normalises one value against its key: size to bytes ("1GiB" -> 1073741824), duration
 * to milliseconds, bool to true/false, enum membership, ranges, lines of schedules. NULL and a
 * problem when it does not fit.
 */
struct node *manifest_value(const struct config_key *key, const struct node *value,
                            struct problems *p);
/* As it is stored in etcd: scalars as plain text, lists and maps as compact JSON. Owned. */
char *manifest_value_text(const struct node *value);
/* The way back: text from etcd to a value of the key's type. */
int manifest_value_parse(struct node **out, const struct config_key *key, const char *text,
                         struct err *e);

/* As a document would say it, the way back from a checked value: 60000 -> "1min". Owned. */
struct node *manifest_value_document(const struct config_key *key, const struct node *value);
/* "a size", "true or false", ... Static. */
const char *manifest_type_name(enum value_type type);
/* Whether what people type is the value as it stands, and not read as YAML. */
bool manifest_type_is_text(enum value_type type);

/* Documentation of the component as Markdown, which reads as plain text too, and the JSON Schema
 * (draft-07) of its `config`. */
struct buf;
void manifest_print_doc(struct buf *b, const struct manifest *m);
struct node *manifest_schema(const struct manifest *m);
/* JSON Schema of one configuration value. Owned. */
struct node *manifest_key_schema(const struct config_key *key);

#endif
