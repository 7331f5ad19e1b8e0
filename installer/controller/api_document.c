/* SPDX-License-Identifier: MIT */
/* The environment document as a whole: what it says, what it would change, and making it so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/yaml.h"
#include "controller/api.h"
#include "crypto/crypto.h"
#include "env/config.h"
#include "env/lifecycle.h"
#include "plan/plan.h"

enum { TEXT_MAX = 1 << 20 };

static int read_document(struct node **out, int64_t *revision, struct env *env, struct err *e)
{
    struct config_state s;
    int r = config_open(&s, env, NULL, e);

    if (r == 0) {
        *out = node_copy(s.d.document);
        *revision = s.d.mod_revision;
    }
    config_close(&s);
    return r;
}

int api_document(struct controller *c, struct request *q, struct err *e)
{
    auto_node struct node *document = NULL;
    auto_buf struct buf text = {0};
    struct env *env = NULL;
    int64_t revision = 0;
    struct node *n;
    char tag[32];
    int r = api_open(&env, c, q, 0, e);

    if (r == 0)
        r = read_document(&document, &revision, env, e);
    env_close(env);
    if (r < 0)
        return -1;
    snprintf(tag, sizeof(tag), "%lld", (long long)revision);
    if (reply_tag(q, tag))
        return 0;
    buf_init(&text, TEXT_MAX);
    yaml_format(&text, document);
    n = node_new_map();
    node_set_text(n, "text", buf_str(&text));
    node_set_int(n, "revision", revision);
    return api_answer(q, n);
}

/* The text in a file of its own, whose path is owned; NULL without a text: the one in force. */
static int write_text(char **path, const struct controller *c, const struct request *q,
                      struct err *e)
{
    static const struct fs_write_opts private = {0600, (uid_t)-1, (gid_t)-1};
    const char *text = api_text(q, "text");
    uint64_t number;

    if (!text)
        return 0;
    if (crypto_random(&number, sizeof(number), e) < 0)
        return -1;
    *path = mem_printf("%s/document-%016llx.yaml", c->data, (unsigned long long)number);
    return fs_write(*path, text, strlen(text), &private, e);
}

/* ---- plan ---- */

static struct node *plan_of(const struct plan *p)
{
    struct node *n = node_new_map(), *list = node_set(n, "operations", node_new_list());

    for (size_t i = 0; i < p->count; i++) {
        struct node *op = node_add(list, node_new_map());
        auto_free char *title = op_title(&p->ops[i]);

        node_set_text(op, "operation", title);
        node_set_text(op, "target", p->ops[i].target ? p->ops[i].target : "");
        node_set_text(op, "why", p->ops[i].cause ? p->ops[i].cause : "");
    }
    if (p->notes.count) {
        auto_free char *notes = strv_join(&p->notes, "\n");

        node_set_text(n, "note", notes);
    }
    return n;
}

/* The place in front of a problem is in a file that nobody knows. */
static void strip_path(struct strv *problems, const char *path)
{
    size_t len = path ? strlen(path) : 0;

    for (size_t i = 0; len && i < problems->count; i++)
        if (strncmp(problems->items[i], path, len) == 0 && problems->items[i][len] == ':')
            memmove(problems->items[i], problems->items[i] + len + 1,
                    strlen(problems->items[i] + len + 1) + 1);
}

static int open_document(struct env **env, const struct controller *c, const struct request *q,
                         const char *path, struct err *e)
{
    struct env_opts o = c->env;

    o.user = q->who.user;
    o.timeout_ms = 60000;
    o.file = path;
    o.file_passes = true;
    if (env_open(env, &o, ENV_NEEDS_SPEC | ENV_NEEDS_NAME | ENV_NEEDS_ENGINE, e) < 0)
        return -1;
    return strcmp((*env)->spec->name, c->env.name) == 0
               ? 0
               : err_set(e, ERR_CONFIG, "the document is of %s, this is %s", (*env)->spec->name,
                         c->env.name);
}

