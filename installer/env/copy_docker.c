/* SPDX-License-Identifier: MIT */
/* Copies through the Engine API, as archives: all that one instance gets or gives with a few
 * commands in it, because Docker takes longer to begin one than most of them take. */
#include <stdlib.h>
#include <string.h>

#include "base/embed.h"
#include "base/mem.h"
#include "crypto/crypto.h"
#include "engine/untar.h"
#include "env/copy_item.h"
#include "env/copy_load.h"
#include "env/instances.h"

struct batch {
    struct copy_item *const *items;
    size_t count;
    struct engine *g;
    const char *id;
    char *stage; /* our folder in the container; the items lie in it by their numbers */
    int64_t deadline;
};

enum { SAID_MAX = 2 << 20, PUT_BYTES = 16 << 20, CLEAN_MS = 10000 };

/*
 * Docker's archives do not see what is mounted in memory (/run, /tmp): they read and write below
 * it. So everything goes through a folder of ours in the container's own layer, and a command there
 * copies between that and where it is.
 */
#define STAGE "/.slipway-copy"

EMBED_TEXT(copy_inside_script, "installer/env/copy_inside.sh");

/* ---- all of a batch ---- */

static bool is_open(const struct batch *b, size_t i)
{
    return copy_is_well(b->items[i]);
}

static bool is_any_open(const struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (is_open(b, i))
            return true;
    return false;
}

static void fail(struct batch *b, const struct err *e)
{
    for (size_t i = 0; i < b->count; i++)
        if (is_open(b, i))
            b->items[i]->result->error = *e;
}

/* Does what the script does for `verb`, with these words; they begin with our folder there unless
 * `verb` needs none. */
static int inside(char **said, const struct batch *b, const char *verb, const struct strv *words,
                  struct err *e)
{
    auto_strv struct strv argv = strv_of("/bin/sh", "-c", copy_inside_script, "sh", verb);
    auto_buf struct buf out = {0}, errors = {0};
    struct engine_exec x = {.out = &out, .err = &errors, .deadline = b->deadline};
    int status;

    strv_add_all(&argv, words);
    x.argv = (const char *const *)argv.items;
    buf_init(&out, SAID_MAX);
    buf_init(&errors, SAID_MAX);
    if (engine_exec_run(&status, b->g, b->id, &x, e) < 0)
        return -1;
    if (status != 0)
        return err_set(e, ERR_REMOTE, "%.*s", (int)strcspn(buf_str(&errors), "\n"),
                       errors.len ? buf_str(&errors) : "the command in the container failed");
    *said = buf_take(&out);
    return 0;
}

/* ---- what is there ---- */

static int probe(struct batch *b, struct err *e)
{
    auto_strv struct strv paths = {0}, lines = {0};
    auto_free char *said = NULL;

    for (size_t i = 0; i < b->count; i++)
        strv_add(&paths, b->items[i]->up ? b->items[i]->to : b->items[i]->from);
    if (inside(&said, b, "probe", &paths, e) < 0)
        return -1;
    strv_split(&lines, said, "\n");
    if (lines.count != b->count)
        return err_set(e, ERR_REMOTE, "it does not say what is there");
    for (size_t i = 0; i < b->count; i++) {
        struct copy_item *it = b->items[i];
        auto_free char *line = mem_printf("%s\n", lines.items[i]);

        it->there = copy_kind_of(&it->mode, line);
        copy_decide(it, &it->result->error);
    }
    return 0;
}

/* ---- what the line for each says ---- */

static void take_line(struct batch *b, bool *well, const char *line)
{
    char *rest;
    size_t i = strtoul(line, &rest, 10);
    struct copy_result *r;

    if (i >= b->count)
        return;
    r = b->items[i]->result;
    if (strcmp(rest, " ok") == 0)
        well[i] = true;
    else if (strncmp(rest, " failed ", 8) == 0 && rest[8] && is_open(b, i))
        err_set(&r->error, ERR_REMOTE, "%s", rest + 8);
    else if (strncmp(rest, " left ", 6) == 0)
        copy_left_add(&r->left, rest + 6);
    else if (strncmp(rest, " count ", 7) == 0)
        r->left.count = strtoul(rest + 7, NULL, 10);
}

static int each(struct batch *b, const char *verb, struct err *e)
{
    auto_strv struct strv words = {0}, lines = {0};
    auto_free bool *well = mem_array(b->count, sizeof(*well));
    auto_free char *said = NULL;

    strv_add(&words, b->stage);
    for (size_t i = 0; i < b->count; i++)
        if (is_open(b, i)) {
            strv_addf(&words, "%zu", i);
            strv_add(&words, b->items[i]->up ? b->items[i]->target : b->items[i]->from);
        }
    if (words.count == 1)
        return 0;
    if (inside(&said, b, verb, &words, e) < 0)
        return -1;
    strv_split(&lines, said, "\n");
    for (size_t i = 0; i < lines.count; i++)
        take_line(b, well, lines.items[i]);
    for (size_t i = 0; i < b->count; i++)
        if (is_open(b, i) && !well[i])
            err_set(&b->items[i]->result->error, ERR_REMOTE, "the command in the container failed");
    return 0;
}

