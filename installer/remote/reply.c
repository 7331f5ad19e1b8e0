/* SPDX-License-Identifier: MIT */
#include "remote/reply.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "conf/json.h"

static int strange(struct err *e, const char *what)
{
    return err_set(e, ERR_REMOTE, "the answer is not that of a slipwayd of this version: %s", what);
}

/* ---- the body ---- */

enum err_code reply_code(const char *name)
{
    static const struct {
        const char *name;
        enum err_code code;
    } rows[] = {{"limit", ERR_NET},
                {"busy", ERR_NET},
                {"interrupted", ERR_NET}, /* the server was, and not this process */
                {"precondition", ERR_CONFLICT},
                {"request", ERR_REMOTE}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].code;
    return err_code_find(name, ERR_REMOTE);
}

static int refused(const struct node *n, long status, struct strv *problems, struct err *e)
{
    const char *code = node_get_text(n, "code"), *detail = node_get_text(n, "detail");
    const struct node *list = node_get(n, "problems"), *p;

    if (!code || !detail || !*detail)
        return strange(e, "an error without its reason");
    node_for_each (p, list) {
        if (p->text)
            strv_add(problems, p->text);
    }
    if (status == 401)
        return err_set(e, ERR_AUTH, "the server does not take the token: %s", detail);
    return err_set(e, reply_code(code), "%s", detail);
}

int reply_read(struct node **out, const struct reply *a, struct strv *problems, struct err *e)
{
    bool good = a->status >= 200 && a->status < 300;
    auto_node struct node *n = NULL;

    *out = NULL;
    if (a->status == 204 && a->len == 0)
        return 0;
    if (strcmp(a->type, good ? "application/json" : "application/problem+json") != 0) {
        auto_free char *what = mem_printf("status %ld with %s", a->status,
                                          *a->type ? a->type : "nothing that has a type");

        return strange(e, what);
    }
    if (json_parse(&n, "the server's answer", a->text, a->len, e) < 0) {
        e->code = ERR_REMOTE;
        return -1;
    }
    if (n->kind != NODE_KIND_MAP)
        return strange(e, "it has no object");
    if (!good)
        return refused(n, a->status, problems, e);
    *out = steal(n);
    return 0;
}

/* ---- shapes ---- */

static bool is_line(const char *text)
{
    size_t left = strlen(text), n;
    uint32_t c;

    for (; left; text += n, left -= n) {
        n = utf8_decode(&c, text, left);
        if (n == 0 || utf8_is_control(c))
            return false;
    }
    return true;
}

int reply_map(const struct node *map, const char *names, struct err *e)
{
    auto_strv struct strv words = {0};

    if (!map || map->kind != NODE_KIND_MAP)
        return strange(e, "something is missing");
    strv_split(&words, names, " ");
    for (size_t i = 0; i < words.count; i++) {
        const char *text = node_get_text(map, words.items[i]);
        auto_free char *what = NULL;

        if (text && is_line(text))
            continue;
        what = mem_printf("%s is missing, or not one line of text", words.items[i]);
        return strange(e, what);
    }
    return 0;
}

int reply_rows(const struct node *list, const char *names, struct err *e)
{
    const struct node *row;

    if (!list || list->kind != NODE_KIND_LIST)
        return strange(e, "a list is missing");
    node_for_each (row, list) {
        if (reply_map(row, names, e) < 0)
            return -1;
    }
    return 0;
}

int reply_texts(const struct node *list, struct err *e)
{
    const struct node *n;

    if (list && list->kind != NODE_KIND_LIST)
        return strange(e, "a list is something else");
    node_for_each (n, list) {
        if (!n->text)
            return strange(e, "a text is missing in a list");
    }
    return 0;
}
