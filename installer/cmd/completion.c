/* SPDX-License-Identifier: MIT */
/* Shell completion, printed from the same tables as the help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/mem.h"
#include "cmd/completion_words.h"
#include "cmd/out.h"

enum { TEXT_MAX = 1 << 20 };

EMBED_TEXT(completion_bash_script, "installer/cmd/completion_bash.sh");
EMBED_TEXT(completion_fish_script, "installer/cmd/completion.fish");
extern const char completion_bash_script[], completion_fish_script[];

static const struct opt_example examples[] = {
    {"source <(slipway completion bash)", "in ~/.bashrc"},
    {"source <(slipway completion zsh)", "in ~/.zshrc, after compinit"},
    {"slipway completion fish >~/.config/fish/completions/slipway.fish", "once"},
    {0},
};

/* First words of all commands, each once. */
static void first_words(struct strv *out, const struct cmd *const *all)
{
    for (size_t i = 0; all[i]; i++) {
        const char *name = all[i]->help.name;
        auto_free char *word = mem_strndup(name, strcspn(name, " "));

        if (!strv_has(out, word))
            strv_add(out, word);
    }
}

static char *second_words(const char *first, const struct cmd *const *all)
{
    auto_strv struct strv words = {0};
    size_t len = strlen(first);

    for (size_t i = 0; all[i]; i++) {
        const char *name = all[i]->help.name;

        if (strncmp(name, first, len) == 0 && name[len] == ' ')
            strv_add(&words, name + len + 1);
    }
    return strv_join(&words, " ");
}

/* Words of a table on one line. */
static char *option_words(const struct opt_spec *specs)
{
    struct buf b;
    char *text;

    buf_init(&b, TEXT_MAX);
    if (specs)
        opt_words(&b, specs);
    text = buf_take(&b);
    for (char *at = text; *at; at++)
        if (*at == '\n')
            *at = ' ';
    return text;
}

/* What an argument is, from its name in the help: a kind of completion_words, "files", "keys", or
 * "none". */
static const char *kind_of(const char *arg)
{
    static const struct {
        const char *arg, *kind;
    } kinds[] = {
        {"[MODULE", "checks"},      {"INSTANCE", "instances"},   {"[INSTANCE", "instances"},
        {"COMPONENT[/", "targets"}, {"[COMPONENT[/", "targets"}, {"COMPONENT", "components"},
        {"VOLUME", "volumes"},      {"POOL", "pools"},           {"DRIVER", "drivers"},
        {"TEMPLATE", "volumes"},    {"SELECTOR", "instances"}};

    if (strstr(arg, "FILE") || strstr(arg, ".yaml") || strcmp(arg, "DIR") == 0)
        return "files";
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strncmp(arg, kinds[i].arg, strlen(kinds[i].arg)) == 0)
            return kinds[i].kind;
    return "none";
}

static char *spaced(const char *words)
{
    char *text = mem_strdup(words);

    for (char *at = text; *at; at++)
        if (*at == '|')
            *at = ' ';
    return text;
}

/* What the operands are: a kind, or the words themselves. Owned. */
static char *operand_kind(const struct cmd *c)
{
    const char *args = c->help.args ? c->help.args : "";

    if (strchr(args, '|') && strspn(args, "abcdefghijklmnopqrstuvwxyz|") == strlen(args))
        return spaced(args);
    return mem_strdup(kind_of(args));
}

/* What the argument of an option is: a kind, or the words themselves. Owned. */
static char *option_kind(const struct opt_spec *o)
{
    auto_strv struct strv words = {0};

    for (size_t i = 0; o->values && o->values[i]; i++)
        strv_add(&words, o->values[i]);
    if (words.count)
        return strv_join(&words, " ");
    return mem_strdup(strcmp(o->name, "env") == 0 ? "environments" : kind_of(o->arg));
}

/* ---- bash, zsh ---- */

static void add_with_argument(struct strv *names, const struct opt_spec *specs)
{
    for (const struct opt_spec *o = specs; o && o->name; o++) {
        auto_free char *name = mem_printf("--%s", o->name);

        if (o->arg && !strv_has(names, name))
            strv_add(names, name);
    }
}