/* ---- into the container ---- */

/* Those from `first` on, up to `most` of them and as many as fit well into memory. Returns where it
 * stopped. -1 in *r: the archive was not taken. */
static size_t put_some(int *r, struct batch *b, size_t first, size_t most, struct err *e)
{
    struct copy_load l = {0};
    size_t i;

    for (i = first; i < b->count && i - first < most && l.bytes < PUT_BYTES; i++) {
        struct copy_result *result = b->items[i]->result;
        auto_free char *as = mem_printf("%s/%zu", b->stage, i);
        uint64_t before = l.bytes;

        if (!is_open(b, i))
            continue;
        copy_load_add(&l, &result->left, b->items[i]->from, as, &result->error);
        result->bytes = l.bytes - before;
    }
    *r = l.count ? engine_container_put(b->g, b->id, l.files, l.count, e) : 0;
    copy_load_clear(&l);
    return i;
}

static void forget_left(struct copy_left *l)
{
    strv_clear(&l->names);
    l->count = 0;
}

static void put(struct batch *b)
{
    struct err e;
    int r;

    for (size_t i = 0, next; i < b->count; i = next) {
        next = put_some(&r, b, i, b->count, &e);
        for (size_t k = i; r < 0 && k < next; k++) { /* one may be the reason, and is named then */
            int alone = -1;

            if (!is_open(b, k))
                continue;
            forget_left(&b->items[k]->result->left);
            if (next - i > 1)
                put_some(&alone, b, k, 1, &e);
            if (alone < 0)
                b->items[k]->result->error = e;
        }
    }
    if (each(b, "in", &e) < 0)
        fail(b, &e);
}

/* ---- out of it ---- */

static int on_piece(void *arg, const char *p, size_t len, struct err *e)
{
    return untar_feed(arg, p, len, e);
}

static int get_one(struct batch *b, size_t i, struct err *e)
{
    struct copy_item *it = b->items[i];
    auto_free char *path = mem_printf("%s/%zu", b->stage, i);
    struct untar *u;
    int r;

    if (copy_tree_open(&it->tree, it->target, e) < 0)
        return -1;
    u = untar_new(it->tree.fd, COPY_TREE_NAME);
    r = engine_container_get(
        b->g, b->id,
        &(struct engine_get){.path = path, .chunk = on_piece, .arg = u, .deadline = b->deadline},
        e);
    if (r == 0)
        r = untar_end(u, e);
    it->result->bytes = untar_bytes(u);
    untar_free(u);
    if (r == 0)
        r = copy_tree_move(&it->tree, it->target, e);
    copy_tree_close(&it->tree);
    return r;
}

static void get(struct batch *b)
{
    struct err e;

    if (each(b, "out", &e) < 0)
        fail(b, &e);
    for (size_t i = 0; i < b->count; i++)
        if (is_open(b, i))
            get_one(b, i, &b->items[i]->result->error);
}

/* ---- both ---- */

static int begin(struct batch *b, struct env *env, struct err *e)
{
    const char *instance = b->items[0]->result->instance;
    uint64_t number;

    if (instances_running(NULL, &b->id, env, instance, e) < 0 ||
        crypto_random(&number, sizeof(number), e) < 0)
        return -1;
    b->stage = mem_printf(STAGE ".%016llx", (unsigned long long)number);
    return probe(b, e);
}

static void clean(struct batch *b)
{
    auto_strv struct strv words = strv_of(b->stage);
    auto_free char *said = NULL;
    struct err e;

    /* Also after an interrupt and a deadline. */
    b->deadline = clock_deadline(CLEAN_MS);
    engine_set_until(b->g, until_in(CLEAN_MS, NULL));
    if (inside(&said, b, "clean", &words, &e) < 0)
        err_drop(&e, "removing our folder in the container");
}

void copy_docker(struct copy_item *const *items, size_t count, struct env *env, struct engine *g)
{
    struct batch b = {
        .items = items, .count = count, .g = g, .deadline = env_deadline(env, COPY_TIMEOUT_MS)};
    struct err e;

    if (begin(&b, env, &e) < 0) {
        fail(&b, &e);
    } else if (is_any_open(&b)) {
        for (size_t i = 0; i < count; i++)
            if (is_open(&b, i))
                items[i]->result->via = "docker";
        if (items[0]->up)
            put(&b);
        else
            get(&b);
        clean(&b);
    }
    free(b.stage);
}
