/* SPDX-License-Identifier: MIT */
#include "volumes/usage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/strv.h"

enum {
    LINE_LENGTH_MAX = 16384,
    QEMU_ID_MAX = 31, /* of a node of its block layer */
};

static int fill(struct buf *b, const char *text, const struct node *variables, struct err *e)
{
    const char *at;

    while ((at = strstr(text, "${"))) {
        size_t len = strcspn(at + 2, "}");
        auto_free char *name = mem_strndup(at + 2, len);
        const char *value = node_get_text(variables, name);

        if (!value || !at[2 + len])
            return err_set(e, ERR_CONFIG, "unknown variable ${%s}", name);
        buf_printf(b, "%.*s%s", (int)(at - text), text, value);
        text = at + 2 + len + 1;
    }
    buf_puts(b, text);
    return 0;
}

/* FNV-1a: what is made of a name is the same every time, and hardly ever that of another name. */
static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261U;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619U;
    return h;
}

static char *qemu_id(const char *volume)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (volume[0] && strchr(letters, volume[0]) && strlen(volume) <= QEMU_ID_MAX)
        return mem_strdup(volume);
    return mem_printf("v%08" PRIx32 "-%.20s", hash(volume), volume);
}

/* Bytes of the longest path of a line below `dir`. */
static size_t longest_path(const struct node *list, const char *dir)
{
    const struct node *n;
    size_t most = 0;

    node_for_each (n, list) {
        const char *at = node_get_text(n, "line");

        while ((at = strstr(at, dir))) {
            size_t len = strcspn(at, ",'\"?&<>) ");

            most = len > most ? len : most;
            at += len;
        }
    }
    return most;
}

static void add_link(struct node *list, const char *dir, const char *brief)
{
    auto_free char *line = mem_printf("ln -sfn %s %s", dir, brief);
    auto_free char *title = mem_printf("first, because the path of a socket has at most %d bytes",
                                       VOLUME_USAGE_SOCKET_MAX);
    struct node *n = node_add(list, node_new_map());

    node_set_text(n, "title", title);
    node_set_text(n, "line", line);
}

static int render(struct node *list, const char *text, const struct node *variables, struct err *e)
{
    auto_strv struct strv lines = {0};

    strv_split(&lines, text, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i], *colon = strstr(line, ": ");
        auto_free char *title = colon ? mem_strndup(line, (size_t)(colon - line)) : NULL;
        auto_buf struct buf b = {0}, head = {0};
        struct node *n;

        if (line[0] == '#' || !colon)
            continue;
        buf_init(&b, LINE_LENGTH_MAX);
        buf_init(&head, LINE_LENGTH_MAX);
        if (fill(&head, title, variables, e) < 0 || fill(&b, colon + 2, variables, e) < 0)
            return err_wrap(e, "line %zu", i + 1);
        n = node_add(list, node_new_map());
        node_set_text(n, "title", buf_str(&head));
        node_set_text(n, "line", buf_str(&b));
    }
    return 0;
}

int volume_usage_render(struct node **out, const char *text, const struct node *variables,
                        struct err *e)
{
    auto_node struct node *list = node_new_list(), *known = node_copy(variables);
    const char *dir = node_get_text(variables, "host_dir");
    auto_free char *id = qemu_id(node_get_text(variables, "volume"));
    auto_free char *brief = mem_printf("/run/slipway-%08" PRIx32, hash(dir));

    node_set_text(known, "id", id);
    node_set_text(known, "socket_dir", dir);
    if (render(list, text, known, e) < 0)
        return -1;
    if (strstr(text, "${socket_dir}") && longest_path(list, dir) > VOLUME_USAGE_SOCKET_MAX) {
        node_free(list);
        list = node_new_list();
        add_link(list, dir, brief);
        node_set_text(known, "socket_dir", brief);
        if (render(list, text, known, e) < 0)
            return -1;
    }
    *out = steal(list);
    return 0;
}
