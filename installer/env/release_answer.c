/* SPDX-License-Identifier: MIT */
/* What the agent in a container answers, whichever way it was asked. */
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "env/release_item.h"

static void copy_name(char out[RELEASE_NAME_SIZE], const struct node *n, const char *key)
{
    const char *text = node_get_text(n, key);

    out[0] = '\0';
    if (text && (release_is_digest(text) || strcmp(text, RELEASE_IMAGE) == 0))
        memcpy(out, text, strlen(text) + 1);
}

int release_take_status(struct release_item *it, const char *said, struct err *e)
{
    struct release_result *r = it->result;
    auto_node struct node *n = NULL;

    if (json_parse(&n, "its answer", said, strlen(said), e) < 0)
        return -1;
    copy_name(r->from, n, "current");
    copy_name(r->digest, n, "digest");
    copy_name(r->previous, n, "previous");
    r->trial = node_get_bool(n, "trial", false);
    r->waits = r->trial && node_get_bool(n, "waits", false);
    if (!*r->from || !*r->digest)
        return err_set(e, ERR_REMOTE, "its answer does not say which agent runs");
    return 0;
}

bool release_is_unchanged(const struct release_work *w, struct release_item *it)
{
    struct release_result *r = it->result;

    memcpy(r->to, r->from, sizeof(r->to));
    if (w->o->verb == RELEASE_VERB_STATUS)
        return true;
    if (w->o->verb == RELEASE_VERB_ROLLBACK) {
        if (!*r->previous || strcmp(r->previous, r->from) == 0) {
            r->end = RELEASE_END_UNCHANGED;
            return true;
        }
        memcpy(r->to, r->previous, sizeof(r->to));
        return false;
    }
    if (strcmp(r->digest, w->digest) == 0 && !r->trial) {
        r->end = RELEASE_END_UNCHANGED;
        return true;
    }
    memcpy(r->to, w->digest, sizeof(r->to));
    return false;
}

int release_take_end(struct release_item *it, const char *said, struct err *e)
{
    struct release_result *r = it->result;
    auto_node struct node *n = NULL;
    const char *result, *why;

    if (json_parse(&n, "its answer", said, strlen(said), e) < 0)
        return -1;
    result = node_get_text(n, "result");
    why = node_get_text(n, "why");
    if (result && strcmp(result, "works") == 0) {
        r->end = RELEASE_END_WORKS;
        return 0;
    }
    if (result && strcmp(result, "unchanged") == 0) {
        r->end = RELEASE_END_UNCHANGED;
        return 0;
    }
    if (result && strcmp(result, "waits") == 0)
        return err_set(e, ERR_REMOTE,
                       "its trial goes on, because etcd does not answer; `slipway agent status` "
                       "tells how it ends");
    if (result && strcmp(result, "back") == 0)
        r->end = RELEASE_END_BACK;
    return err_set(e, r->end == RELEASE_END_BACK ? ERR_UNHEALTHY : ERR_REMOTE, "%s%.300s",
                   r->end == RELEASE_END_BACK ? "put back: " : "", why ? why : "it said nothing");
}
