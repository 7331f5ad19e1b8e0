/* SPDX-License-Identifier: MIT */
#include "agent/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"

enum { FILE_MAX = 64 << 10, EARLY_MS = 60 * 1000, ROW_IS_LOOP = 3 };
enum { NEWS_MS = 24 * 3600 * 1000 };

/* Data root of the instance, borrowed, or NULL. */
static const char *data_dir(const struct options *o, const struct manifest *m)
{
    return o->data_dir ? o->data_dir : m->data_root;
}

static char *keep_dir(const struct options *o, const struct manifest *m)
{
    const char *data = data_dir(o, m);

    return data ? fs_join(data, ".slipway") : mem_strdup(o->state_dir);
}

char *keep_path(const struct options *o, const struct manifest *m, const char *name)
{
    auto_free char *dir = keep_dir(o, m);

    return fs_join(dir, name);
}

int keep_make(const struct options *o, const struct manifest *m, struct err *e)
{
    const char *data = data_dir(o, m);
    auto_free char *dir = keep_dir(o, m);

    if (data && !fs_exists(data))
        return err_set(e, ERR_NOTFOUND, "there is no %s", data);
    return fs_mkdirs(dir, 0700, e);
}

/* Docker makes the folders that further volumes are mounted on. */
static bool is_volume(const struct manifest *m, const char *name)
{
    long n = strtol(name, NULL, 10);
    auto_free char *number = mem_printf("%ld", n);

    return n >= 2 && n <= m->data_volumes_max && strcmp(name, number) == 0;
}

bool keep_data_is_empty(const struct options *o, const struct manifest *m)
{
    auto_strv struct strv names = {0};
    const char *data = data_dir(o, m);
    struct err e;

    if (!data)
        return false;
    if (fs_list(&names, data, &e) < 0) {
        err_drop(&e, "whether there is data");
        return false;
    }
    for (size_t i = 0; i < names.count; i++)
        if (strcmp(names.items[i], "lost+found") != 0 && !is_volume(m, names.items[i]))
            return false;
    return true;
}

static int write_text(const char *path, const struct node *n, struct err *e)
{
    auto_free char *text = json_text(n);

    return fs_write(path, text, strlen(text),
                    &(struct fs_write_opts){.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1}, e);
}

/* NULL when there is none. Owned. */
static struct node *read_text(const char *path)
{
    auto_free char *text = NULL;
    struct node *n = NULL;
    size_t len = 0;
    struct err e;

    if (fs_read(&text, &len, path, FILE_MAX, &e) < 0 || json_parse(&n, path, text, len, &e) < 0) {
        if (e.code != ERR_NOTFOUND)
            log_warn("%s", e.msg);
        return NULL;
    }
    return n;
}

/* ---- refused ---- */

void keep_refuse(struct keep_refusal *r, const struct manifest *m, struct config_version refused,
                 struct config_version good)
{
    struct config_diff changes;

    config_compare(&changes, m, good, refused);
    if (changes.live) /* it may be that: with another value it is another configuration */
        tree_hash(r->hash, refused.tree);
    else
        config_start_hash(r->hash, m, refused);
    config_diff_clear(&changes);
    r->asked = refused.tree->asked;
}

bool keep_is_refused(const struct keep_refusal *r, const struct manifest *m,
                     struct config_version s)
{
    char start[65], whole[65];

    if (!r->error || s.tree->asked != r->asked)
        return false;
    config_start_hash(start, m, s);
    tree_hash(whole, s.tree);
    return strcmp(start, r->hash) == 0 || strcmp(whole, r->hash) == 0;
}

void keep_refusal_clear(struct keep_refusal *r)
{
    free(r->error);
    *r = (struct keep_refusal){0};
}

int keep_refusal_save(const struct keep_refusal *r, const char *path, struct err *e)
{
    auto_node struct node *n = node_new_map();

    if (!r->error) {
        unlink(path);
        return 0;
    }
    node_set_text(n, "hash", r->hash);
    node_set_int(n, "asked", r->asked);
    node_set_text(n, "error", r->error);
    return write_text(path, n, e);
}

void keep_refusal_load(struct keep_refusal *r, const char *path)
{
    auto_node struct node *n = read_text(path);
    const char *hash = node_get_text(n, "hash"), *error = node_get_text(n, "error");

    *r = (struct keep_refusal){0};
    if (!hash || !error)
        return;
    snprintf(r->hash, sizeof(r->hash), "%s", hash);
    r->asked = node_get_int(n, "asked", 0);
    r->error = mem_strdup(error);
}

/* ---- ends ---- */

void keep_end_add(struct keep_end *k, int64_t lived_ms, const char *text)
{
    free(k->text);
    k->row = lived_ms < EARLY_MS ? k->row + 1 : 0;
    k->lived_ms = lived_ms;
    k->at_ms = clock_wall_ms();
    k->text = mem_strdup(text);
}

int64_t keep_end_settle_ms(const struct keep_end *k)
{
    return k->row < ROW_IS_LOOP ? 0 : 2 * k->lived_ms < EARLY_MS ? 2 * k->lived_ms : EARLY_MS;
}

void keep_end_clear(struct keep_end *k)
{
    free(k->text);
    *k = (struct keep_end){0};
}

int keep_end_save(const struct keep_end *k, const char *path, struct err *e)
{
    auto_node struct node *n = node_new_map();

    node_set_int(n, "row", k->row);
    node_set_int(n, "lived_ms", k->lived_ms);
    node_set_int(n, "at", k->at_ms);
    node_set_text(n, "text", k->text ? k->text : "");
    return write_text(path, n, e);
}

void keep_end_load(struct keep_end *k, const char *path)
{
    auto_node struct node *n = read_text(path);
    int64_t row = node_get_int(n, "row", 0);
    const char *text = node_get_text(n, "text");

    *k = (struct keep_end){.row = row > 0 && row < 1000000 ? (unsigned)row : 0,
                           .lived_ms = node_get_int(n, "lived_ms", 0),
                           .at_ms = node_get_int(n, "at", 0)};
    if (k->lived_ms < 0)
        k->lived_ms = 0;
    if (text && *text && clock_wall_ms() - k->at_ms < NEWS_MS)
        k->text = mem_strdup(text);
}
