/* SPDX-License-Identifier: MIT */
#include "model/spec_table.h"

#include "base/mem.h"
#include "model/format.h"

enum { INSTANCES_MAX = 1000, VOLUMES_MAX = 16 };
#define MEMORY_MIN (INT64_C(6) << 20) /* Docker's own minimum */
#define MEMORY_MAX (INT64_C(1) << 50)

#define AT(field) offsetof(struct raw_override, field)
static const struct schema_row override_rows[] = {
    {.key = "config",
     .type = SCHEMA_TYPE_DICT,
     .offset = AT(config),
     .help = "configuration of this instance only"},
    {.key = "ports",
     .type = SCHEMA_TYPE_DICT,
     .offset = AT(ports),
     .help = "where ports are published: 8443 on 127.0.0.1, or \"0.0.0.0:8443\"; 0: any free one"},
    {.key = "volumes",
     .type = SCHEMA_TYPE_STRINGS,
     .word = SCHEMA_WORD_VOLUME,
     .offset = AT(volumes),
     .help = "names of its data volumes; one that is there keeps its number"},
    {.key = "memory",
     .type = SCHEMA_TYPE_SIZE,
     .offset = AT(memory),
     .min = MEMORY_MIN,
     .max = MEMORY_MAX,
     .help = "memory limit of the container"},
};
static const struct schema override_table = {
    .rows = override_rows,
    .count = ARRAY_LEN(override_rows),
    .size = sizeof(struct raw_override),
    .name_offset = AT(name),
    .word = SCHEMA_WORD_ANY,
    .entry = "instance",
};

#undef AT
#define AT(field) offsetof(struct raw_component, field)
static const struct schema_row component_rows[] = {
    {.key = "instances",
     .type = SCHEMA_TYPE_INT,
     .offset = AT(instances),
     .min = 1,
     .max = INSTANCES_MAX,
     .help = "how many containers; default: the component's"},
    {.key = "config",
     .type = SCHEMA_TYPE_DICT,
     .offset = AT(config),
     .help = "configuration of all instances"},
    {.key = "memory",
     .type = SCHEMA_TYPE_SIZE,
     .offset = AT(memory),
     .min = MEMORY_MIN,
     .max = MEMORY_MAX,
     .help = "memory limit of each container; default: none"},
    {.key = "volumes",
     .type = SCHEMA_TYPE_INT,
     .offset = AT(volumes),
     .min = 1,
     .max = VOLUMES_MAX,
     .help = "data volumes of each instance; default: the component's"},
    {.key = "ssh",
     .type = SCHEMA_TYPE_ANY,
     .offset = AT(ssh),
     .help = "true or false: whether sshd runs in the containers; default: the environment's"},
    {.key = "overrides",
     .type = SCHEMA_TYPE_ENTRIES,
     .table = &override_table,
     .offset = AT(overrides),
     .count_offset = AT(override_count),
     .help = "what differs, by instance name"},
};
static const struct schema component_table = {
    .rows = component_rows,
    .count = ARRAY_LEN(component_rows),
    .size = sizeof(struct raw_component),
    .name_offset = AT(name),
    .word = SCHEMA_WORD_ANY,
    .entry = "component",
};

#undef AT
#define AT(field) offsetof(struct spec_raw, field)
static const struct schema_row network_rows[] = {
    {.key = "subnet",
     .type = SCHEMA_TYPE_STRING,
     .offset = AT(subnet),
     .help = "private IPv4 range like 10.90.7.0/24; default: a free one is chosen"},
};
static const struct schema network_table = {.rows = network_rows, .count = ARRAY_LEN(network_rows)};

static const struct schema_row rows[] = {
    FORMAT_ROW(AT(version)),
    {.key = "name",
     .type = SCHEMA_TYPE_STRING,
     .word = SCHEMA_WORD_NAME,
     .offset = AT(name),
     .required = true,
     .help = "name of the environment"},
    {.key = "profile",
     .type = SCHEMA_TYPE_STRING,
     .word = SCHEMA_WORD_NAME,
     .offset = AT(profile),
     .fallback = "production",
     .help = "named set of the components' defaults"},
    {.key = "base_image",
     .type = SCHEMA_TYPE_STRING,
     .offset = AT(base_image),
     .fallback = "debian:trixie-slim",
     .help = "image that ours are built on"},
    {.key = "mirror",
     .type = SCHEMA_TYPE_STRING,
     .offset = AT(mirror),
     .help = "Debian mirror, when no registry answers"},
    {.key = "ssh",
     .type = SCHEMA_TYPE_ANY,
     .offset = AT(ssh),
     .help = "true or false: whether sshd runs in the containers of components that do not say; "
             "default: as each component's manifest has it"},
    {.key = "network",
     .type = SCHEMA_TYPE_TABLE,
     .table = &network_table,
     .help = "the environment's network"},
    {.key = "components",
     .type = SCHEMA_TYPE_ENTRIES,
     .table = &component_table,
     .required = true,
     .offset = AT(components),
     .count_offset = AT(component_count),
     .help = "what runs, by component name"},
};
const struct schema spec_table = {.rows = rows, .count = ARRAY_LEN(rows)};
