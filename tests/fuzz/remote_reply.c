/* SPDX-License-Identifier: MIT */
/* What a server answers, to each kind of question: nothing crashes, and what is handed on has what
 * those who print it take for granted. The first byte is the question, the second one the status,
 * the rest the body; of a stream it comes in two pieces. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "remote/call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct talk {
    const char *body;
    size_t len;
    long status;
};

/* In the place of remote/talk.c. */
void talk_answer_clear(struct talk_answer *a)
{
    buf_clear(&a->body);
}

int talk_open(struct talk **out, const struct talk_target *target, struct err *e)
{
    (void)out;
    (void)target;
    return err_set(e, ERR_SYS, "not here");
}

void talk_close(struct talk *t)
{
    (void)t;
}

int talk_ask(struct talk_answer *a, struct talk *t, const struct talk_request *q, struct err *e)
{
    bool good = t->status < 300;

    (void)e;
    *a = (struct talk_answer){.status = t->status, .tag = "\"1\"", .sent = true};
    strcpy(a->type, good ? "application/json" : "application/problem+json");
    buf_init(&a->body, TALK_BODY_MAX);
    if (!q->piece || t->status != 200)
        buf_add(&a->body, t->body, t->len);
    else if (q->piece(q->arg, t->body, t->len / 2))
        (void)q->piece(q->arg, t->body + t->len / 2, t->len - t->len / 2);
    return 0;
}

/* ---- what printing takes for granted ---- */

static void must_have(const struct node *list, const char *name)
{
    const struct node *row;

    node_for_each (row, list) {
        if (!node_get_text(row, name))
            abort();
    }
}

static void check_volume(const struct node *row)
{
    const struct node *n;

    if (!node_get_text(row, "name") || !env_volume_state(row))
        abort();
    node_for_each (n, node_get(row, "problems")) {
        if (!n->text)
            abort();
    }
}

static void on_begin(void *arg, const struct strv *names)
{
    *(size_t *)arg = names->count;
}

static bool on_line(void *arg, const struct logs_line *line)
{
    if (line->source >= *(size_t *)arg || !strchr(line->text, ' ') ||
        strlen(line->text) != line->len)
        abort();
    return true;
}

/* ---- the questions ---- */

static int ask_configuration(struct node **n, struct remote *there, unsigned which, struct err *e)
{
    const struct config_edit edits[] = {{"key", "value"}, {"other", NULL}, {0}};
    struct remote_change c;
    int r;

    if (which == 0)
        return remote_config_get(n, there, "echo/1", "key", e);
    if (which == 1)
        return remote_document(n, there, e);
    r = which == 2 ? remote_config_list(n, there, "echo", e)
                   : remote_history(n, there, NULL, NULL, e);
    if (r == 0 && which < 4) {
        must_have(*n, which == 2 ? "source" : "time");
        return 0;
    }
    r = remote_config_change(&c, there, "echo", edits, which == 4, e);
    must_have(c.changes, "apply");
    node_free(c.changes);
    free(c.component);
    return r;
}

static int ask_volumes(struct node **n, struct remote *there, unsigned which, struct err *e)
{
    auto_strv struct strv names = strv_of("disk"), already = {0};
    const struct volume_options o = {.already = &already};
    const struct volume_new size = {.size = "1GiB"};
    const struct node *row;
    int r;

    if (which == 0)
        return remote_volume_create(there, &names, &size, NULL, &o, e);
    r = which == 1 ? remote_volume_show(n, there, "disk", e) : remote_volume_list(n, there, e);
    if (r == 0 && which == 1)
        check_volume(*n);
    node_for_each (row, r == 0 && which == 2 ? *n : NULL) {
        check_volume(row);
    }
    return r;
}

static int ask(struct node **n, struct remote *there, unsigned which, struct err *e)
{
    auto_strv struct strv words = {0};
    size_t count = 0;
    const struct remote_logs l = {{.tail = -1, .line = on_line, .arg = &count}, on_begin};
    int r;

    if (which < 6)
        return ask_configuration(n, there, which, e);
    if (which < 9)
        return ask_volumes(n, there, which - 6, e);
    if (which == 9)
        return remote_logs_read(there, &words, &l, e);
    r = remote_status(n, there, &words, e);
    if (r == 0) {
        must_have(node_get(*n, "instances"), "state");
        must_have(node_get(*n, "instances"), "health");
        must_have(node_get(*n, "strays"), "instance");
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 200, 200, 202, 204, 404, 401, 302};
    struct talk t = {0};
    struct cancel cancel;
    char url[] = "https://there", token[] = "token-token";
    struct remote r = {.talk = &t, .url = url, .token = token};
    auto_node struct node *n = NULL;
    struct err e = {0};

    if (size < 2)
        return 0;
    t = (struct talk){(const char *)data + 2, size - 2, statuses[data[1] % ARRAY_LEN(statuses)]};
    cancel_init(&cancel);
    cancel_raise(&cancel); /* a task is not waited for */
    r.until.cancel = &cancel;
    if (ask(&n, &r, data[0] % 11, &e) < 0 && (e.code == ERR_NONE || !e.msg[0]))
        abort();
    strv_clear(&r.problems);
    cancel_clear(&cancel);
    return 0;
}
