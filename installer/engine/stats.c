/* SPDX-License-Identifier: MIT */
#include "engine/stats.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/api.h"
#include "engine/url.h"

/* Who looks, looks again soon: one that keeps Docker waiting must not hold up the others. */
enum { STATS_MS = 3000 };

static const struct shape answered = {.kind = NODE_KIND_MAP, .need = SHAPE_MUST};

static int64_t count_at(const struct node *n, const char *path)
{
    int64_t value;

    return node_to_int(node_find(n, path), &value) && value >= 0 ? value : -1;
}

/* A sum to which something unknown adds nothing; of unknown things alone it is unknown. */
static void add(int64_t *sum, int64_t value)
{
    if (value < 0 || value > INT64_MAX - (*sum > 0 ? *sum : 0))
        return;
    *sum = (*sum > 0 ? *sum : 0) + value;
}

/* "Read" with the first version of cgroups, "read" with the second. */
static void add_block(struct engine_stats *out, const struct node *blkio)
{
    const struct node *list = node_get(blkio, "io_service_bytes_recursive"), *entry;

    if (!list || list->kind != NODE_KIND_LIST)
        return;
    node_for_each (entry, list) {
        const char *op = node_get_text(entry, "op");

        if (op && strcasecmp(op, "read") == 0)
            add(&out->block_read, count_at(entry, "value"));
        else if (op && strcasecmp(op, "write") == 0)
            add(&out->block_written, count_at(entry, "value"));
    }
}

/* As Docker's own client shows it. */
static int64_t memory_of(const struct node *memory)
{
    int64_t usage = count_at(memory, "usage");
    int64_t cache = count_at(memory, "stats.total_inactive_file"); /* cgroups v1 */

    if (cache < 0)
        cache = count_at(memory, "stats.inactive_file");
    return usage >= 0 && cache > 0 && cache < usage ? usage - cache : usage;
}

void engine_stats_of(struct engine_stats *out, const struct node *answer)
{
    const struct node *networks = node_get(answer, "networks"), *device;

    *out = (struct engine_stats){-1, -1, -1, -1, -1, -1, -1, -1};
    out->processes = count_at(answer, "pids_stats.current");
    if (out->processes <= 0) { /* it does not run: what stands in the answer is nobody's */
        out->processes = -1;
        return;
    }
    out->cpu_ns = count_at(answer, "cpu_stats.cpu_usage.total_usage");
    out->memory = memory_of(node_get(answer, "memory_stats"));
    out->memory_limit = count_at(answer, "memory_stats.limit");
    add_block(out, node_get(answer, "blkio_stats"));
    if (!networks || networks->kind != NODE_KIND_MAP)
        return;
    node_for_each (device, networks) {
        add(&out->net_received, count_at(device, "rx_bytes"));
        add(&out->net_sent, count_at(device, "tx_bytes"));
    }
}

int engine_container_stats(struct engine_stats *out, struct engine *g, const char *id,
                           struct err *e)
{
    auto_free char *path = url_path("/containers/", id, "/stats?stream=0&one-shot=1");
    struct api_request r = {
        .method = "GET", .path = path, .shape = &answered, .deadline = clock_deadline(STATS_MS)};
    auto_node struct node *answer = NULL;

    if (api_call(&answer, g, &r, e) < 0)
        return err_wrap(e, "asking what container %s uses", id);
    engine_stats_of(out, answer);
    return 0;
}
