/* SPDX-License-Identifier: MIT */
#include "env/volume_settle.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "env/volume_answer.h"

static bool has_order(const struct node *map)
{
    const struct node *n;

    node_for_each (n, map) {
        if (volume_has_order(n))
            return true;
    }
    return false;
}

/* The next instance of a driver that has an order, in the order of the document from *at on. */
static const struct spec_instance *next_driver(const struct volume_run *r, size_t *at)
{
    size_t n = 0;

    for (size_t c = 0; c < r->spec->component_count; c++) {
        const struct spec_component *component = &r->spec->components[c];

        for (int i = 0; volume_is_driver(component->manifest) && i < component->count; i++)
            if (n++ >= *at && has_order(spec_value(r->spec, &component->instances[i], "volumes"))) {
                *at = n;
                return &component->instances[i];
            }
    }
    return NULL;
}

static bool has_provisioner_order(const struct volume_run *r)
{
    return has_order(r->maps.pools) || has_order(r->maps.volumes);
}

bool volume_settle_pending(const struct volume_run *r)
{
    size_t at = 0;

    return has_provisioner_order(r) || next_driver(r, &at);
}

/* ---- answers ---- */

/* What the provisioners that are there complain of. */
struct complaints {
    struct strv all;
    struct strv shared; /* the same when every one of them has any, else none */
    bool answered;      /* all of them have, and there is one */
};

static void complaints_clear(struct complaints *c)
{
    strv_clear(&c->all);
    strv_clear(&c->shared);
}

static int read_answers(struct complaints *c, const struct volume_run *r, struct err *e)
{
    size_t alive = 0, answered = 0;

    for (int i = 0; i < r->provisioner->count; i++) {
        const struct spec_instance *instance = &r->provisioner->instances[i];
        struct volume_answer answer;

        if (!volume_answer_alive(r->env, instance))
            continue;
        if (volume_answer_read(&answer, r->env, instance, e) < 0)
            return -1;
        alive++;
        answered += answer.is != VOLUME_ANSWER_NONE;
        if (answer.complaint)
            strv_add(&c->all, answer.complaint);
        free(answer.complaint);
    }
    c->answered = alive && answered == alive;
    if (c->all.count == alive)
        strv_add_all(&c->shared, &c->all);
    return 0;
}

static bool is_complained_of(const struct strv *texts, const char *noun, char *name)
{
    const struct strv one = {.items = (char *[]){name, NULL}, .count = 1};

    for (size_t i = 0; i < texts->count; i++) {
        auto_free char *line = volume_complaint(texts->items[i], noun, &one);

        if (line)
            return true;
    }
    return false;
}

/* Forgets orders that all have answered and none complains of, whatever else ails them: what is
 * carried out must not look as if it were still to come. How many. */
static int forget_done(const struct complaints *c, struct node *map, const char *noun)
{
    int count = 0;

    for (size_t i = map && c->answered ? map->count : 0; i-- > 0;) {
        struct node *entry = map->items[i];

        if (!volume_has_order(entry) || is_complained_of(&c->all, noun, entry->key))
            continue;
        volume_order_forget(map, entry);
        count++;
    }
    return count;
}

/* Why it was refused by all of them; NULL: it was not. Owned. What is said of no entry in
 * particular is not about this one. */
static char *refusal(const struct strv *texts, const char *noun, char *name)
{
    const struct strv one = {.items = (char *[]){name, NULL}, .count = 1};
    auto_free char *head = mem_printf("%s %s: ", noun, name), *why = NULL;

    for (size_t i = 0; i < texts->count; i++) {
        auto_free char *line = volume_complaint(texts->items[i], noun, &one);

        if (!line || strncmp(line, head, strlen(head)) != 0)
            return NULL;
        free(why);
        why = mem_strdup(line + strlen(head));
    }
    return steal(why);
}

/* ---- settling ---- */

/* Takes back what is refused of the map; a driver's entries stay with `holder`. How many. */
static int take_back(struct volume_run *r, struct node *map, const char *noun, const char *holder,
                     const struct strv *texts)
{
    struct node *n;
    int count = 0;

    node_for_each (n, map) {
        auto_free char *why = volume_has_order(n) ? refusal(texts, noun, n->key) : NULL;
        auto_free char *what = why ? volume_orders_drop(n) : NULL;

        if (!what)
            continue;
        if (holder)
            log_warn("%s %s stays attached to %s, the order to detach it is taken back: %s", noun,
                     n->key, holder, why);
        else
            log_warn("%s %s %s is taken back: %s", noun, n->key, what, why);
        count++;
    }
    r->taken_back += (size_t)count;
    return count;
}

static int settle_provisioner(struct volume_run *r, struct err *e)
{
    struct complaints c __attribute__((cleanup(complaints_clear))) = {0};
    int pools, volumes;

    if (!has_provisioner_order(r))
        return 0;
    if (read_answers(&c, r, e) < 0 || config_aim(&r->state, r->provisioner->manifest->name, e) < 0)
        return -1;
    pools = forget_done(&c, r->maps.pools, "pool") +
            take_back(r, r->maps.pools, "pool", NULL, &c.shared);
    if (pools)
        node_set(config_map(&r->state), "pools", node_copy(r->maps.pools));
    volumes = forget_done(&c, r->maps.volumes, "volume") +
              take_back(r, r->maps.volumes, "volume", NULL, &c.shared);
    if (volumes)
        node_set(config_map(&r->state), "volumes", node_copy(r->maps.volumes));
    return pools + volumes;
}

static int settle_driver(struct volume_run *r, const struct spec_instance *driver, struct err *e)
{
    auto_node struct node *served = node_copy(spec_value(r->spec, driver, "volumes"));
    auto_strv struct strv texts = {0};
    struct volume_answer answer;
    int count = 0;

    if (volume_answer_read(&answer, r->env, driver, e) < 0)
        return -1;
    if (answer.complaint)
        strv_add(&texts, answer.complaint);
    free(answer.complaint);
    if (answer.is == VOLUME_ANSWER_APPLIED)
        count = volume_orders_forget(served);
    else if (answer.is == VOLUME_ANSWER_REFUSED && volume_answer_alive(r->env, driver))
        count = take_back(r, served, "volume", driver->name, &texts);
    if (count == 0)
        return 0;
    if (config_aim(&r->state, driver->name, e) < 0)
        return -1;
    node_set(config_map(&r->state), "volumes", node_copy(served));
    return count;
}

int volume_settle(struct volume_run *r, struct err *e)
{
    const struct spec_instance *driver;
    int count = settle_provisioner(r, e);

    for (size_t at = 0; count == 0 && (driver = next_driver(r, &at));)
        count = settle_driver(r, driver, e);
    if (count > 0 && (config_check(&r->state, e) < 0 || config_store(&r->state, e) < 0))
        return -1;
    return count > 0 ? 1 : count;
}
