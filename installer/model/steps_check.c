/* SPDX-License-Identifier: MIT */
#include "model/steps_check.h"

#include <regex.h>
#include <string.h>

#include "base/mem.h"

/* Over SSH all of it is one argument of a shell, with the program: Linux takes 128 KiB for that,
 * and a quote becomes four characters. */
enum {
    PATH_MAX_LEN = 4000,
    NAME_MAX_LEN = 100,
    ACCOUNT_MAX_LEN = 32,
    NUMBER_MAX_LEN = 9,
    WORDS_MAX_LEN = 8 << 10
};

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

struct check {
    const struct steps *all;
    const struct step *s;
    const struct node *at; /* the step's map */
    struct problems *p;
};

/* ---- texts ---- */

/* The key itself, which is there: a value of it was decoded. */
static const struct node *place(const struct check *c, const char *key)
{
    const struct node *n = node_get(c->at, key);

    return n ? n : c->at;
}

/* Said, be it well or not. */
static bool is_given(const struct check *c, const char *key)
{
    return node_get(c->at, key) != NULL;
}

static bool has_parent_part(const char *path)
{
    for (const char *p = path; (p = strstr(p, "/..")); p += 3)
        if (p[3] == '/' || p[3] == '\0')
            return true;
    return false;
}

/* Blanks, quotes and line breaks are fine. */
static void check_path(const struct check *c, const char *key, const char *path)
{
    size_t len = path ? strlen(path) : 0;

    if (!path)
        return;
    if (*path != '/' || has_parent_part(path) || len > PATH_MAX_LEN)
        problems_add(c->p, place(c, key), "%s: expected an absolute path without .., not \"%.60s\"",
                     key, path);
    else if (path[len - 1] == '/')
        problems_add(c->p, place(c, key), "%s: a path ends with a name, not with /", key);
}

/* Letters, digits and those of `more`; a letter or digit first, or one of `first`. */
static bool is_name(const char *name, const char *first, const char *more, size_t max)
{
    size_t len = strlen(name), plain = strspn(name, ALNUM), at = 0;

    if (len == 0 || len > max || (plain == 0 && !strchr(first, *name)))
        return false;
    while (name[at] && (strchr(ALNUM, name[at]) || strchr(more, name[at])))
        at++;
    return at == len;
}

static void check_name(const struct check *c, const struct node *at, const char *name,
                       const char *more, size_t max)
{
    if (name && !is_name(name, strchr(more, '_') ? "_" : "", more, max))
        problems_add(c->p, at, "%s: \"%.60s\" is not a name: 1 to %zu letters, digits and %s",
                     at->key                           ? at->key
                     : c->s->kind == STEP_KIND_PACKAGE ? "names"
                                                       : "groups",
                     name, max, more);
}

/* A name; for what a file belongs to a number, too. */
static void check_account(const struct check *c, const char *key, const char *name, bool number)
{
    bool digits = name && strspn(name, "0123456789") == strlen(name);

    if (name && digits && (!number || strlen(name) > NUMBER_MAX_LEN))
        problems_add(c->p, place(c, key), "%s: \"%.60s\" is not a name", key, name);
    else if (!digits)
        check_name(c, place(c, key), name, "_.-", ACCOUNT_MAX_LEN);
}

/* ---- commands ---- */

static void check_command(const struct check *c, const char *key, const struct node *n)
{
    const struct node *word;
    size_t len = 0;
    bool good = n && (n->kind == NODE_KIND_STRING ? *n->text != '\0' : n->kind == NODE_KIND_LIST);

    if (!n)
        return;
    if (n->kind == NODE_KIND_LIST) {
        good = n->count > 0;
        node_for_each (word, n) {
            good = good && word->text && word->kind != NODE_KIND_NULL;
            len += word->text ? strlen(word->text) + 1 : 0;
        }
        good = good && *n->items[0]->text != '\0';
    } else if (n->text) {
        len = strlen(n->text);
    }
    if (!good)
        problems_add(c->p, place(c, key),
                     "%s: expected a list of words, or a text for a shell: %s: [touch, /tmp/x]",
                     key, key);
    else if (len > WORDS_MAX_LEN)
        problems_add(c->p, place(c, key),
                     "%s: longer than %d bytes; put it into a file, with a step `file`", key,
                     WORDS_MAX_LEN);
}

/* ---- kinds ---- */

static void check_package(const struct check *c)
{
    const struct node *names = node_get(c->at, "names"), *name;
    size_t len = 0;

    if (names && names->kind == NODE_KIND_LIST)
        node_for_each (name, names) {
            check_name(c, name, name->text, "+._-", NAME_MAX_LEN);
            len += name->text ? strlen(name->text) : 0;
        }
    if (names && names->count == 0 && names->kind == NODE_KIND_LIST)
        problems_add(c->p, names, "names: no package is named");
    else if (len > WORDS_MAX_LEN)
        problems_add(c->p, names, "names: longer than %d bytes; make several steps of it",
                     WORDS_MAX_LEN);
}

