/* SPDX-License-Identifier: MIT */
/* Shell completion, printed from the same tables as the help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/completion_words.h"
#include "cmd/out.h"

enum { TEXT_MAX = 1 << 20 };

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

/* `first` and `count`: the operands before this word. */
static const char BASH_HEAD[] =
    "# Completion of slipway for bash and zsh; printed by `slipway completion bash`.\n"
    "_slipway() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]-}\n"
    "    local cmd='' words='' kind=none i w first='' before='' count=0 env=()\n"
    "    [[ $prev != = ]] || prev=${COMP_WORDS[COMP_CWORD - 2]-}\n"
    "    [[ $cur != = ]] || cur=''\n"
    "    # bash divides --env=x, zsh does not.\n"
    "    [[ $cur != --*=* ]] || { prev=${cur%%=*} before=${cur%%=*}=; cur=${cur#*=}; }\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        w=${COMP_WORDS[i]}\n"
    "        case $w in\n"
    "        -e | --env | -f | --file)\n"
    "            [[ ${COMP_WORDS[i + 1]-} == = ]] && i=$((i + 1))\n"
    "            [[ $((i + 1)) -ge COMP_CWORD ]] || env+=(\"$w\" \"${COMP_WORDS[i + 1]}\")\n"
    "            i=$((i + 1))\n"
    "            ;;\n";

static const char BASH_WORDS[] = "            [[ ${COMP_WORDS[i + 1]-} == = ]] || i=$((i + 1))\n"
                                 "            ;;\n"
                                 "        =) i=$((i + 1)) ;;\n"
                                 "        --env=* | --file=*) env+=(\"$w\") ;;\n"
                                 "        -*) ;;\n"
                                 "        *)\n"
                                 "            case $cmd in\n"
                                 "            '') cmd=$w ;;\n";

static const char BASH_MIDDLE[] = "            *) [[ $((count++)) != 0 ]] || first=$w ;;\n"
                                  "            esac\n"
                                  "            ;;\n"
                                  "        esac\n"
                                  "    done\n"
                                  "    case $cmd in\n";

/* A space follows each word but "--size="; both shells take it from the word under nospace. */
static const char BASH_TAIL[] =
    "    esac\n"
    "    case $cur in\n"
    "    -*) words=\"$words $globals\" ;;\n"
    "    *)\n"
    "        [[ $kind != targets || $count == 0 ]] || kind=keys\n"
    "        case $kind in\n"
    "        files)\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            COMPREPLY=($(compgen -f -- \"$cur\"))\n"
    "            return\n"
    "            ;;\n"
    "        environments | instances | components | targets | checks | volumes | drivers | "
    "pools)\n"
    "            words=$(slipway --timeout 5s \"${env[@]}\" completion \"$kind\" 2>/dev/null)\n"
    "            ;;\n"
    "        keys) words=$(slipway completion keys \"$first\" 2>/dev/null) ;;\n"
    "        words) ;;\n"
    "        none) words='' ;;\n"
    "        *) words=$kind ;;\n"
    "        esac\n"
    "        ;;\n"
    "    esac\n"
    "    COMPREPLY=()\n"
    "    for w in $(compgen -W \"$words\" -- \"$cur\"); do\n"
    "        [[ $w == *= ]] || w=\"$w \"\n"
    "        COMPREPLY+=(\"$before$w\")\n"
    "    done\n"
    "}\n"
    "complete -o nospace -F _slipway slipway\n";

/* The long options that take an argument, of all commands: "--size | --pool", each once. */
static char *options_with_arguments(const struct cmd *const *all)
{
    auto_strv struct strv names = {0};

    for (size_t i = 0; all[i]; i++)
        for (const struct opt_spec *o = all[i]->help.options; o && o->name; o++) {
            auto_free char *name = mem_printf("--%s", o->name);

            if (o->arg && !strv_has(&names, name))
                strv_add(&names, name);
        }
    return strv_join(&names, " | ");
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

static void print_bash(struct buf *b, const struct cmd *const *all)
{
    auto_strv struct strv first = {0};
    auto_free char *globals = option_words(cmd_global_options);
    auto_free char *words = NULL, *with = options_with_arguments(all);

    first_words(&first, all);
    words = strv_join(&first, " ");
    buf_puts(b, BASH_HEAD);
    buf_printf(b, "        --catalog | --timeout | --log-format | --log-file | %s)\n", with);
    buf_puts(b, BASH_WORDS);
    for (size_t i = 0; i < first.count; i++) {
        auto_free char *second = second_words(first.items[i], all);

        if (*second)
            buf_printf(b, "            %s) cmd=\"$cmd $w\" ;;\n", first.items[i]);
    }
    buf_puts(b, BASH_MIDDLE);
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
    buf_puts(b, "    esac\n    local globals='");
    buf_puts(b, globals);
    buf_puts(b, "'\n    case $cmd:$prev in\n");
    for (size_t i = 0; all[i]; i++)
        bash_arguments(b, all[i]->help.options, all[i]->help.name);
    buf_puts(b, "    esac\n    case :$prev in\n");
    bash_arguments(b, cmd_global_options, "");
    buf_puts(b, BASH_TAIL);
}

/* ---- fish ---- */

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
    "# What `slipway completion KIND` says, about the environment that is named.\n"
    "function __slipway_ask\n"
    "    set -l named\n"
    "    set -l words (commandline -opc)\n"
    "    for i in (seq (count $words))\n"
    "        switch $words[$i]\n"
    "            case -e --env -f --file\n"
    "                test $i -lt (count $words); and set named $words[$i..(math $i + 1)]\n"
    "            case '--env=*' '--file=*'\n"
    "                set named $words[$i]\n"
    "        end\n"
    "    end\n"
    "    slipway --timeout 5s $named completion $argv 2>/dev/null\n"
    "end\n"
    "# A component or instance, then its keys.\n"
    "function __slipway_targets\n"
    "    set -l words (commandline -opc)\n"
    "    set -l at (contains -i config $words); or return\n"
    "    if test (count $words) -gt (math $at + 1)\n"
    "        slipway completion keys $words[(math $at + 2)] 2>/dev/null\n"
    "    else\n"
    "        __slipway_ask targets\n"
    "    end\n"
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
    buf_puts(b, FISH_HEAD);
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