/* ` --size --pool `: the long options that take an argument; and the words of the common ones. */
static void bash_options(struct buf *b, const struct cmd *const *all)
{
    auto_strv struct strv names = {0};
    auto_free char *globals = option_words(cmd_global_options), *with = NULL;

    add_with_argument(&names, cmd_global_options);
    for (size_t i = 0; all[i]; i++)
        add_with_argument(&names, all[i]->help.options);
    with = strv_join(&names, " ");
    buf_printf(b, "    local with=' %s ' globals='%s'\n", with, globals);
}

/* A case of what stands behind the options of a table, by `prev`. */
static void bash_arguments(struct buf *b, const struct opt_spec *specs, const char *command)
{
    for (const struct opt_spec *o = specs; o && o->name; o++) {
        auto_free char *kind = o->arg ? option_kind(o) : NULL;
        auto_free char *letter = o->letter ? mem_printf(" | '%s:-%c'", command, o->letter) : NULL;

        if (kind)
            buf_printf(b, "    '%s:--%s'%s) kind='%s' count=0 ;;\n", command, o->name,
                       letter ? letter : "", kind);
    }
}

/* Of `volume create` the first word alone is not a command yet. */
static void bash_groups(struct buf *b, const struct cmd *const *all)
{
    auto_strv struct strv first = {0};

    first_words(&first, all);
    for (size_t i = 0; i < first.count; i++) {
        auto_free char *second = second_words(first.items[i], all);

        if (*second)
            buf_printf(b, "            %s) cmd=\"$cmd $w\" ;;\n", first.items[i]);
    }
}

/* What can stand behind each command, and behind a first word. */
static void bash_commands(struct buf *b, const struct cmd *const *all)
{
    auto_strv struct strv first = {0};
    auto_free char *words = NULL;

    first_words(&first, all);
    words = strv_join(&first, " ");
    buf_printf(b, "    '') words='%s' kind=words ;;\n", words);
    for (size_t i = 0; i < first.count; i++) {
        auto_free char *second = second_words(first.items[i], all);

        if (*second)
            buf_printf(b, "    %s) words='%s' kind=words ;;\n", first.items[i], second);
    }
    for (size_t i = 0; all[i]; i++) {
        auto_free char *own = option_words(all[i]->help.options);
        auto_free char *kind = operand_kind(all[i]);

        buf_printf(b, "    '%s') words='%s' kind='%s' ;;\n", all[i]->help.name, own, kind);
    }
}

static void bash_all_arguments(struct buf *b, const struct cmd *const *all)
{
    for (size_t i = 0; all[i]; i++)
        bash_arguments(b, all[i]->help.options, all[i]->help.name);
}

static void bash_common_arguments(struct buf *b, const struct cmd *const *all)
{
    (void)all;
    bash_arguments(b, cmd_global_options, "");
}

/* The lines `#: NAME` of the script, and what is printed there. */
static const struct {
    const char *name;
    void (*print)(struct buf *b, const struct cmd *const *all);
} PLACES[] = {
    {"#: options", bash_options},
    {"#: groups", bash_groups},
    {"#: commands", bash_commands},
    {"#: arguments", bash_all_arguments},
    {"#: common-arguments", bash_common_arguments},
};

static void bash_line(struct buf *b, const char *line, const struct cmd *const *all)
{
    const char *text = line + strspn(line, " ");

    for (size_t i = 0; i < ARRAY_LEN(PLACES); i++)
        if (strcmp(text, PLACES[i].name) == 0) {
            PLACES[i].print(b, all);
            return;
        }
    if (strncmp(text, "# shellcheck", 12) != 0 && strncmp(text, "# SPDX", 6) != 0)
        buf_printf(b, "%s\n", line);
}

static void print_bash(struct buf *b, const struct cmd *const *all)
{
    auto_strv struct strv lines = {0};

    strv_split(&lines, completion_bash_script, "\n");
    for (size_t i = 0; i < lines.count; i++)
        bash_line(b, lines.items[i], all);
}

/* ---- fish ---- */

/* Between single quotes. */
static void fish_text(struct buf *b, const char *text)
{
    buf_putc(b, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buf_putc(b, '\\');
        buf_putc(b, *text);
    }
    buf_putc(b, '\'');
}

