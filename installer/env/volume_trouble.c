/* SPDX-License-Identifier: MIT */
#include "env/volume_trouble.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/json.h"
#include "model/keys.h"

/* ---- what is said ---- */

/* The text of one item of a JSON value in etcd; nothing when there is none. */
static int add_text(struct strv *texts, const struct volume_run *r, const char *key,
                    const char *item, struct err *e)
{
    auto_node struct node *value = NULL;
    struct etcd_kv kv = {0};
    struct err dropped;
    const char *text;

    if (etcd_get(&kv, r->env->etcd, key, e) < 0)
        return e->code == ERR_NOTFOUND ? 0 : -1;
    if (json_parse(&value, key, kv.value, kv.value_len, &dropped) < 0)
        err_drop(&dropped, "what an agent said");
    etcd_kv_clear(&kv);
    text = node_get_text(value, item);
    if (text && *text)
        strv_add(texts, text);
    return 0;
}

static int add_instance(struct strv *texts, const struct volume_run *r, const char *name,
                        struct err *e)
{
    auto_free char *applied = keys_instance_applied(r->env->name, name);
    auto_free char *status = keys_instance_status(r->env->name, name);

    return add_text(texts, r, applied, "error", e) < 0 ||
                   add_text(texts, r, status, "reason", e) < 0
               ? -1
               : 0;
}

int volume_trouble_load(struct strv *texts, const struct volume_run *r, struct err *e)
{
    for (size_t c = 0; c < r->spec->component_count; c++) {
        const struct spec_component *component = &r->spec->components[c];

        if (component != r->provisioner && !volume_is_driver(component->manifest))
            continue;
        for (int i = 0; i < component->count; i++)
            if (add_instance(texts, r, component->instances[i].name, e) < 0)
                return -1;
    }
    return 0;
}

/* ---- what of it is about one volume ---- */

/* The sentences that begin with `head`. One ends at the line's end, or where a health hook begins
 * the next one. */
static void add_sentences(struct node *list, const char *text, const char *head)
{
    for (const char *at = strstr(text, head); at; at = strstr(at + 1, head)) {
        size_t len = strcspn(at, "\n");
        const char *next = strstr(at, " | ");
        auto_free char *sentence = NULL;
        const struct node *n;
        bool known = false;

        if (next && (size_t)(next - at) < len)
            len = (size_t)(next - at);
        sentence = mem_strndup(at, len);
        node_for_each (n, list) {
            known = known || strcmp(n->text, sentence) == 0;
        }
        if (!known)
            node_add_text(list, sentence);
    }
}

void volume_trouble_add(struct node *row, const struct strv *texts)
{
    static const char *const pools[] = {"pool", "data_pool"};
    auto_free char *volume = mem_printf("volume %s: ", node_get_text(row, "name"));
    auto_node struct node *list = node_new_list();

    for (size_t t = 0; t < texts->count; t++) {
        add_sentences(list, texts->items[t], volume);
        for (size_t i = 0; i < ARRAY_LEN(pools); i++) {
            const char *name = node_get_text(row, pools[i]);
            auto_free char *pool = name ? mem_printf("pool %s is full", name) : NULL;

            if (pool)
                add_sentences(list, texts->items[t], pool);
        }
    }
    if (list->count)
        node_set(row, "problems", steal(list));
}
