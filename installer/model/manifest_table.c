/* SPDX-License-Identifier: MIT */
#include "model/manifest_table.h"

#include <signal.h>

#include "base/mem.h"

static const char *const role_values[] = {"storage", "driver", "controller", NULL};
static const int role_numbers[] = {MANIFEST_ROLE_STORAGE, MANIFEST_ROLE_DRIVER,
                                   MANIFEST_ROLE_CONTROLLER};
static const char *const start_values[] = {"ordered", "early", NULL};
static const char *const update_values[] = {"one_by_one", "together", NULL};
static const char *const type_values[] = {"string",   "int",  "float", "bool", "size", "duration",
                                          "schedule", "enum", "list",  "map",  NULL};
static const char *const apply_values[] = {"restart", "reload", "live", NULL};
static const char *const uuid_values[] = {"uuid", NULL};
static const int uuid_numbers[] = {1};
static const char *const secret_values[] = {
#define SECRET(kind, name, ...) name,
#include "model/secrets.def"
#undef SECRET
    NULL};
static const char *const scope_values[] = {"instance", "environment", NULL};
static const char *const format_values[] = {"ini", "env", "json", "yaml", "args", NULL};
static const int format_numbers[] = {1, 2, 3, 4, 5};
static const char *const signal_values[] = {"HUP",  "INT",  "QUIT",  "KILL", "USR1",
                                            "USR2", "TERM", "WINCH", NULL};
static const int signal_numbers[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGKILL,
                                     SIGUSR1, SIGUSR2, SIGTERM, SIGWINCH};

enum { DAY_MS = 86400000, INSTANCES_MAX = 1000, VOLUMES_MAX = 16 };

#define TABLE(rows_)                                                                               \
    {                                                                                              \
        .rows = rows_, .count = ARRAY_LEN(rows_)                                                   \
    }
#define AT(field) offsetof(struct manifest_raw, field)
#define MILLISECONDS(key_, field, fallback_, help_)                                                \
    {                                                                                              \
        .key = key_, .type = SCHEMA_TYPE_DURATION, .offset = AT(field), .fallback = fallback_,     \
        .min = 1, .max = DAY_MS, .help = help_                                                     \
    }

static const struct schema_row instances_rows[] = {
    {.key = "default",
     .type = SCHEMA_TYPE_INT,
     .offset = AT(m.instances_default),
     .min = 1,
     .max = INSTANCES_MAX,
     .fallback = "1",
     .help = "how many when the environment does not say"},
    {.key = "min",
     .type = SCHEMA_TYPE_INT,
     .offset = AT(m.instances_min),
     .min = 1,
     .max = INSTANCES_MAX,
     .fallback = "1",
     .help = "fewest"},
    {.key = "max",
     .type = SCHEMA_TYPE_INT,
     .offset = AT(m.instances_max),
     .min = 1,
     .max = INSTANCES_MAX,
     .fallback = "1",
     .help = "most"},
    {.key = "allowed",
     .type = SCHEMA_TYPE_STRINGS,
     .offset = AT(m.instances_allowed),
     .help = "the only counts, like [1, 3, 5]"},
};
static const struct schema instances_table = TABLE(instances_rows);

static const struct schema_row data_rows[] = {
    {.key = "root",
     .type = SCHEMA_TYPE_STRING,
     .word = SCHEMA_WORD_PATH,
     .offset = AT(m.data_root),
     .help = "every byte that must survive is under it"},
    {.key = "volumes",
     .type = SCHEMA_TYPE_INT,
     .offset = AT(m.data_volumes),
     .min = 1,
     .max = VOLUMES_MAX,
     .help = "volumes of an instance; default 1; the first is root itself, then root/2, ..."},
    {.key = "max_volumes",
     .type = SCHEMA_TYPE_INT,
     .offset = AT(m.data_volumes_max),
     .min = 1,
     .max = VOLUMES_MAX,
     .help = "most an environment may give it; default: volumes"},
    {.key = "rebuilds",
     .type = SCHEMA_TYPE_BOOL,
     .offset = AT(m.data_rebuilds),
     .fallback = "false",
     .help = "lost data is made again, or refused, by its hook prepare"},
};
static const struct schema data_table = TABLE(data_rows);