/* Two that say something else of one path would each undo what the other one did, at every run;
 * only lines can be several. */
static void check_twice(const struct check *c)
{
    const struct step *o = c->all->items;
    bool line = c->s->kind == STEP_KIND_LINE;

    while (o < c->s && !(o->path && c->s->path && strcmp(o->path, c->s->path) == 0 &&
                         !(line && o->kind == STEP_KIND_LINE)))
        o++;
    if (o < c->s)
        problems_add(c->p, place(c, "path"), "path: the step `%s` in line %d is about it already",
                     steps_kind(o->kind), o->line);
}

static void check_owner(const struct check *c)
{
    check_path(c, "path", c->s->path);
    check_account(c, "owner", c->s->owner, true);
    check_account(c, "group", c->s->group, true);
    check_twice(c);
}

static void check_file(const struct check *c)
{
    const struct step *s = c->s;
    int given = is_given(c, "content") + is_given(c, "content_file") + is_given(c, "template") +
                is_given(c, "template_file");
    bool absent = s->state && strcmp(s->state, "absent") == 0;

    check_owner(c);
    if (absent && (given || s->mode || s->owner || s->group))
        problems_add_key(c->p, c->at, "file: with `state: absent` only the path is said");
    else if (!absent && given != 1)
        problems_add_key(c->p, c->at,
                         "file: say what is in it, once: content, content_file, template or "
                         "template_file");
}

static void check_user(const struct check *c)
{
    const struct node *groups = node_get(c->at, "groups"), *name;

    check_account(c, "name", c->s->name, false);
    check_account(c, "group", c->s->group, false);
    check_path(c, "home", c->s->home);
    check_path(c, "shell", c->s->shell);
    if (groups && groups->kind == NODE_KIND_LIST)
        node_for_each (name, groups)
            check_name(c, name, name->text, "_.-", ACCOUNT_MAX_LEN);
    for (size_t i = 0; i < 2; i++) {
        const char *path = i ? c->s->shell : c->s->home;

        if (path && strpbrk(path, ":\n"))
            problems_add(c->p, place(c, i ? "shell" : "home"),
                         "%s: a colon or a line break cannot be in it", i ? "shell" : "home");
    }
}

static void check_group(const struct check *c)
{
    check_account(c, "name", c->s->name, false);
}

static void check_line(const struct check *c)
{
    const struct step *s = c->s;
    bool absent = s->state && strcmp(s->state, "absent") == 0;
    regex_t r;
    char why[200];
    int failed;

    check_path(c, "path", s->path);
    check_twice(c);
    if (s->content && (strpbrk(s->content, "\n\r") || !*s->content))
        problems_add(c->p, place(c, "line"), "line: it is one line with something in it");
    if (!is_given(c, "line") && !(absent && s->match))
        problems_add_key(c->p, c->at, "line: the key \"line\" is missing: the line itself");
    if (s->content && s->match && absent)
        problems_add_key(c->p, c->at,
                         "line: with `state: absent` say either the line or what it matches");
    if (!s->match)
        return;
    if (strlen(s->match) > PATH_MAX_LEN) {
        problems_add(c->p, place(c, "match"), "match: longer than %d bytes", PATH_MAX_LEN);
        return;
    }
    failed = regcomp(&r, s->match, REG_EXTENDED | REG_NOSUB);
    if (failed) {
        regerror(failed, &r, why, sizeof(why));
        problems_add(c->p, place(c, "match"), "match: %s", why);
        return;
    }
    /* Else the next run would find neither. */
    if (s->content && regexec(&r, s->content, 0, NULL, 0) != 0)
        problems_add(c->p, place(c, "match"), "match: it does not match the line itself");
    regfree(&r);
}

static void check_service(const struct check *c)
{
    check_name(c, place(c, "name"), c->s->name, "_.@:-", NAME_MAX_LEN);
    if (!is_given(c, "state") && !is_given(c, "enabled"))
        problems_add_key(c->p, c->at, "service: say state, enabled or both");
}

static void check_run(const struct check *c)
{
    check_command(c, "run", c->s->run);
    check_command(c, "unless", c->s->unless);
    check_path(c, "creates", c->s->creates);
    if (!is_given(c, "unless") && !is_given(c, "creates"))
        problems_add_key(c->p, c->at,
                         "command: say `unless` or `creates`, or it would run every time");
}

void steps_check(const struct steps *all, const struct step *s, const struct node *at,
                 struct problems *p)
{
    static void (*const checks[STEP_KINDS])(const struct check *c) = {
        [STEP_KIND_PACKAGE] = check_package, [STEP_KIND_FILE] = check_file,
        [STEP_KIND_DIRECTORY] = check_owner, [STEP_KIND_USER] = check_user,
        [STEP_KIND_GROUP] = check_group,     [STEP_KIND_LINE] = check_line,
        [STEP_KIND_SERVICE] = check_service, [STEP_KIND_COMMAND] = check_run,
    };
    const struct check c = {.all = all, .s = s, .at = at, .p = p};

    checks[s->kind](&c);
}
