/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "cmd/cmd.h"
#include "cmd/out.h"
#include "cmd/out_stream.h"
#include "cmd/server.h"
#include "env/paths.h"
#include "host/relay.h"

enum { HELP_MAX = 1 << 20 };

static void print_overview(FILE *out)
{
    auto_buf struct buf b = {0};
    const char *group = NULL;

    buf_init(&b, HELP_MAX);
    buf_puts(
        &b,
        "Usage: slipway [OPTIONS] COMMAND ...\n\n"
        "Installs, runs and looks after a cluster environment of containers from one YAML file.\n"
        "Without --env or a file it is about the only environment there is; at first that is\n"
        "the built-in demo, a storage cluster.\n");
    for (size_t i = 0; cmd_all[i]; i++) {
        const struct opt_command *h = &cmd_all[i]->help;

        if (h->group && (!group || strcmp(group, h->group) != 0)) {
            group = h->group;
            buf_printf(&b, "\n%s\n", group);
        }
        buf_printf(&b, "  %-16s %s\n", h->name, h->summary);
    }
    buf_puts(&b, "\nOptions\n");
    opt_help_options(&b, cmd_global_options);
    buf_puts(&b, "\n`slipway COMMAND --help` says more about a command.\n");
    fputs(buf_str(&b), out);
}

static bool has_letter(const struct opt_spec *specs, char letter)
{
    for (; specs && specs->name; specs++)
        if (specs->letter == letter)
            return true;
    return false;
}

static void print_help(const struct cmd *c)
{
    auto_buf struct buf b = {0};
    struct opt_spec common[ARRAY_LEN(cmd_global_options)];

    /* A letter of the command's own is not the global one's here. */
    memcpy(common, cmd_global_options, sizeof(common));
    for (size_t i = 0; i < ARRAY_LEN(common); i++) {
        if (common[i].letter && has_letter(c->help.options, common[i].letter))
            common[i].letter = 0;
        if (cmd_server_is_option(&common[i]) && !c->server)
            common[i].hidden = true;
    }
    buf_init(&b, HELP_MAX);
    opt_help(&b, "slipway", &c->help, common);
    out_buf(&b);
}

/* "config" is not a command, "config get" is one. */
static char *second_words(const char *first)
{
    auto_strv struct strv words = {0};
    size_t len = strlen(first);

    for (size_t i = 0; cmd_all[i]; i++) {
        const char *name = cmd_all[i]->help.name;

        if (strncmp(name, first, len) == 0 && name[len] == ' ')
            strv_add(&words, name + len + 1);
    }
    return strv_join(&words, ", ");
}

/* `volume --help`: the commands of which that is the first word. False when there are none. */
static bool print_group(const char *first)
{
    size_t len = strlen(first);
    bool any = false;

    for (size_t i = 0; cmd_all[i]; i++) {
        const struct opt_command *h = &cmd_all[i]->help;

        if (strncmp(h->name, first, len) != 0 || h->name[len] != ' ')
            continue;
        out_line(stdout, "  %-16s %s", h->name, h->summary);
        any = true;
    }
    return any;
}

static int unknown_command(const char *word, struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *second = second_words(word);
    auto_free char *hint = NULL;

    if (*second)
        return err_set(e, ERR_USAGE, "%s needs one of: %s", word, second);
    for (size_t i = 0; cmd_all[i]; i++) /* `config` for confg, not `config get` */
        strv_take(&names, mem_strndup(cmd_all[i]->help.name, strcspn(cmd_all[i]->help.name, " ")));
    hint = strv_hint(&names, word);
    return err_set(e, ERR_USAGE, "there is no command %s%s; `slipway --help` lists them", word,
                   hint);
}

static int check_operands(const struct cmd *c, const struct strv *operands, struct err *e)
{
    if ((int)operands->count < c->min_operands)
        return err_set(e, ERR_USAGE, "%s needs %s; see `slipway %s --help`", c->help.name,
                       c->help.args ? c->help.args : "an argument", c->help.name);
    if (c->max_operands >= 0 && (int)operands->count > c->max_operands)
        return err_set(e, ERR_USAGE, "%s takes no %s; see `slipway %s --help`", c->help.name,
                       operands->items[c->max_operands], c->help.name);
    return 0;
}

