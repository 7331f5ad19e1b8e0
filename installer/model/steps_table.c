/* SPDX-License-Identifier: MIT */
#include "model/steps_table.h"

#include "base/mem.h"
#include "model/format.h"

enum { ID_MAX = 0x7FFFFFFE };

static const char *const presence[] = {"present", "absent", NULL};
static const char *const truth[] = {"true", "false", NULL};
static const char *const running[] = {"started", "stopped", NULL};

#define AT(field) offsetof(struct step, field)
#define TEXT(k, f, h)                                                                              \
    {                                                                                              \
        .key = k, .type = SCHEMA_TYPE_STRING, .offset = AT(f), .help = h                           \
    }
#define NEEDED(k, f, h)                                                                            \
    {                                                                                              \
        .key = k, .type = SCHEMA_TYPE_STRING, .required = true, .offset = AT(f), .help = h         \
    }
#define CHOICE(k, f, v, h)                                                                         \
    {                                                                                              \
        .key = k, .type = SCHEMA_TYPE_STRING, .values = v, .offset = AT(f), .help = h              \
    }
#define STATE(h)                                                                                   \
    {                                                                                              \
        .key = "state", .type = SCHEMA_TYPE_STRING, .values = presence, .fallback = "present",     \
        .offset = AT(state), .help = h                                                             \
    }
#define NUMBER(k, h)                                                                               \
    {                                                                                              \
        .key = k, .type = SCHEMA_TYPE_INT, .min = 1, .max = ID_MAX, .offset = AT(id), .help = h    \
    }
#define SYSTEM(h)                                                                                  \
    {                                                                                              \
        .key = "system", .type = SCHEMA_TYPE_BOOL, .offset = AT(system), .help = h                 \
    }
#define MODE(h)                                                                                    \
    {                                                                                              \
        .key = "mode", .type = SCHEMA_TYPE_MODE, .offset = AT(mode), .help = h                     \
    }
#define OWNER TEXT("owner", owner, "user that it belongs to, by name or number; default: as it is")
#define GROUP TEXT("group", group, "group that it belongs to, by name or number; default: as it is")
#define SECRET(h) CHOICE("secret", secret, truth, h)

static const struct schema_row package_rows[] = {
    {.key = "names",
     .type = SCHEMA_TYPE_STRINGS,
     .required = true,
     .offset = AT(names),
     .help = "packages, by the names of the target's distribution"},
    STATE("installed or not"),
};

static const struct schema_row file_rows[] = {
    NEEDED("path", path, "absolute path"),
    STATE("whether it is there"),
    TEXT("content", content, "what is in it, as written here"),
    TEXT("content_file", content_file, "the same, from a file beside this one; of any bytes"),
    TEXT("template", template, "what is in it, with ${variables}"),
    TEXT("template_file", template_file, "the same, from a file beside this one"),
    MODE("octal mode; default: as it is, 0644 of a new one"),
    OWNER,
    GROUP,
    SECRET("whether no difference is shown; default: true of what not everybody may read"),
};

static const struct schema_row directory_rows[] = {
    NEEDED("path", path, "absolute path; the folders above it are made too"),
    MODE("octal mode; default: as it is, 0755 of a new one"),
    OWNER,
    GROUP,
};

static const struct schema_row user_rows[] = {
    NEEDED("name", name, "name of the user"),
    NUMBER("uid", "its number; a user that has another one is an error"),
    TEXT("group", group, "its own group, by name; default: one of the user's name"),
    {.key = "groups",
     .type = SCHEMA_TYPE_STRINGS,
     .offset = AT(groups),
     .help = "further groups that it is in; others stay"},
    TEXT("home", home, "its home, which is not made; default: as it is, /nonexistent of a new one"),
    TEXT("shell", shell, "its shell; default: as it is, one that ends at once of a new one"),
    SYSTEM("a number from the system's range when it is made"),
};

static const struct schema_row group_rows[] = {
    NEEDED("name", name, "name of the group"),
    NUMBER("gid", "its number; a group that has another one is an error"),
    SYSTEM("a number from the system's range when it is made"),
};

static const struct schema_row line_rows[] = {
    NEEDED("path", path, "absolute path of the file; it is made when there is none"),
    TEXT("line", content, "the line, without its end"),
    TEXT("match", match,
         "extended regular expression: the last line that it matches is replaced; with `state: "
         "absent` all of them go"),
    STATE("whether the file has the line"),
    SECRET("whether no difference is shown; default: true where not everybody may read the file"),
};

static const struct schema_row service_rows[] = {
    NEEDED("name", name, "name of the service, for systemd, OpenRC or /etc/init.d"),
    CHOICE("state", state, running, "whether it runs"),
    CHOICE("enabled", enabled, truth, "whether it is started when the machine starts"),
};

static const struct schema_row command_rows[] = {
    {.key = "run",
     .type = SCHEMA_TYPE_ANY,
     .required = true,
     .offset = AT(run),
     .help = "a list of words, or a text for a shell"},
    {.key = "unless",
     .type = SCHEMA_TYPE_ANY,
     .offset = AT(unless),
     .help = "a command like run that changes nothing: when it succeeds there is nothing to do; "
             "asked in a dry run too"},
    TEXT("creates", creates, "a path: when it is there, there is nothing to do"),
};

#define TABLE(r)                                                                                   \
    {                                                                                              \
        .rows = r, .count = ARRAY_LEN(r), .size = sizeof(struct step)                              \
    }
const struct schema steps_tables[STEP_KINDS] = {
    [STEP_KIND_PACKAGE] = TABLE(package_rows),     [STEP_KIND_FILE] = TABLE(file_rows),
    [STEP_KIND_DIRECTORY] = TABLE(directory_rows), [STEP_KIND_USER] = TABLE(user_rows),
    [STEP_KIND_GROUP] = TABLE(group_rows),         [STEP_KIND_LINE] = TABLE(line_rows),
    [STEP_KIND_SERVICE] = TABLE(service_rows),     [STEP_KIND_COMMAND] = TABLE(command_rows),
};

#undef AT
#define AT(field) offsetof(struct steps_raw, field)
static const struct schema_row rows[] = {
    FORMAT_ROW(AT(version)),
    {.key = "vars",
     .type = SCHEMA_TYPE_DICT,
     .offset = AT(vars),
     .help = "variables of templates: ${name}; there are ${target.name}, ${target.component}, "
             "${target.environment} and ${target.address} besides"},
    {.key = "steps",
     .type = SCHEMA_TYPE_LIST,
     .required = true,
     .offset = AT(steps),
     .help = "what has to be so, in this order; each one is a map with one key, its kind"},
};
const struct schema steps_table = {.rows = rows, .count = ARRAY_LEN(rows)};
