/* SPDX-License-Identifier: MIT */
#include "agent/rules_command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/volume_rules.h"
#include "conf/json.h"
#include "conf/units.h"

static void add_name(struct node *rules)
{
    struct node *n = node_set(rules, "name", node_new_map());

    node_set_text(n, "first", volume_rules.name_first);
    node_set_text(n, "further", volume_rules.name_further);
    node_set_int(n, "length_max", volume_rules.name_length_max);
    node_set_text(n, "rule", VOLUME_NAME_RULE);
}

static void add_size(struct node *rules)
{
    struct node *n = node_set(rules, "size", node_new_map());
    struct node *units = node_set(n, "units", node_new_map());
    const char *unit;
    int64_t factor;

    node_set_int(n, "min", volume_rules.size_min);
    node_set_int(n, "max", volume_rules.size_max);
    node_set_int(n, "step", volume_rules.size_step);
    node_set_text(n, "pattern", UNITS_SIZE_PATTERN);
    node_set_text(n, "words", UNITS_SIZE_HELP);
    node_set_text(n, "rule", VOLUME_SIZE_RULE);
    node_set_text(n, "step_rule", VOLUME_SIZE_STEP_RULE);
    for (size_t i = 0; (unit = units_size_unit(&factor, i)); i++)
        node_set_int(units, unit, factor);
}

struct node *rules_build(void)
{
    struct node *rules = node_new_map();

    add_name(rules);
    add_size(rules);
    node_set_text(rules, "pool", VOLUME_POOL);
    node_set_text(rules, "template", VOLUME_TEMPLATE);
    struct node *options = node_set(rules, "create_options", node_new_list());
    for (const char *const *o = volume_rules.create_options; *o; o++)
        node_add_text(options, *o);
    return rules;
}

int rules_command(struct err *e)
{
    auto_node struct node *rules = rules_build();
    auto_free char *text = json_text(rules);

    if (puts(text) < 0 || fflush(stdout) != 0)
        return err_set(e, ERR_SYS, "volume-rules: writing them: %s", strerror(errno));
    return 0;
}
