/* SPDX-License-Identifier: MIT */
/* Part of plan_up: volumes that a driver may still serve although it is ordered to let go. */
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/applied.h"
#include "model/keys.h"
#include "plan/plan_up.h"

/* Whether the instance has brought into effect what etcd holds for it. */
static bool has_applied(const struct builder *b, const struct spec_instance *i)
{
    auto_free char *key = keys_instance_applied(b->d->spec->name, i->name);
    const char *text = observed_value(b->w, key);
    auto_node struct node *applied = NULL;
    char hash[65];
    int64_t newest;
    struct err e;

    if (text && json_parse(&applied, key, text, strlen(text), &e) < 0)
        err_drop(&e, "the acknowledgement of an instance");
    newest = applied_hash_stored(hash, &b->w->keys, b->d->spec->name, i->manifest->name, i->name);
    return applied_judge(applied, hash, newest) == APPLIED_IS_OK;
}

void builder_note_detaching(struct builder *b)
{
    for (size_t k = 0; b->w->etcd_answers && k < b->d->count; k++) {
        const struct spec_instance *i = b->d->items[k].spec;
        const struct node *v;

        if (i->manifest->role != MANIFEST_ROLE_DRIVER)
            continue;
        node_for_each (v, spec_value(b->d->spec, i, "volumes")) {
            if (node_get_bool(v, "absent", false) && !has_applied(b, i))
                strv_addf(&b->p->notes,
                          "volume %s may still be served by %s, which has not carried out the "
                          "order to detach it",
                          v->key, i->name);
        }
    }
}
