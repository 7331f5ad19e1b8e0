/* SPDX-License-Identifier: MIT */
#include "check/ways.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "model/keys.h"

enum { LEASE_S = 30, LARGE = 1400000 };

/* A condition that cannot hold: were the rest allowed, it would still change nothing. */
#define NEVER                                                                                      \
    "\"compare\":[{\"key\":\"$own\",\"target\":\"MOD\",\"result\":\"EQUAL\","                      \
    "\"mod_revision\":\"9223372036854775807\"}]"
#define FOREIGN "\"key\":\"$victim\",\"range_end\":\"$end\""
#define NESTED(op) "\"success\":[{\"request_txn\":{\"success\":[" op "]}}]"

/* $own: a key of the instance that it may write; $victim, $end: the folder of another; $folder:
 * its own; $nul: a byte of zero; $user: its name; $large: more than any report has. */
static const struct {
    const char *name, *path, *body;
} ways[] = {
    {"a read in a transaction in a transaction", "/v3/kv/txn",
     "{" NESTED("{\"request_range\":{" FOREIGN "}}") "}"},
    {"a write in a transaction in a transaction", "/v3/kv/txn",
     "{" NEVER "," NESTED("{\"request_put\":{\"key\":\"$victim\",\"value\":\"\"}}") "}"},
    {"a delete in a transaction in a transaction", "/v3/kv/txn",
     "{" NEVER "," NESTED("{\"request_delete_range\":{" FOREIGN "}}") "}"},
    {"a delete", "/v3/kv/txn",
     "{" NEVER ",\"success\":[{\"request_delete_range\":{" FOREIGN "}}]}"},
    {"a watch that ends nowhere", "/v3/watch",
     "{\"create_request\":{\"key\":\"$own\",\"range_end\":\"$nul\"}}"},
    {"a watch that ends before its key", "/v3/watch",
     "{\"create_request\":{\"key\":\"$own\",\"range_end\":\"$folder\"}}"},
    {"the alarms", "/v3/maintenance/alarm",
     "{\"action\":\"DEACTIVATE\",\"memberID\":\"1\",\"alarm\":\"NOSPACE\"}"},
    {"the roles of users", "/v3/auth/user/grant",
     "{\"user\":\"$user\",\"role\":\"slipway-check-none\"}"},
    {"compaction", "/v3/kv/compaction", "{\"revision\":\"0\"}"},
    {"defragmentation", "/v3/maintenance/defragment", "{}"},
    {"a copy of everything", "/v3/maintenance/snapshot", "{}"},
    {"the list of members", "/v3/cluster/member/list", "{}"},
    {"the list of leases", "/v3/lease/leases", "{}"},
    {"a lease of its own number", "/v3/lease/grant", "{\"TTL\":\"1\",\"ID\":\"4711\"}"},
    {"a report of a megabyte", "/v3/kv/txn",
     "{" NEVER ",\"success\":[{\"request_put\":{\"key\":\"$own\",\"value\":\"$large\"}}]}"},
};

struct word {
    const char *name;
    char *text; /* owned */
};

static char *encoded(const char *text)
{
    return base64_encode(text, strlen(text));
}

static void add_word(struct buf *b, const char **at, const struct word *words)
{
    for (; words->name; words++) {
        size_t len = strlen(words->name);

        if (strncmp(*at, words->name, len) == 0) {
            buf_puts(b, words->text);
            *at += len;
            return;
        }
    }
    buf_putc(b, *(*at)++);
}

static int try_each(struct strv *open, const struct check_ways *w, const struct word *words,
                    struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        auto_buf struct buf body = {.max = 4 * LARGE};
        bool refused;

        for (const char *at = ways[i].body; *at;)
            add_word(&body, &at, words);
        if (etcd_probe(&refused, w->c, ways[i].path, buf_str(&body), e) < 0)
            return -1;
        if (!refused)
            strv_add(open, ways[i].name);
    }
    return ARRAY_LEN(ways);
}

/* A lease holds keys, and whoever ends it deletes them. An answer tells nothing here: to an
 * instance, a lease of somebody else does not exist. */
static int try_lease(struct strv *open, const struct check_ways *w, struct err *e)
{
    struct err why;
    int64_t lease;
    int r;

    if (etcd_lease_grant(w->root, LEASE_S, &lease, e) < 0)
        return -1;
    if (etcd_lease_keepalive(w->c, lease, &why) == 0)
        strv_add(open, "keeping a lease of somebody else");
    if (etcd_lease_revoke(w->c, lease, &why) < 0)
        err_drop(&why, "a lease of somebody else");
    r = etcd_lease_keepalive(w->root, lease, e);
    if (r < 0 && e->code == ERR_NOTFOUND) {
        strv_add(open, "ending a lease of somebody else");
        return 0;
    }
    if (etcd_lease_revoke(w->root, lease, &why) < 0)
        err_drop(&why, "the lease of a check");
    return r;
}

int check_ways_try(struct strv *open, const struct check_ways *w, struct err *e)
{
    auto_free char *own = keys_instance_status(w->env, w->user);
    auto_free char *meta = keys_instance_meta(w->env, w->user);
    auto_free char *folder = keys_instance(w->env, w->user);
    auto_free char *victim = keys_instance(w->env, w->victim);
    auto_free char *end = mem_strdup(victim);
    auto_free char *large = mem_alloc(LARGE + 1);
    struct etcd_kv kv = {0};
    int r;

    /* Without a login everything is refused, which says nothing. */
    if (etcd_get(&kv, w->c, meta, e) < 0)
        return -1;
    etcd_kv_clear(&kv);
    end[strlen(end) - 1]++;
    memset(large, 'A', LARGE);
    struct word words[] = {{"$own", encoded(own)},       {"$victim", encoded(victim)},
                           {"$end", encoded(end)},       {"$folder", encoded(folder)},
                           {"$nul", mem_strdup("AA==")}, {"$user", mem_strdup(w->user)},
                           {"$large", steal(large)},     {NULL, NULL}};
    r = try_each(open, w, words, e);
    for (struct word *word = words; word->name; word++)
        free(word->text);
    if (r < 0 || try_lease(open, w, e) < 0)
        return -1;
    return r + 2;
}
