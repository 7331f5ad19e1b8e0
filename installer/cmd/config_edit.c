/* SPDX-License-Identifier: MIT */
/* config edit: the target's configuration as YAML in an editor, again and
 * again until it is valid. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env/config.h"
#include "cmd/foreground.h"
#include "cmd/config_print.h"
#include "cmd/out.h"
#include "conf/yaml.h"

enum { TEXT_MAX = 1 << 20 };

struct edit_options {
    bool dry_run;
    int64_t lock_wait_ms;
};

static const struct opt_spec options[] = {
    {"dry-run", 'n', OPT_FLAG, NULL, "check and show, change nothing",
     offsetof(struct edit_options, dry_run)},
    {"lock-wait", 0, OPT_DURATION, "TIME", "wait for another run that holds the lock",
     offsetof(struct edit_options, lock_wait_ms)},
    {0},
};

/* What is given, then every other key as a comment with its default. */
static void format_text(struct buf *b, struct config_state *s)
{
    auto_free char *target = config_target_text(&s->target);
    struct node *given = config_map(s);

    buf_printf(b, "# Configuration of %s in %s. Lines with # are ignored.\n", target, s->env->name);
    buf_puts(b, "# Save and leave the editor to apply; an unchanged text changes nothing.\n\n");
    if (given->count)
        yaml_format(b, given);
    buf_puts(b, "\n# Not given here:\n");
    for (size_t i = 0; i < s->manifest->config_count; i++) {
        const struct config_key *k = &s->manifest->config[i];
        auto_free char *text = k->fallback ? manifest_value_text(k->fallback) : NULL;

        if (!node_get(given, k->name))
            buf_printf(b, "# %s: %s   # %s\n", k->name, text ? text : "", k->help ? k->help : "");
    }
}

/* The one that the caller names; NULL: none. */
static const char *own_editor(void)
{
    const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");

    return visual && *visual ? visual : editor && *editor ? editor : NULL;
}

/* Without a terminal there is nobody before vi. A named editor may be a program that needs none. */
static int check(const struct cmd_context *x, const void *opts, const struct strv *operands,
                 struct err *e)
{
    (void)x, (void)opts, (void)operands;
    if (own_editor() || isatty(STDIN_FILENO))
        return 0;
    return err_set(e, ERR_USAGE,
                   "config edit needs a terminal, or an editor that needs none in VISUAL or "
                   "EDITOR; `slipway config set --help` says how to do without one");
}

static int run_editor(const char *path, struct err *e)
{
    const char *program = own_editor() ? own_editor() : "vi";
    auto_strv struct strv argv = {0};
    int status;

    /* "code --wait" is usual: words are divided, quoting is not understood. */
    strv_split(&argv, program, " ");
    strv_add(&argv, path);
    if (foreground_run(&status, &argv, e) < 0)
        return err_wrap(e, "the editor %s", program);
    return status == 0 ? 0
                       : err_set(e, ERR_INTERRUPTED,
                                 "the editor %s ended with status %d; nothing was changed", program,
                                 status);
}

/* The text without the comment lines that errors were put into. */
static void strip_errors(struct buf *b, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (strncmp(text, "#! ", 3) != 0) {
            buf_add(b, text, len);
            buf_putc(b, '\n');
        }
        text += len + (text[len] == '\n');
    }
}

static bool ask_again(const struct problems *p)
{
    char answer[16] = "";

    for (size_t i = 0; i < p->lines.count; i++)
        cmd_tell(p->lines.items[i]);
    if (!isatty(STDIN_FILENO))
        return false;
    fputs("Edit again? [Y/n] ", stderr);
    return out_ask(answer, sizeof(answer)) && answer[0] != 'n' && answer[0] != 'N';
}

/* The file that is edited, in a folder of its own. */
struct draft {
    char *dir, *path;
    bool written; /* somebody has put something into it */
};