#undef AT
#define AT(field) offsetof(struct raw_config, field)
static const struct schema_row config_rows[] = {
    {.key = "type",
     .type = SCHEMA_TYPE_ENUM,
     .values = type_values,
     .offset = AT(key.type),
     .required = true,
     .help = "what the value is"},
    {.key = "default",
     .type = SCHEMA_TYPE_ANY,
     .offset = AT(key.fallback),
     .help = "value when none is given"},
    {.key = "apply",
     .type = SCHEMA_TYPE_ENUM,
     .values = apply_values,
     .offset = AT(key.apply),
     .fallback = "restart",
     .help = "what a change needs"},
    {.key = "help",
     .type = SCHEMA_TYPE_STRING,
     .offset = AT(key.help),
     .required = true,
     .help = "one line for people"},
    {.key = "required",
     .type = SCHEMA_TYPE_BOOL,
     .offset = AT(key.required),
     .fallback = "false",
     .help = "the environment must give a value"},
    {.key = "grows_only",
     .type = SCHEMA_TYPE_BOOL,
     .offset = AT(key.grows_only),
     .fallback = "false",
     .help = "a smaller value is refused once there is an instance; int, size and duration"},
    {.key = "min",
     .type = SCHEMA_TYPE_ANY,
     .offset = AT(min),
     .help = "smallest; of a list or map the fewest items"},
    {.key = "max",
     .type = SCHEMA_TYPE_ANY,
     .offset = AT(max),
     .help = "largest; of a list or map the most items"},
    {.key = "values",
     .type = SCHEMA_TYPE_STRINGS,
     .offset = AT(key.values),
     .help = "what an enum may be"},
    {.key = "less_than",
     .type = SCHEMA_TYPE_STRING,
     .offset = AT(key.less_than),
     .help =
         "another key of the same type that it stays below where both are set, or `memory`: the "
         "container's limit"},
};
static const struct schema config_table = {
    .rows = config_rows,
    .count = ARRAY_LEN(config_rows),
    .size = sizeof(struct raw_config),
    .name_offset = AT(key.name),
    .word = SCHEMA_WORD_KEY,
    .entry = "key",
};

#undef AT
#define AT(field) offsetof(struct raw_shared, field)
static const struct schema_row shared_rows[] = {
    {.key = "generate",
     .type = SCHEMA_TYPE_ENUM,
     .values = uuid_values,
     .numbers = uuid_numbers,
     .offset = AT(generated),
     .help = "made once, the same for every component that declares the name"},
    {.key = "instances",
     .type = SCHEMA_TYPE_STRING,
     .word = SCHEMA_WORD_NAME,
     .offset = AT(instances),
     .help = "map of that component's instances to their addresses"},
    {.key = "count",
     .type = SCHEMA_TYPE_STRING,
     .word = SCHEMA_WORD_NAME,
     .offset = AT(count),
     .help = "number of that component's instances"},
};
static const struct schema shared_table = {
    .rows = shared_rows,
    .count = ARRAY_LEN(shared_rows),
    .size = sizeof(struct raw_shared),
    .name_offset = AT(value.name),
    .word = SCHEMA_WORD_KEY,
    .entry = "name",
};

#undef AT
#define AT(field) offsetof(struct secret_decl, field)
static const struct schema_row secret_rows[] = {
    {.key = "generate",
     .type = SCHEMA_TYPE_ENUM,
     .values = secret_values,
     .offset = AT(kind),
     .required = true,
     .help = "what it is"},
    {.key = "scope",
     .type = SCHEMA_TYPE_ENUM,
     .values = scope_values,
     .offset = AT(scope),
     .fallback = "instance",
     .help = "one per instance, or one for every component that declares the name"},
};
static const struct schema secret_table = {
    .rows = secret_rows,
    .count = ARRAY_LEN(secret_rows),
    .size = sizeof(struct secret_decl),
    .name_offset = AT(name),
    .word = SCHEMA_WORD_KEY,
    .entry = "name",
};

