/* SPDX-License-Identifier: MIT */
/* config edit: the target's configuration as YAML in an editor, again and again until it is valid.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cmd/config.h"
#include "cmd/foreground.h"
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

    buf_printf(b, "# Configuration of %s in %s. Lines with # are ignored.\n", target, s->x->env);
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

static int run_editor(const char *path, struct err *e)
{
    const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
    const char *program = visual && *visual ? visual : editor && *editor ? editor : "vi";
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

static int put_config(struct config_state *s, const char *text, struct problems *p, struct err *e)
{
    struct node *root = NULL, *map;

    if (yaml_parse(&root, "text", text, strlen(text), e) < 0) {
        problems_add(p, NULL, "%s", e->msg);
        return -1;
    }
    if (!root || root->kind == NODE_KIND_NULL) { /* only comments: nothing is given */
        node_free(root);
        root = node_new_map();
    }
    if (root->kind != NODE_KIND_MAP) {
        node_free(root);
        problems_add(p, NULL, "the text must be a map of keys");
        return err_set(e, ERR_CONFIG, "the text must be a map of keys");
    }
    map = config_map(s);
    while (map->count)
        node_remove(map, map->items[0]->key);
    for (size_t i = 0; i < root->count; i++)
        node_set(map, root->items[i]->key, node_copy(root->items[i]));
    node_free(root);
    return config_plan(s, p, e);
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

/* One turn: 1 when the user wants another one, 0 when the state is planned. */
static int turn(struct config_state *s, const char *path, struct buf *text, struct err *e)
{
    const struct fs_write_opts mode = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *edited = NULL;
    auto_buf struct buf clean = {0};
    struct problems p;
    int r;

    buf_init(&clean, TEXT_MAX);
    if (fs_write(path, buf_str(text), text->len, &mode, e) < 0 || run_editor(path, e) < 0 ||
        fs_read(&edited, NULL, path, TEXT_MAX, e) < 0)
        return -1;
    strip_errors(&clean, edited);
    problems_init(&p, "text");
    r = put_config(s, buf_str(&clean), &p, e);
    if (r < 0 && p.count > 0 && ask_again(&p)) {
        buf_reset(text);
        for (size_t i = 0; i < p.lines.count; i++)
            buf_printf(text, "#! %s\n", p.lines.items[i]);
        buf_puts(text, buf_str(&clean));
        r = 1;
    }
    problems_clear(&p);
    return r;
}

static int edit(struct config_state *s, struct err *e)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    auto_free char *dir =
        mem_printf("%s/slipway-edit.XXXXXX", runtime && *runtime ? runtime : "/tmp");
    auto_free char *path = NULL;
    auto_buf struct buf text = {0};
    struct err dropped;
    int r;

    buf_init(&text, TEXT_MAX);
    if (!mkdtemp(dir))
        return err_sys(e, "making %s", dir);
    path = fs_join(dir, "config.yaml");
    format_text(&text, s);
    do
        r = turn(s, path, &text, e);
    while (r == 1);
    if (fs_remove_tree(dir, &dropped) < 0)
        err_drop(&dropped, "removing the edited text");
    return r;
}

static int run(struct cmd_context *x, void *opts, const struct strv *operands, struct err *e)
{
    const struct edit_options *o = opts;
    struct config_state s;
    struct config_commit c = {
        .what = "config edit", .dry_run = o->dry_run, .lock_wait_ms = o->lock_wait_ms};
    int r = config_open(&s, x, operands->items[0], e);

    if (r == 0)
        r = edit(&s, e);
    if (r == 0) {
        /* People think longer than a call may take. */
        etcd_set_deadline(x->etcd, cmd_deadline(x, 10000));
        r = config_commit(&s, &c, e);
    }
    config_close(&s);
    return r;
}

const struct cmd cmd_config_edit = {
    .help = {.name = "config edit",
             .summary = "change a component's configuration in an editor",
             .args = "COMPONENT[/INSTANCE]",
             .details = "Opens $VISUAL, $EDITOR or vi. When something is wrong every problem is "
                        "listed and the text can be edited again; nothing is changed before all "
                        "of it is valid.",
             .options = options,
             .group = "Configuration"},
    .options_size = sizeof(struct edit_options),
    .needs = CMD_NEEDS_NAME | CMD_NEEDS_CATALOG | CMD_NEEDS_ETCD,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