/* One turn: 1 when the user wants another one, 0 when the state is planned. */
static int turn(struct config_edit_state *c, struct draft *d, struct buf *text, struct err *e)
{
    const struct fs_write_opts mode = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *edited = NULL;
    auto_buf struct buf clean = {0};
    struct problems p;
    struct err dropped;
    int r;

    buf_init(&clean, TEXT_MAX);
    if (fs_write(d->path, buf_str(text), text->len, &mode, e) < 0)
        return -1;
    r = run_editor(d->path, e);
    if (fs_read(&edited, NULL, d->path, TEXT_MAX, r < 0 ? &dropped : e) < 0)
        return -1;
    d->written = d->written || strcmp(edited, buf_str(text)) != 0;
    if (r < 0)
        return -1;
    strip_errors(&clean, edited);
    problems_init(&p, "text");
    r = config_edit_try(c, buf_str(&clean), &p, e);
    if (r < 0 && p.count > 0) {
        if (ask_again(&p)) {
            buf_reset(text);
            for (size_t i = 0; i < p.lines.count; i++)
                buf_printf(text, "#! %s\n", p.lines.items[i]);
            buf_puts(text, buf_str(&clean));
            r = 1;
        } else { /* they have been said one by one */
            err_set(e, ERR_CONFIG, "%zu problem%s; nothing was changed", p.count,
                    p.count == 1 ? "" : "s");
        }
    }
    problems_clear(&p);
    return r;
}

static int edit(struct config_edit_state *c, struct draft *d, struct err *e)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    auto_free char *dir =
        mem_printf("%s/slipway-edit.XXXXXX", runtime && *runtime ? runtime : "/tmp");
    auto_buf struct buf text = {0};
    int r;

    buf_init(&text, TEXT_MAX);
    if (!mkdtemp(dir))
        return err_sys(e, "making %s", dir);
    d->dir = steal(dir);
    d->path = fs_join(d->dir, "config.yaml");
    format_text(&text, &c->s);
    do
        r = turn(c, d, &text, e);
    while (r == 1);
    return r;
}

/* Nobody types a text twice: what did not come into effect is kept, and the error says where. */
static int end_draft(struct draft *d, int r, struct err *e)
{
    struct err dropped;

    if (r < 0 && d->written)
        err_wrap(e, "the text is kept in %s", d->path);
    else if (d->dir && fs_remove_tree(d->dir, &dropped) < 0)
        err_drop(&dropped, "removing the edited text");
    free(d->dir);
    free(d->path);
    return r;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct edit_options *o = opts;
    struct draft d = {0};
    struct config_edit_state c;
    struct config_commit commit = {
        .what = "config edit", .dry_run = o->dry_run, .lock_wait_ms = o->lock_wait_ms};
    int r = config_edit_open(&c, x->env, operands->items[0], e);

    if (r == 0)
        r = edit(&c, &d, e);
    if (r == 0)
        r = config_edit_store(&c, &commit, e);
    if (r == 0)
        config_say(x, &c.s);
    config_edit_close(&c);
    return end_draft(&d, r, e);
}

const struct cmd cmd_config_edit = {
    .help = {.name = "config edit",
             .summary = "change a component's configuration in an editor",
             .args = "COMPONENT[/INSTANCE]",
             .details =
                 "Opens $VISUAL, $EDITOR or vi; without a terminal only what VISUAL or EDITOR "
                 "names, which may be a program that edits by itself. When something is wrong "
                 "every problem is "
                 "listed and the text can be edited again; nothing is changed before all "
                 "of it is valid. A text that is given up, or that could not be stored, is "
                 "kept in a file.",
             .options = options,
             .group = "Configuration"},
    .options_size = sizeof(struct edit_options),
    .needs = ENV_NEEDS_NAME | ENV_NEEDS_CATALOG | ENV_NEEDS_ETCD,
    .min_operands = 1,
    .max_operands = 1,
    .check = check,
    .run = run,
};