#undef AT
#define AT(field) offsetof(struct raw_template, field)
static const struct schema_row template_rows[] = {
    {.key = "path",
     .type = SCHEMA_TYPE_STRING,
     .word = SCHEMA_WORD_PATH,
     .offset = AT(decl.path),
     .required = true,
     .help = "where the rendered file goes"},
    {.key = "format",
     .type = SCHEMA_TYPE_ENUM,
     .values = format_values,
     .numbers = format_numbers,
     .offset = AT(format),
     .help = "default by suffix: .conf .ini .env .json .yaml .yml .args"},
    {.key = "mode",
     .type = SCHEMA_TYPE_MODE,
     .offset = AT(decl.mode),
     .fallback = "0644",
     .help = "of the file"},
    {.key = "owner",
     .type = SCHEMA_TYPE_STRING,
     .word = SCHEMA_WORD_FILE,
     .offset = AT(decl.owner),
     .help = "user; default root"},
};
static const struct schema template_table = {
    .rows = template_rows,
    .count = ARRAY_LEN(template_rows),
    .size = sizeof(struct raw_template),
    .name_offset = AT(decl.name),
    .word = SCHEMA_WORD_FILE,
    .entry = "file",
};

#undef AT
#define AT(field) offsetof(struct port_decl, field)
static const struct schema_row port_rows[] = {
    {.key = "port",
     .type = SCHEMA_TYPE_INT,
     .offset = AT(port),
     .min = 1,
     .max = 65535,
     .required = true,
     .help = "TCP port in the container"},
    {.key = "published",
     .type = SCHEMA_TYPE_BOOL,
     .offset = AT(published),
     .fallback = "false",
     .help =
         "on 127.0.0.1 even when the environment does not say where, at a port that follows from "
         "its name"},
    {.key = "help",
     .type = SCHEMA_TYPE_STRING,
     .offset = AT(help),
     .required = true,
     .help = "one line for people"},
};
static const struct schema port_table = {
    .rows = port_rows,
    .count = ARRAY_LEN(port_rows),
    .size = sizeof(struct port_decl),
    .name_offset = AT(name),
    .word = SCHEMA_WORD_KEY,
    .entry = "name",
};

#undef AT
#define AT(field) offsetof(struct manifest_raw, field)
static const struct schema_row ready_rows[] = {
    MILLISECONDS("deadline", m.ready_deadline_ms, "120s",
                 "an instance that is not ready by then has failed"),
    {.key = "settle",
     .type = SCHEMA_TYPE_DURATION,
     .offset = AT(m.ready_settle_ms),
     .fallback = "3s",
     .min = 0,
     .max = DAY_MS,
     .help = "a daemon that has run for less is not ready; with a hook ready the default is 0s"},
};
static const struct schema ready_table = TABLE(ready_rows);

static const struct schema_row health_rows[] = {
    MILLISECONDS("every", m.health_every_ms, "10s", "how often the hook runs"),
    MILLISECONDS("deadline", m.health_deadline_ms, "5s", "how long it may take"),
};
static const struct schema health_table = TABLE(health_rows);

static const struct schema_row hook_rows[] = {
    MILLISECONDS("deadline", m.hook_deadline_ms, "120s", "how long any other hook may take"),
};
static const struct schema hook_table = TABLE(hook_rows);

static const struct schema_row stop_rows[] = {
    {.key = "signal",
     .type = SCHEMA_TYPE_ENUM,
     .values = signal_values,
     .numbers = signal_numbers,
     .offset = AT(m.stop_signal),
     .fallback = "TERM",
     .help = "asks the daemon to end"},
    MILLISECONDS("grace", m.stop_grace_ms, "10s", "then it is killed"),
};
static const struct schema stop_table = TABLE(stop_rows);

static const struct schema_row reload_rows[] = {
    {.key = "signal",
     .type = SCHEMA_TYPE_ENUM,
     .values = signal_values,
     .numbers = signal_numbers,
     .offset = AT(m.reload_signal),
     .fallback = "HUP",
     .help = "makes the daemon read its files again"},
};
static const struct schema reload_table = TABLE(reload_rows);