int api_document_plan(struct controller *c, struct request *q, struct err *e)
{
    struct converge_view v;
    auto_free char *path = NULL;
    struct env *env = NULL;
    struct node *answer = NULL;
    int r = write_text(&path, c, q, e);

    if (r == 0)
        r = open_document(&env, c, q, path, e);
    if (r == 0 && (r = env_plan(&v, env, e)) == 0) {
        answer = plan_of(v.plan);
        converge_clear(&v);
    }
    if (r < 0 && env && env->problems.count) {
        strip_path(&env->problems, path);
        reply_error(q, e, &env->problems);
        r = 0;
    }
    env_close(env);
    if (path)
        unlink(path);
    return answer ? api_answer(q, answer) : r;
}

/* ---- apply ---- */

static void on_begin(void *arg, const struct plan *p)
{
    task_steps(arg, 0, (int64_t)p->count);
}

static void on_change(void *arg, const struct plan *p, size_t i, enum op_state state,
                      const char *detail)
{
    static const char *const words[] = {
        [OP_STATE_DONE] = "done", [OP_STATE_FAILED] = "failed", [OP_STATE_SKIPPED] = "skipped"};
    auto_free char *title = op_title(&p->ops[i]);

    if (state != OP_STATE_DONE && state != OP_STATE_FAILED && state != OP_STATE_SKIPPED)
        return;
    task_log(arg, "%s: %s%s%s", title, words[state], detail && *detail ? ": " : "",
             detail && *detail ? detail : "");
    task_advance(arg);
}

static int run_apply(struct task *t, struct env *env, const struct node *a, struct err *e)
{
    struct execute_result result;
    const struct env_run o = {.lock_wait_ms = CONFIG_LOCK_WAIT_MS,
                              .revision = node_get_int(a, "revision", 0),
                              .events = {.begin = on_begin, .change = on_change, .arg = t}};
    struct node *n;

    if (env_up(&result, env, &o, e) < 0)
        return -1;
    n = node_new_map();
    node_set_int(n, "changes", (int64_t)result.done);
    task_result(t, n);
    return 0;
}

static const struct task_kind APPLY = {
    "document.apply", ENV_NEEDS_SPEC | ENV_NEEDS_NAME | ENV_NEEDS_ENGINE, run_apply};

/* The revision that If-Match names, 0: any. 1: it is answered. */
static int check_match(int64_t *revision, struct controller *c, struct request *q, struct err *e)
{
    const char *match = headers_get(&q->headers, "If-Match");
    auto_node struct node *now = NULL;
    auto_free char *tag = NULL;
    struct env *env = NULL;
    char is[32];
    int r;

    if (!match && api_text(q, "text")) {
        reply_problem(q, 428, "precondition", NULL,
                      "a text needs If-Match with the ETag of the document it was made from");
        return 1;
    }
    if (!match || strcmp(match, "*") == 0)
        return 0;
    r = api_open(&env, c, q, 0, e);
    if (r == 0)
        r = read_document(&now, revision, env, e);
    env_close(env);
    if (r < 0)
        return -1;
    snprintf(is, sizeof(is), "%lld", (long long)*revision);
    if (headers_tag(&tag, match) && strcmp(tag, is) == 0)
        return 0;
    reply_problem(q, 412, "precondition", NULL,
                  "the document was changed by someone else meanwhile; look at it again");
    return 1;
}

/* Whether it can be read, by opening it once. A problem in it is answered. */
static int check_text(struct controller *c, struct request *q, const char *path, struct err *e)
{
    struct env *env = NULL;
    int r = open_document(&env, c, q, path, e);

    if (r < 0 && env && env->problems.count) {
        strip_path(&env->problems, path);
        reply_error(q, e, &env->problems);
        r = 1;
    }
    env_close(env);
    return r;
}

/* Refused now what a task could only fail with: a text that is invalid, another's change. The task
 * looks at the revision once more, under the lock. */
int api_document_apply(struct controller *c, struct request *q, struct err *e)
{
    auto_free char *path = NULL;
    int64_t revision = 0;
    struct node *a;
    int r = check_match(&revision, c, q, e);

    if (r == 0)
        r = write_text(&path, c, q, e);
    if (r == 0)
        r = check_text(c, q, path, e);
    if (r != 0) {
        if (path)
            unlink(path);
        return r < 0 ? -1 : 0;
    }
    a = node_new_map();
    if (path)
        node_set_text(a, "file", path);
    node_set_int(a, "revision", revision);
    return api_begin(c, q, &APPLY, a, e);
}
