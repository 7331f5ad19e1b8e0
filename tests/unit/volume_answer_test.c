/* SPDX-License-Identifier: MIT */
/* What the agent of an instance answers to what etcd holds now, and not to what it held before. */
// wrap: etcd_range_many
#include "env/volume_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/applied.h"

#define CONFIG "/slipway/d/instances/q-1/config/volumes"

static struct {
    int64_t asked; /* revision of the newest key */
    const char *applied;
} store;

static void add(struct etcd_kvs *out, const char *key, const char *value, int64_t revision)
{
    out->items = mem_grow(out->items, out->count + 1, sizeof(*out->items));
    out->items[out->count++] = (struct etcd_kv){.key = mem_strdup(key),
                                                .value = mem_strdup(value),
                                                .value_len = strlen(value),
                                                .mod_revision = revision};
}

int __wrap_etcd_range_many(struct etcd_kvs *out, struct etcd *c, const char *const *names,
                           size_t count, struct err *e);
int __wrap_etcd_range_many(struct etcd_kvs *out, struct etcd *c, const char *const *names,
                           size_t count, struct err *e)
{
    (void)c;
    (void)names;
    (void)count;
    (void)e;
    *out = (struct etcd_kvs){.revision = 90};
    add(out, "/slipway/d/instances/q-1/applied", store.applied, 80);
    add(out, CONFIG, "{}", store.asked);
    return 0;
}

static void an_answer_is_to_what_was_asked_last(void **state)
{
    static const struct {
        const char *result;
        int64_t revision;
        enum volume_answer_is is;
    } rows[] = {
        {"ok", 20, VOLUME_ANSWER_APPLIED},
        {"ok", 21, VOLUME_ANSWER_APPLIED},
        {"failed", 20, VOLUME_ANSWER_REFUSED},
        {"failed", 25, VOLUME_ANSWER_REFUSED},
        /* The same keys were there before, others in between: the agent may be at those still. */
        {"ok", 19, VOLUME_ANSWER_NONE},
        {"failed", 19, VOLUME_ANSWER_NONE},
        {"ok", 0, VOLUME_ANSWER_NONE},
    };
    struct manifest m = {.name = (char[]){"q"}};
    struct spec_instance i = {.name = (char[]){"q-1"}, .manifest = &m};
    struct env env = {.name = "d"};
    auto_node struct node *keys = node_new_map();
    char hash[65];

    (void)state;
    node_set_text(keys, CONFIG, "{}");
    applied_hash(hash, keys, "q", "q-1");
    store.asked = 20;
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        auto_free char *text =
            mem_printf("{\"revision\":%lld,\"hash\":\"%s\",\"result\":\"%s\",\"error\":\"why\"}",
                       (long long)rows[k].revision, hash, rows[k].result);
        struct volume_answer a;
        struct err e;

        store.applied = text;
        assert_int_equal(volume_answer_read(&a, &env, &i, &e), 0);
        assert_int_equal(a.is, rows[k].is);
        if (a.is == VOLUME_ANSWER_REFUSED)
            assert_string_equal(a.complaint, "why");
        else
            assert_null(a.complaint);
        free(a.complaint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_to_what_was_asked_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