static const struct schema_row rows[] = {
    {.key = "name",
     .type = SCHEMA_TYPE_STRING,
     .word = SCHEMA_WORD_NAME,
     .offset = AT(m.name),
     .required = true,
     .help = "the folder's name"},
    {.key = "summary",
     .type = SCHEMA_TYPE_STRING,
     .offset = AT(m.summary),
     .required = true,
     .help = "one line for people"},
    {.key = "image",
     .type = SCHEMA_TYPE_STRING,
     .word = SCHEMA_WORD_NAME,
     .offset = AT(m.image),
     .fallback = "base",
     .help = "folder in dockerfiles/"},
    {.key = "role",
     .type = SCHEMA_TYPE_ENUM,
     .values = role_values,
     .numbers = role_numbers,
     .offset = AT(m.role),
     .help =
         "storage makes volumes and pools, driver serves volumes, controller holds slipwayd; left "
         "out: none of them"},
    {.key = "requires",
     .type = SCHEMA_TYPE_STRINGS,
     .word = SCHEMA_WORD_NAME,
     .offset = AT(m.requires),
     .help = "components it starts after"},
    {.key = "start",
     .type = SCHEMA_TYPE_ENUM,
     .values = start_values,
     .offset = AT(early),
     .fallback = "ordered",
     .help = "early: before what it requires is ready; its prepare hook waits"},
    {.key = "instances",
     .type = SCHEMA_TYPE_TABLE,
     .table = &instances_table,
     .help = "how many there may be"},
    {.key = "data",
     .type = SCHEMA_TYPE_TABLE,
     .table = &data_table,
     .help = "what must survive the container"},
    {.key = "run",
     .type = SCHEMA_TYPE_TABLE,
     .table = &manifest_run_table,
     .help = "the daemon and its rights"},
    {.key = "ssh",
     .type = SCHEMA_TYPE_BOOL,
     .offset = AT(m.ssh),
     .fallback = "false",
     .help = "sshd runs in the container"},
    {.key = "config",
     .type = SCHEMA_TYPE_ENTRIES,
     .table = &config_table,
     .offset = AT(config),
     .count_offset = AT(config_count),
     .help = "configuration keys"},
    {.key = "edits",
     .type = SCHEMA_TYPE_STRINGS,
     .offset = AT(m.edits),
     .help = "live keys it may change in etcd itself: its instances' KEY, or COMPONENT/KEY"},
    {.key = "profiles",
     .type = SCHEMA_TYPE_DICT,
     .offset = AT(m.profiles),
     .help = "named sets of defaults"},
    {.key = "shared",
     .type = SCHEMA_TYPE_ENTRIES,
     .table = &shared_table,
     .offset = AT(shared),
     .count_offset = AT(shared_count),
     .help = "values common to the environment; exactly one of the keys each"},
    {.key = "secrets",
     .type = SCHEMA_TYPE_ENTRIES,
     .table = &secret_table,
     .offset = AT(m.secrets),
     .count_offset = AT(m.secret_count),
     .help = "files only the daemon's user reads"},
    {.key = "templates",
     .type = SCHEMA_TYPE_ENTRIES,
     .table = &template_table,
     .offset = AT(templates),
     .count_offset = AT(template_count),
     .help = "files in templates/ and where they are rendered to"},
    {.key = "ports",
     .type = SCHEMA_TYPE_ENTRIES,
     .table = &port_table,
     .offset = AT(m.ports),
     .count_offset = AT(m.port_count),
     .help = "ports an environment may publish"},
    {.key = "ready", .type = SCHEMA_TYPE_TABLE, .table = &ready_table, .help = "hook ready"},
    {.key = "health", .type = SCHEMA_TYPE_TABLE, .table = &health_table, .help = "hook health"},
    {.key = "hooks", .type = SCHEMA_TYPE_TABLE, .table = &hook_table, .help = "the other hooks"},
    {.key = "stop", .type = SCHEMA_TYPE_TABLE, .table = &stop_table, .help = "how the daemon ends"},
    {.key = "reload",
     .type = SCHEMA_TYPE_TABLE,
     .table = &reload_table,
     .help = "how it takes changes of kind reload"},
    {.key = "update",
     .type = SCHEMA_TYPE_STRING,
     .values = update_values,
     .offset = AT(m.update),
     .fallback = "one_by_one",
     .help = "how instances are replaced"},
};
const struct schema manifest_table = {.rows = rows, .count = ARRAY_LEN(rows)};