/* The words of a kind, behind `complete -c slipway ...`. */
static void fish_arguments(struct buf *b, const char *kind)
{
    if (strcmp(kind, "files") == 0)
        buf_puts(b, " -F");
    else if (strcmp(kind, "targets") == 0)
        buf_puts(b, " -a '(__slipway_targets)'");
    else if (completion_is_words(kind))
        buf_printf(b, " -a '(__slipway_ask %s)'", kind);
    else if (strcmp(kind, "none") != 0)
        buf_printf(b, " -a '%s'", kind);
}

static void fish_options(struct buf *b, const struct opt_spec *specs, const char *condition)
{
    for (const struct opt_spec *o = specs; o && o->name; o++) {
        if (o->hidden)
            continue;
        buf_printf(b, "complete -c slipway%s -l %s", condition, o->name);
        if (o->letter)
            buf_printf(b, " -s %c", o->letter);
        if (o->arg) {
            auto_free char *kind = option_kind(o);

            buf_puts(b, strcmp(kind, "files") == 0 ? " -r" : " -x");
            fish_arguments(b, kind);
        }
        buf_puts(b, " -d ");
        fish_text(b, o->help);
        buf_putc(b, '\n');
    }
}

static void fish_operands(struct buf *b, const struct cmd *c, const char *condition)
{
    auto_free char *kind = operand_kind(c);

    if (strcmp(kind, "none") == 0)
        return;
    buf_printf(b, "complete -c slipway%s", condition);
    fish_arguments(b, kind);
    buf_putc(b, '\n');
}

static void fish_command(struct buf *b, const struct cmd *c)
{
    const char *name = c->help.name, *space = strchr(name, ' ');
    auto_free char *first = mem_strndup(name, strcspn(name, " "));
    auto_free char *condition = mem_printf(" -n '__slipway_in %s'", name);

    buf_printf(b, "complete -c slipway -n '__slipway_only%s%s' -a %s -d ", space ? " " : "",
               space ? first : "", space ? space + 1 : name);
    fish_text(b, c->help.summary);
    buf_putc(b, '\n');
    fish_options(b, c->help.options, condition);
    fish_operands(b, c, condition);
}

/* "volume", of which only "volume create" is a command. */
static void fish_group(struct buf *b, const char *first, const struct cmd *const *all)
{
    auto_free char *second = second_words(first, all);

    for (char *at = second; *at; at++)
        if (*at == ' ')
            *at = ',';
    for (size_t i = 0; all[i]; i++)
        if (strcmp(all[i]->help.name, first) == 0)
            return;
    buf_printf(b, "complete -c slipway -n __slipway_only -a %s -d ", first);
    fish_text(b, second);
    buf_putc(b, '\n');
}

static void print_fish(struct buf *b, const struct cmd *const *all)
{
    auto_strv struct strv first = {0};

    first_words(&first, all);
    buf_puts(b, completion_fish_script);
    fish_options(b, cmd_global_options, "");
    for (size_t i = 0; i < first.count; i++)
        fish_group(b, first.items[i], all);
    for (size_t i = 0; all[i]; i++)
        fish_command(b, all[i]);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    const char *what = operands->items[0];
    auto_buf struct buf b = {0};

    (void)options;
    buf_init(&b, TEXT_MAX);
    if (completion_is_words(what))
        return completion_words(x, what, operands->count > 1 ? operands->items[1] : NULL, e);
    if (operands->count > 1)
        return err_set(e, ERR_USAGE, "completion takes no %s; see `slipway completion --help`",
                       operands->items[1]);
    if (strcmp(what, "zsh") == 0)
        buf_puts(&b, "autoload -U +X bashcompinit && bashcompinit\n");
    if (strcmp(what, "bash") == 0 || strcmp(what, "zsh") == 0)
        print_bash(&b, x->commands);
    else if (strcmp(what, "fish") == 0)
        print_fish(&b, x->commands);
    else
        return err_set(e, ERR_USAGE, "completion is there for bash, zsh and fish, not for %s",
                       what);
    out_buf(&b);
    return 0;
}

const struct cmd cmd_completion = {
    .help = {.name = "completion",
             .summary = "print the completion of a shell",
             .args = "bash|zsh|fish",
             .examples = examples,
             .group = "Help"},
    .min_operands = 1,
    .max_operands = 2, /* `completion keys COMPONENT` */
    .no_json = true,
    .run = run,
};