/* Options before the environment's variables. JSON on stderr tells what a terminal shows in other
 * ways, so it begins at info. Operands are not told: some are secrets. */
static int setup_log(const struct cmd_context *x, const struct cmd *c, struct err *e)
{
    const char *format = x->log_format ? x->log_format : getenv("SLIPWAY_LOG_FORMAT");
    const char *file = x->log_file ? x->log_file : getenv("SLIPWAY_LOG_FILE");
    bool json = format && strcmp(format, "json") == 0;

    if (format && *format && !json && strcmp(format, "text") != 0)
        return err_set(e, ERR_USAGE, "SLIPWAY_LOG_FORMAT is %s; text and json are allowed", format);
    log_setup("slipway",
              x->verbose > 1                      ? LOG_LEVEL_DEBUG
              : x->verbose || (json && !x->quiet) ? LOG_LEVEL_INFO
                                                  : LOG_LEVEL_WARN,
              json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
    log_field("component", c->help.name);
    log_field("environment", x->name);
    if (file && *file && log_open_file(file, e) < 0)
        return -1;
    log_event(LOG_LEVEL_INFO, "begins, slipway %s", SLIPWAY_VERSION);
    return 0;
}

static int run_command(struct cmd_context *x, const struct cmd *c, const char *const *argv,
                       struct err *e)
{
    auto_strv struct strv operands = {0};
    void *options = mem_alloc(c->options_size + 1);
    /* The command's own letters win: `logs -f` follows, `-f FILE logs` names a file. */
    struct opt_set with_own[] = {{c->help.options, options}, {cmd_global_options, x}, {NULL, NULL}};
    const struct opt_set *sets = c->help.options ? with_own : with_own + 1;
    int r;

    r = opt_parse(&operands, sets, argv, c->stop_at_operand ? OPT_STOP_AT_OPERAND : OPT_ANYWHERE,
                  e);
    if (r == 0 && x->help) {
        print_help(c);
        free(options);
        return 0;
    }
    if (r == 0)
        r = setup_log(x, c, e);
    if (r == 0)
        r = check_operands(c, &operands, e);
    if (r == 0 && x->json && c->no_json)
        r = err_set(e, ERR_USAGE, "%s has no --json: what it prints is made by or for others",
                    c->help.name);
    if (r == 0 && c->file_operand && operands.count)
        x->file = operands.items[0];
    if (r == 0)
        r = cmd_server_settle(x, c, e);
    if (r == 0 && c->check)
        r = c->check(x, options, &operands, e);
    if (r == 0 && !x->parse_only)
        r = x->server ? cmd_server_open(x, e) : cmd_open(x, c->needs, e);
    if (r == 0 && !x->parse_only)
        r = c->run(x, options, &operands, e);
    free(options);
    return r;
}

/* Options before the command's name; *rest is where the command starts. */
static int parse_front(struct cmd_context *x, const char *const *argv, struct strv *rest,
                       struct err *e)
{
    struct opt_set sets[] = {{cmd_global_options, x}, {NULL, NULL}};

    return opt_parse(rest, sets, argv, OPT_STOP_AT_OPERAND, e);
}

static bool is_help(const char *word)
{
    return word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

/* `help`, `help up`, `help volume`: what `--help` behind the words says. */
static int help(const char *const *words, struct err *e)
{
    const struct cmd *c;
    int used = 0;

    if (!words[0] || is_help(words[0])) {
        print_overview(stdout);
        return 0;
    }
    c = cmd_find(words, &used);
    if (c)
        print_help(c);
    else if (!print_group(words[0]))
        return cmd_refuse_foreign(words, e) < 0 ? -1 : unknown_command(words[0], e);
    return 0;
}

/* What rsync runs in the place of ssh: not for people, and in no help. */
static int relay(const char *const *words, size_t count, struct err *e)
{
    int status;

    if (count < 3)
        return err_set(e, ERR_USAGE, "%s is run by rsync: SOCKET HOST COMMAND ...", RELAY_WORD);
    return relay_call(&status, words[0], words[1], words + 2, e) < 0 ? -1 : status;
}

static int dispatch(struct cmd_context *x, const char *const *argv, struct err *e)
{
    auto_strv struct strv rest = {0};
    const char *const *words;
    const struct cmd *c;
    int used = 0;

    if (parse_front(x, argv, &rest, e) < 0)
        return -1;
    words = (const char *const *)rest.items;
    if (x->version) {
        puts("slipway " SLIPWAY_VERSION);
        return 0;
    }
    if (rest.count == 0) {
        print_overview(x->help ? stdout : stderr);
        return x->help ? 0 : err_exit_status(ERR_USAGE);
    }
    if (strcmp(words[0], "help") == 0)
        return help(words + 1, e);
    if (strcmp(words[0], RELAY_WORD) == 0)
        return relay(words + 1, rest.count - 1, e);
    if (cmd_refuse_foreign(words, e) < 0)
        return -1;
    c = cmd_find(words, &used);
    if (!c && is_help(words[1]) && print_group(words[0]))
        return 0;
    if (!c)
        return unknown_command(words[0], e);
    return run_command(x, c, words + used, e);
}

static void release(struct cmd_context *x)
{
    env_close(x->env);
    remote_close(x->remote);
    env_paths_clear(&x->paths);
    free(x->home);
    free(x->docker_config);
    strv_clear(&x->catalogs);
}

/* The place first, as editors want it. */
static void tell_problems(const struct cmd_context *x)
{
    const struct strv *problems = x->remote ? remote_problems(x->remote)
                                  : x->env  ? &x->env->problems
                                            : NULL;

    for (size_t i = 0; problems && i < problems->count; i++)
        cmd_tell(problems->items[i]);
}

/* Whether standard output took all of it, also what went there before the last buffer. Who closed
 * the other end of a pipe wants no message. */
static bool is_written(struct out_stream *out, bool changed)
{
    int why = out_stream_close(out);

    if (why && why != EPIPE)
        cmd_tell(changed ? "slipway: standard output could not be written: it is incomplete; the "
                           "command has done its work"
                         : "slipway: standard output could not be written: it is incomplete");
    return !why;
}

/* The status that says "before any change" is only for that. */
static int status_of(enum err_code code, bool changed)
{
    int status = err_exit_status(code);

    return changed && status == err_exit_status(ERR_SYS) ? err_exit_status(ERR_PARTIAL) : status;
}

int main(int argc, char **argv)
{
    struct cmd_context x = {
        .commands = cmd_all, .home = cmd_paths_home(), .docker_config = cmd_paths_docker()};
    struct out_stream out;
    struct err e = {0};
    int64_t began = clock_now_ms();
    bool changed, written;
    int r;

    (void)argc;
    fs_open_standard();
    /* A dozen threads that mostly wait: an arena for each is memory for nothing. Large pieces go
     * back to the system when they are freed. */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 64 << 10);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_TOP_PAD, 8 << 10);
    log_setup("slipway", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
    sig_setup();
    sig_add_hangup();
    out_stream_open(&out, &x);
    r = dispatch(&x, (const char *const *)argv + 1, &e);
    if (r < 0)
        tell_problems(&x);
    changed = x.remote ? remote_has_changed(x.remote) : x.env && x.env->changed;
    written = is_written(&out, changed && r == 0);
    release(&x);
    if (r < 0) {
        log_redact_text(e.msg);
        if (!log_is_json())
            out_problem("slipway: ", e.msg);
        log_event(LOG_LEVEL_ERROR, "%s", e.msg);
        r = status_of(e.code, changed);
    }
    if (!written && r == 0)
        r = out.gave_up ? err_exit_status(out.gave_up) : status_of(ERR_SYS, changed);
    log_event(LOG_LEVEL_INFO, "ends with status %d after %lld ms", r,
              (long long)(clock_now_ms() - began));
    return r;
}
