/* SPDX-License-Identifier: MIT */
#include "engine/labels.h"

#include <string.h>

int labels_match(const struct node *ours, const struct node *theirs, struct err *e)
{
    const struct node *label;

    node_for_each (label, ours) {
        const char *theirs_is = node_get_text(theirs, label->key);

        if (!theirs_is)
            return err_set(e, ERR_CONFLICT, "it has no label %s", label->key);
        if (label->text && strcmp(theirs_is, label->text) != 0)
            return err_set(e, ERR_CONFLICT, "its label %s is %s, not %s", label->key, theirs_is,
                           label->text);
    }
    return 0;
}
