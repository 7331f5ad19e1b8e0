/* SPDX-License-Identifier: MIT */
/* Shell completion, printed from the same tables as the help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/check.h"
#include "cmd/cmd.h"
#include "cmd/instances.h"
#include "cmd/out.h"
#include "plan/connect.h"

enum { TEXT_MAX = 1 << 20 };

static const struct opt_example examples[] = {
    {"source <(slipway completion bash)", "in ~/.bashrc"},
    {"source <(slipway completion zsh)", "in ~/.zshrc, after compinit"},
    {"slipway completion fish >~/.config/fish/completions/slipway.fish", "once"},
    {0},
};

/* First words of all commands, each once. */
static void first_words(struct strv *out)
{
    for (size_t i = 0; cmd_all[i]; i++) {
        const char *name = cmd_all[i]->help.name;
        auto_free char *word = mem_strndup(name, strcspn(name, " "));

        if (!strv_has(out, word))
            strv_add(out, word);
    }
}

static char *second_words(const char *first)
{
    auto_strv struct strv words = {0};
    size_t len = strlen(first);

    for (size_t i = 0; cmd_all[i]; i++) {
        const char *name = cmd_all[i]->help.name;
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

/* What the operands are, from the usage line: "files", "instances", "components", "checks", "none",
 * or the words themselves. Owned. */
static char *operand_kind(const struct cmd *c)
{
    const char *args = c->help.args ? c->help.args : "";

    if (strchr(args, '|') && strspn(args, "abcdefghijklmnopqrstuvwxyz|") == strlen(args)) {
        char *words = mem_strdup(args);

        for (char *at = words; *at; at++)
            if (*at == '|')
                *at = ' ';
        return words;
    }
    if (strncmp(args, "[MODULE", 7) == 0)
        return mem_strdup("checks");
    if (strstr(args, "FILE"))
        return mem_strdup("files");
    if (strncmp(args, "INSTANCE", 8) == 0 || strncmp(args, "[INSTANCE", 9) == 0 ||
        strncmp(args, "[COMPONENT[/", 12) == 0 || strncmp(args, "COMPONENT[/", 11) == 0)
        return mem_strdup("instances");
    return mem_strdup(strncmp(args, "COMPONENT", 9) == 0 ? "components" : "none");
}

/* ---- bash, zsh ---------------------------------------------------------------------------------
 */

static const char BASH_HEAD[] =
    "# Completion of slipway for bash and zsh; printed by `slipway completion`.\n"
    "_slipway() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} cmd='' words='' kind=none i w\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        w=${COMP_WORDS[i]}\n"
    "        case $w in\n"
    "        -e | --env | -f | --file | --catalog | --timeout | --log-format | --log-file)\n"
    "            [[ ${COMP_WORDS[i + 1]-} == = ]] || i=$((i + 1))\n"
    "            ;;\n"
    "        =) i=$((i + 1)) ;;\n"
    "        -*) ;;\n"
    "        *)\n"
    "            case $cmd in\n"
    "            '') cmd=$w ;;\n";

static const char BASH_MIDDLE[] = "            esac\n"
                                  "            ;;\n"
                                  "        esac\n"
                                  "    done\n"
                                  "    case $cmd in\n";

/* A space follows each word but "--size="; both shells take it from the word under nospace. */
static const char BASH_TAIL[] = "    esac\n"
                                "    case $cur in\n"
                                "    -*) words=\"$words $globals\" ;;\n"
                                "    *)\n"
                                "        case $kind in\n"
                                "        files)\n"
                                "            compopt -o filenames 2>/dev/null\n"
                                "            COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                                "            return\n"
                                "            ;;\n"
                                "        instances | components | checks) words=$(slipway "
                                "completion \"$kind\" 2>/dev/null) ;;\n"
                                "        words) ;;\n"
                                "        none) words='' ;;\n"
                                "        *) words=$kind ;;\n"
                                "        esac\n"
                                "        ;;\n"
                                "    esac\n"
                                "    COMPREPLY=()\n"
                                "    for w in $(compgen -W \"$words\" -- \"$cur\"); do\n"
                                "        [[ $w == *= ]] || w=\"$w \"\n"
                                "        COMPREPLY+=(\"$w\")\n"
                                "    done\n"
                                "}\n"
                                "complete -o nospace -F _slipway slipway\n";

static void print_bash(struct buf *b)
{
    auto_strv struct strv first = {0};
    auto_free char *globals = option_words(cmd_global_options);
    auto_free char *all = NULL;

    first_words(&first);
    all = strv_join(&first, " ");
    buf_puts(b, BASH_HEAD);
    for (size_t i = 0; i < first.count; i++) {
        auto_free char *second = second_words(first.items[i]);
        if (*second)
            buf_printf(b, "            %s) cmd=\"$cmd $w\" ;;\n", first.items[i]);
    }
    buf_puts(b, BASH_MIDDLE);
    buf_printf(b, "    '') words='%s' kind=words ;;\n", all);
    for (size_t i = 0; i < first.count; i++) {
        auto_free char *second = second_words(first.items[i]);
        if (*second)
            buf_printf(b, "    %s) words='%s' kind=words ;;\n", first.items[i], second);
    }
    for (size_t i = 0; cmd_all[i]; i++) {
        auto_free char *own = option_words(cmd_all[i]->help.options);
        auto_free char *kind = operand_kind(cmd_all[i]);

        buf_printf(b, "    '%s') words='%s' kind='%s' ;;\n", cmd_all[i]->help.name, own, kind);
    }
    buf_puts(b, "    esac\n    local globals='");
    buf_puts(b, globals);
    buf_puts(b, "'\n    case $cmd in\n");
    buf_puts(b, BASH_TAIL);
}

/* ---- fish --------------------------------------------------------------------------------------
 */

/* fish's own __fish_use_subcommand takes the value of an option for a command. */
static const char FISH_HEAD[] =
    "# Completion of slipway for fish; printed by `slipway completion fish`.\n"
    "# The words of the command so far, without options: at most two.\n"
    "function __slipway_words\n"
    "    set -l skip 0\n"
    "    set -l count 0\n"
    "    for word in (commandline -opc)[2..-1]\n"
    "        if test $skip = 1\n"
    "            set skip 0\n"
    "            continue\n"
    "        end\n"
    "        switch $word\n"
    "            case -e --env -f --file --catalog --timeout --log-format --log-file\n"
    "                test $count = 0; and set skip 1\n"
    "            case '-*'\n"
    "            case '*'\n"
    "                echo $word\n"
    "                set count (math $count + 1)\n"
    "                test $count = 2; and return\n"
    "        end\n"
    "    end\n"
    "end\n"
    "# Exactly these words, or nothing, have been written.\n"
    "function __slipway_only\n"
    "    set -l words (__slipway_words)\n"
    "    test \"$words\" = \"$argv\"\n"
    "end\n"
    "# They begin with these.\n"
    "function __slipway_in\n"
    "    set -l words (__slipway_words)\n"
    "    set -l count (count $argv)\n"
    "    test (count $words) -ge $count\n"
    "    and test \"$words[1..$count]\" = \"$argv\"\n"
    "end\n"
    "complete -c slipway -f\n";

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

static void fish_options(struct buf *b, const struct opt_spec *specs, const char *condition)
{
    for (const struct opt_spec *o = specs; o && o->name; o++) {
        if (o->hidden)
            continue;
        buf_printf(b, "complete -c slipway%s -l %s", condition, o->name);
        if (o->letter)
            buf_printf(b, " -s %c", o->letter);
        if (o->arg)
            buf_puts(b, " -r");
        buf_puts(b, " -d ");
        fish_text(b, o->help);
        buf_putc(b, '\n');
    }
}

static void fish_operands(struct buf *b, const struct cmd *c, const char *condition)
{
    auto_free char *kind = operand_kind(c);

    if (strcmp(kind, "files") == 0)
        buf_printf(b, "complete -c slipway%s -F\n", condition);
    else if (strcmp(kind, "instances") == 0 || strcmp(kind, "components") == 0 ||
             strcmp(kind, "checks") == 0)
        buf_printf(b, "complete -c slipway%s -a '(slipway completion %s 2>/dev/null)'\n", condition,
                   kind);
    else if (strcmp(kind, "none") != 0)
        buf_printf(b, "complete -c slipway%s -a '%s'\n", condition, kind);
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
static void fish_group(struct buf *b, const char *first)
{
    auto_free char *second = second_words(first);

    for (char *at = second; *at; at++)
        if (*at == ' ')
            *at = ',';
    for (size_t i = 0; cmd_all[i]; i++)
        if (strcmp(cmd_all[i]->help.name, first) == 0)
            return;
    buf_printf(b, "complete -c slipway -n __slipway_only -a %s -d ", first);
    fish_text(b, second);
    buf_putc(b, '\n');
}

static void print_fish(struct buf *b)
{
    auto_strv struct strv first = {0};

    first_words(&first);
    buf_puts(b, FISH_HEAD);
    fish_options(b, cmd_global_options, "");
    for (size_t i = 0; i < first.count; i++)
        fish_group(b, first.items[i]);
    for (size_t i = 0; cmd_all[i]; i++)
        fish_command(b, cmd_all[i]);
}

/* ---- names that change --------------------------------------------------------------------------
 */

static int print_instances(struct cmd_context *x, struct err *e)
{
    auto_strv struct strv names = {0};

    if (engine_open(&x->engine, NULL, e) < 0 ||
        engine_container_list(&x->containers, x->engine, LABEL_INSTANCE, e) < 0)
        return -1;
    instances_all(&names, x);
    for (size_t i = 0; i < names.count; i++)
        puts(names.items[i]);
    return 0;
}

static int print_components(struct cmd_context *x, struct err *e)
{
    if (cmd_prepare(x, CMD_NEEDS_CATALOG, e) < 0)
        return -1;
    for (size_t i = 0; i < x->catalog->count; i++)
        puts(x->catalog->items[i]->name);
    return 0;
}

/* Modules, tests of those that are built in, and components, which may have a hook. */
static int print_checks(struct cmd_context *x, struct err *e)
{
    for (size_t i = 0; check_modules[i]; i++) {
        puts(check_modules[i]->name);
        for (size_t j = 0; check_modules[i]->tests[j]; j++)
            printf("%s.%s\n", check_modules[i]->name, check_modules[i]->tests[j]);
    }
    return print_components(x, e);
}

static int run(struct cmd_context *x, void *options, const struct strv *operands, struct err *e)
{
    const char *what = operands->items[0];
    auto_buf struct buf b = {0};

    (void)options;
    buf_init(&b, TEXT_MAX);
    if (strcmp(what, "instances") == 0)
        return print_instances(x, e);
    if (strcmp(what, "components") == 0)
        return print_components(x, e);
    if (strcmp(what, "checks") == 0)
        return print_checks(x, e);
    if (strcmp(what, "zsh") == 0)
        buf_puts(&b, "autoload -U +X bashcompinit && bashcompinit\n");
    if (strcmp(what, "bash") == 0 || strcmp(what, "zsh") == 0)
        print_bash(&b);
    else if (strcmp(what, "fish") == 0)
        print_fish(&b);
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
    .max_operands = 1,
    .run = run,
};
