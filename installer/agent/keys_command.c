/* SPDX-License-Identifier: MIT */
#include "agent/keys_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "etcd/etcd.h"
#include "model/keys.h"

enum { INPUT_MAX = 4 << 20, KEYS_MAX = 100, DEADLINE_MS = 8000, DEADLINE_MAX_MS = 60000 };

/* The prefix of all keys of the environment that the instance of the link belongs to, owned. */
static int env_prefix(char **out, const struct link *l, struct err *e)
{
    struct keys_path k;

    if (l->file || !l->prefix || !keys_parse(&k, l->prefix) || k.kind != KEYS_KIND_INSTANCE)
        return err_set(e, ERR_CONFIG, "keys: this instance's link leads to no etcd");
    *out = keys_env(k.env);
    return 0;
}

static int read_keys(struct node *answer, struct etcd *c, const char *prefix,
                     const struct node *wanted, struct err *e)
{
    struct node *keys = node_set(answer, "keys", node_new_map());
    auto_strv struct strv names = {0};
    struct etcd_kvs kvs = {0};
    const struct node *n;
    int r = 0;

    node_for_each (n, wanted) {
        if (n->text && *n->text && n->text[strlen(n->text) - 1] != '/')
            strv_addf(&names, "%s%s", prefix, n->text);
    }
    if (names.count > KEYS_MAX)
        return err_set(e, ERR_USAGE, "keys: at most %d at once", KEYS_MAX);
    if (names.count)
        r = etcd_range_many(&kvs, c, (const char *const *)names.items, names.count, e);
    for (size_t i = 0; i < kvs.count; i++) {
        struct node *kv = node_set(keys, kvs.items[i].key + strlen(prefix), node_new_map());

        node_set_text(kv, "value", kvs.items[i].value);
        node_set_int(kv, "revision", kvs.items[i].mod_revision);
    }
    etcd_kvs_clear(&kvs);
    return r;
}

static int change(bool *done, struct etcd *c, const char *prefix, const struct node *request,
                  struct err *e)
{
    const struct node *guards = node_get(request, "if"), *puts = node_get(request, "put"), *n;
    struct etcd_txn *t = etcd_txn_new();
    int r = 0;

    node_for_each (n, guards) {
        auto_free char *key = mem_printf("%s%s", prefix, n->key);
        int64_t revision = 0;

        if (!node_to_int(n, &revision))
            r = err_set(e, ERR_USAGE, "keys: if: %s: expected a revision", n->key);
        etcd_txn_if(t, key, ETCD_CMP_MOD_EQ, revision);
    }
    node_for_each (n, puts) {
        auto_free char *key = mem_printf("%s%s", prefix, n->key);

        if (!n->text)
            r = err_set(e, ERR_USAGE, "keys: put: %s: expected a text", n->key);
        else
            etcd_txn_put(t, key, n->text, 0);
    }
    if (r == 0 && etcd_txn_count(t) > 0)
        r = etcd_txn_run(c, t, NULL, e);
    etcd_txn_free(t);
    *done = r == 0;
    if (r < 0 && e->code == ERR_CONFLICT) {
        err_drop(e, "keys");
        return 0;
    }
    return r;
}

static int answer_request(const struct link *l, const struct node *request, struct err *e)
{
    auto_node struct node *answer = node_new_map();
    auto_free char *prefix = NULL;
    auto_free char *text = NULL;
    struct etcd *c = NULL;
    int64_t ms = node_get_int(request, "deadline_ms", DEADLINE_MS);
    bool done = false;
    int r = -1;

    if (env_prefix(&prefix, l, e) < 0 || etcd_open(&c, l, NULL, e) < 0)
        return -1;
    etcd_set_deadline(c, clock_deadline(ms > 0 && ms < DEADLINE_MAX_MS ? ms : DEADLINE_MAX_MS));
    if (read_keys(answer, c, prefix, node_get(request, "get"), e) == 0)
        r = change(&done, c, prefix, request, e);
    etcd_close(c);
    if (r < 0)
        return -1;
    node_set_bool(answer, "done", done);
    text = json_text(answer);
    puts(text);
    return 0;
}

int keys_command(const struct options *o, struct err *e)
{
    auto_node struct node *request = NULL;
    auto_free char *text = NULL;
    struct link *l = NULL;
    size_t len;
    int r;

    if (fs_read_input(&text, &len, "/dev/stdin", INPUT_MAX, e) < 0 ||
        json_parse(&request, "the request", text, len, e) < 0 || options_link(&l, o, e) < 0)
        return -1;
    if (!l)
        return err_set(e, ERR_CONFIG, "keys: this instance has no link");
    if (l->password)
        log_redact(l->password);
    r = answer_request(l, request, e);
    link_free(l);
    return r;
}
