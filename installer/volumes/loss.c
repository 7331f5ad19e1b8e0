/* SPDX-License-Identifier: MIT */
/* What loses data is done by the commands that ask before, never by an edit of the document. */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "volumes/volume.h"

/* As the components read it, which take a text for it too. */
static bool says_yes(const struct node *entry, const char *word)
{
    const char *text = node_get_text(entry, word);

    return text && strcasecmp(text, "true") == 0;
}

static bool begins(const struct node *now, const struct node *before, const char *word)
{
    return says_yes(now, word) && !says_yes(before, word);
}

static int refuse(const char *kind, const char *name, const char *word, const char *command,
                  struct err *e)
{
    return err_set(e, ERR_CONFIG, "%s %.80s: %s loses data, and is not set by hand: `slipway %s`",
                   kind, name, word, command);
}

/* An old document, from before the answer to an order. Nothing is deleted, and no command would
 * find it either. */
static int refuse_old(const char *kind, const char *name, struct err *e)
{
    return err_set(e, ERR_CONFIG,
                   "%s %.80s: there is none any more that absent could delete; take its entry out "
                   "of the document",
                   kind, name);
}

static int check_snapshots(const struct node *now, const struct node *before, struct err *e)
{
    const struct node *list = node_get(now, "snapshots"), *s;
    const struct node *there = node_get(before, "snapshots");

    node_for_each (s, list) {
        if (begins(s, node_get(there, s->key), "absent")) {
            auto_free char *command =
                mem_printf("volume snapshot --delete %.80s %.80s", now->key, s->key);

            if (!node_get(there, s->key))
                return refuse_old("snapshot", s->key, e);
            return refuse("snapshot", s->key, "absent", command, e);
        }
    }
    return 0;
}

static int check_volume(const struct node *now, const struct node *before, struct err *e)
{
    const struct node *back = node_get(now, "rollback"), *size = node_get(now, "size");
    auto_free char *command = NULL;

    if (begins(now, before, "absent")) {
        if (!before)
            return refuse_old("volume", now->key, e);
        command = mem_printf("volume delete %.80s", now->key);
        return refuse("volume", now->key, "absent", command, e);
    }
    if (back && back->kind == NODE_KIND_MAP && !node_equal(back, node_get(before, "rollback"))) {
        const char *to = node_get_text(back, "to");

        command = mem_printf("volume rollback %.80s %.80s", now->key, to ? to : "SNAPSHOT");
        return refuse("volume", now->key, "rollback", command, e);
    }
    /* One that was left allows the size that it was for, no other. */
    if (says_yes(now, "shrink") &&
        (!says_yes(before, "shrink") || !node_equal(size, node_get(before, "size")))) {
        command = mem_printf("volume resize --force %.80s SIZE", now->key);
        return refuse("volume", now->key, "shrink", command, e);
    }
    return check_snapshots(now, before, e);
}

static int check_pool(const struct node *now, const struct node *before, struct err *e)
{
    auto_free char *command = mem_printf("pool delete %.80s", now->key);

    if (!begins(now, before, "absent"))
        return 0;
    return before ? refuse("pool", now->key, "absent", command, e)
                  : refuse_old("pool", now->key, e);
}

/* A driver that lets go of a volume waits for who has it open, unless it is forced. */
static int check_served(const struct node *now, const struct node *before, struct err *e)
{
    auto_free char *command = mem_printf("volume detach --force %.80s", now->key);

    return begins(now, before, "force") ? refuse("volume", now->key, "force", command, e) : 0;
}

typedef int check_fn(const struct node *now, const struct node *before, struct err *e);

static int check_map(const struct node *now, const struct node *before, check_fn *check,
                     struct err *e)
{
    const struct node *n;

    node_for_each (n, now) {
        if (check(n, node_get(before, n->key), e) < 0)
            return -1;
    }
    return 0;
}

/* `holder` has a map `config`. What it does not say of its own was that of `common`. */
static int check_holder(const struct node *holder, const struct node *old,
                        const struct node *common, bool driver, struct err *e)
{
    static const char *const keys[] = {"config.volumes", "config.pools"};
    check_fn *const checks[] = {driver ? check_served : check_volume, check_pool};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct node *before = node_find(old, keys[i]);

        if (check_map(node_find(holder, keys[i]), before ? before : node_find(common, keys[i]),
                      checks[i], e) < 0)
            return -1;
    }
    return 0;
}

int volume_refuse_loss(const struct node *document, const struct spec *s, const struct node *old,
                       struct err *e)
{
    for (size_t i = 0; i < s->component_count; i++) {
        const struct spec_component *c = &s->components[i];
        bool driver = volume_is_driver(c->manifest);
        const struct node *now = node_get(node_get(document, "components"), c->manifest->name);
        const struct node *before = node_get(node_get(old, "components"), c->manifest->name);
        const struct node *overrides = node_get(now, "overrides"), *o;

        if (!driver && c != volume_provisioner(s))
            continue;
        if (check_holder(now, before, NULL, driver, e) < 0)
            return -1;
        node_for_each (o, overrides) {
            if (check_holder(o, node_get(node_get(before, "overrides"), o->key), before, driver,
                             e) < 0)
                return -1;
        }
    }
    return 0;
}
