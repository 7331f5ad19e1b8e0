/* SPDX-License-Identifier: MIT */
/* What the program of a step is told. */
#include "model/steps.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/crypto.h"
#include "model/render.h"

static const char *const kinds[STEP_KINDS] = {
    [STEP_KIND_PACKAGE] = "package",     [STEP_KIND_FILE] = "file",
    [STEP_KIND_DIRECTORY] = "directory", [STEP_KIND_USER] = "user",
    [STEP_KIND_GROUP] = "group",         [STEP_KIND_LINE] = "line",
    [STEP_KIND_SERVICE] = "service",     [STEP_KIND_COMMAND] = "command",
};

const char *steps_kind(enum step_kind kind)
{
    return kinds[kind];
}

static void add(struct strv *out, const char *name, const char *value)
{
    if (value)
        strv_addf(out, "%s=%s", name, value);
}

static void add_command(struct strv *out, const struct node *n)
{
    const struct node *word;

    if (!n)
        return;
    if (n->kind == NODE_KIND_LIST) {
        node_for_each (word, n)
            strv_add(out, word->text);
        return;
    }
    strv_add(out, "sh");
    strv_add(out, "-c");
    strv_add(out, n->text);
}

static size_t command_count(const struct node *n)
{
    struct strv words = {0};
    size_t count;

    add_command(&words, n);
    count = words.count;
    strv_clear(&words);
    return count;
}

void steps_words(struct strv *out, const struct step *s, bool look)
{
    strv_add(out, look ? "look" : "apply");
    add(out, "name", s->name);
    add(out, "path", s->path);
    add(out, "state", s->state);
    add(out, "owner", s->owner);
    add(out, "group", s->group);
    add(out, "home", s->home);
    add(out, "shell", s->shell);
    add(out, "match", s->match);
    add(out, "creates", s->creates);
    add(out, "enabled", s->enabled);
    add(out, "secret", s->secret);
    if (s->mode)
        strv_addf(out, "mode=%o", (unsigned)s->mode);
    if (s->id)
        strv_addf(out, "id=%d", s->id);
    if (s->system)
        strv_add(out, "system=true");
    if (s->text)
        strv_add(out, "text=true"); /* it comes as the input */
    if (s->unless)
        strv_addf(out, "unless=%zu", command_count(s->unless)); /* so many of the list */
    strv_add(out, "--");
    strv_add_all(out, &s->names);
    strv_add_all(out, &s->groups);
    add_command(out, s->unless);
    add_command(out, s->run);
}

struct node *steps_target(const char *name, const char *component, const char *environment,
                          const char *address)
{
    const char *const all[][2] = {{"name", name},
                                  {"component", component},
                                  {"environment", environment},
                                  {"address", address}};
    struct node *n = node_new_map();

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        node_set(n, all[i][0], all[i][1] ? node_new_string(all[i][1]) : node_new(NODE_KIND_NULL));
    return n;
}

static int text_of(char **out, size_t *len, const struct steps *all, const struct step *s,
                   const struct node *target, struct err *e)
{
    auto_node struct node *vars = NULL, *tree = NULL, *value = NULL;
    const char *text;

    *len = s->text_len;
    if (!s->template && !s->template_file) {
        *out = mem_dup(s->text, s->text_len + 1);
        return 0;
    }
    vars = node_copy(all->vars);
    node_set(vars, "target", node_copy(target));
    tree = node_new_string(s->text);
    if (render_expand(&value, tree, vars, e) < 0)
        return -1;
    if (value && (value->kind == NODE_KIND_LIST || value->kind == NODE_KIND_MAP))
        return err_set(e, ERR_CONFIG, "%.80s is a %s; a template can only be a text", s->text,
                       value->kind == NODE_KIND_LIST ? "list" : "map");
    text = value && value->text ? value->text : ""; /* a variable may have no value */
    *len = strlen(text);
    *out = mem_dup(text, *len + 1);
    return 0;
}

int steps_input(char **out, size_t *len, const struct steps *all, const struct step *s,
                const struct node *target, struct err *e)
{
    char digest[CRYPTO_HEX_LEN];
    char *text = NULL;

    *out = NULL;
    *len = 0;
    if (!s->text)
        return 0;
    if (text_of(&text, len, all, s, target, e) < 0)
        return -1;
    if (s->kind != STEP_KIND_FILE) {
        *out = text;
        return 0;
    }
    crypto_sha256_hex(digest, text, *len);
    *out = mem_alloc(*len + CRYPTO_HEX_LEN + 1);
    memcpy(*out, digest, CRYPTO_HEX_LEN - 1);
    (*out)[CRYPTO_HEX_LEN - 1] = '\n';
    memcpy(*out + CRYPTO_HEX_LEN, text, *len);
    mem_wipe_free(text, *len);
    *len += CRYPTO_HEX_LEN;
    return 0;
}
