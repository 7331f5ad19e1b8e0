/* SPDX-License-Identifier: MIT */
/* A change of configuration: read its ETag, then change what has it still. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "remote/call.h"
#include "remote/reply.h"
#include "remote/target.h"

/* Texts as somebody typed them: the server reads them as a command line here would. */
static struct node *body_of(const struct config_edit *edits)
{
    struct node *n = node_new_map(), *set = NULL, *unset = NULL;

    for (; edits->key; edits++) {
        if (edits->value) {
            set = set ? set : node_set(n, "set", node_new_map());
            node_set_text(set, edits->key, edits->value);
        } else {
            unset = unset ? unset : node_set(n, "unset", node_new_list());
            node_add_text(unset, edits->key);
        }
    }
    return n;
}

int remote_config_change(struct remote_change *out, struct remote *r, const char *target,
                         const struct config_edit *edits, bool dry_run, struct err *e)
{
    auto_free char *name = target_name(target);
    const struct call get = {.route = CALL_configuration, .args = {name}};
    auto_node struct node *seen = NULL, *answer = NULL, *body = body_of(edits);
    char tag[TALK_WORD_MAX + 1];
    struct call put = {.route = dry_run ? CALL_configuration_plan : CALL_configuration_change,
                       .args = {name},
                       .body = body};

    *out = (struct remote_change){0};
    if (call_run(&seen, r, &get, e) < 0 || reply_map(seen, "component", e) < 0)
        return -1;
    snprintf(tag, sizeof(tag), "%s", r->tag);
    put.tag = dry_run ? NULL : tag;
    if (call_run(&answer, r, &put, e) < 0)
        return dry_run ? -1 : call_doubt(r, "the change may have been made all the same", e);
    if (reply_rows(node_get(answer, "changes"), "name apply", e) < 0)
        return -1;
    r->changed = r->changed || !dry_run;
    out->changes = node_copy(node_get(answer, "changes"));
    out->component = mem_strdup(node_get_text(seen, "component"));
    return 0;
}
