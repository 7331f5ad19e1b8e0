/* SPDX-License-Identifier: MIT */
#include "engine/images.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/strv.h"
#include "crypto/crypto.h"
#include "engine/context.h"
#include "engine/distribution.h"
#include "engine/tag_lock.h"

enum { DIGITS = 16, BUILD_MS = 30 * 60 * 1000, DOCKERFILE_MAX = 1 << 20 };

#define HOME "usr/lib/slipway"
#define SHARE "usr/share/slipway"
#define SHARED "# shared: "

/* The three references of one component. */
struct chain {
    char *base, *engine, *component;
    char *engine_dir; /* where the engine image's Dockerfile is */
};

static void chain_clear(struct chain *ch)
{
    free(ch->base);
    free(ch->engine);
    free(ch->component);
    free(ch->engine_dir);
}

#define auto_chain __attribute__((cleanup(chain_clear)))

/* One build under way. */
struct job {
    struct engine *g;
    const struct images_opts *o;
    const struct images_component *c;
    struct engine_progress p;
};

/* "slipway/NAME:H", H over the context and what it stands on. */
static int make_ref(char **ref, const char *name, struct context *ctx, const char *below,
                    struct err *e)
{
    char hex[CRYPTO_HEX_LEN];

    if (context_hash(ctx, hex, e) < 0)
        return err_wrap(e, "image %s", name);
    auto_free char *both = mem_printf("%s %s", hex, below);
    crypto_sha256_hex(hex, both, strlen(both));
    *ref = mem_printf("slipway/%s:%.*s", name, DIGITS, hex);
    return 0;
}

/*
 * The context of a folder with a Dockerfile. A line `# shared: NAME` of that adds the folder
 * ../shared/NAME under the same path, for what several images hold.
 */
static int folder_context(struct context *ctx, const char *dir, struct err *e)
{
    auto_free char *dockerfile = fs_join(dir, "Dockerfile");
    auto_free char *text = NULL;
    auto_strv struct strv lines = {0};

    if (context_add_dir(ctx, dir, "", e) < 0 ||
        fs_read(&text, NULL, dockerfile, DOCKERFILE_MAX, e) < 0)
        return -1;
    strv_split(&lines, text, "\n");
    for (size_t i = 0; i < lines.count; i++) {
        if (strncmp(lines.items[i], SHARED, strlen(SHARED)) != 0)
            continue;
        const char *name = lines.items[i] + strlen(SHARED);
        auto_free char *from = mem_printf("%s/../shared/%s", dir, name);
        auto_free char *to = mem_printf("shared/%s", name);
        if (name[0] == '\0' || strchr(name, '/') || name[0] == '.')
            return err_set(e, ERR_CONFIG, "%s: \"%s\" names no folder", dockerfile, lines.items[i]);
        if (context_add_dir(ctx, from, to, e) < 0)
            return err_wrap(e, "%s", dockerfile);
    }
    return 0;
}

static int folder_ref(char **ref, const char *name, const char *dir, const char *below,
                      struct err *e)
{
    auto_context struct context *ctx = context_new();
    auto_free char *dockerfile = fs_join(dir, "Dockerfile");

    if (!fs_exists(dockerfile))
        return err_set(e, ERR_NOTFOUND, "image %s: there is no %s", name, dockerfile);
    if (folder_context(ctx, dir, e) < 0)
        return -1;
    return make_ref(ref, name, ctx, below, e);
}

/* The last layers: what changes most stands last. */
static char *tail_dockerfile(const char *engine)
{
    return mem_printf("FROM %s\n"
                      "COPY tree /\n"
                      "HEALTHCHECK --interval=30s --timeout=5s "
                      "CMD [\"/" HOME "/slipway-agent\", \"health\"]\n"
                      "ENTRYPOINT [\"/" HOME "/slipway-init\"]\n", /* unsets CMD too */
                      engine);
}

/* All that slipwayd makes images and plans of, so that it comes to the same as slipway, which built
 * its own: each component, and the components' images. */
static int controller_context(struct context *ctx, const struct images_opts *o, struct err *e)
{
    if (context_add_file(ctx, o->slipway, "tree/usr/bin/slipway", 0755, e) < 0 ||
        context_add_file(ctx, o->daemon, "tree/usr/bin/slipwayd", 0755, e) < 0 ||
        context_add_dir(ctx, o->dockerfiles, "tree/" SHARE "/dockerfiles", e) < 0 ||
        context_add_dir(ctx, o->steps, "tree/" SHARE "/scripts/host/steps", e) < 0)
        return -1;
    for (size_t i = 0; o->components && i < o->components->count; i++) {
        const char *dir = o->components->items[i];
        auto_free char *to = fs_join("tree/" SHARE "/components", fs_basename(dir));

        if (context_add_dir(ctx, dir, to, e) < 0)
            return -1;
    }
    return 0;
}

static int tail_context(struct context *ctx, const struct images_opts *o,
                        const struct images_component *c, const char *engine, struct err *e)
{
    auto_free char *dockerfile = tail_dockerfile(engine);

    context_add_text(ctx, "Dockerfile", dockerfile, 0644);
    if (c->is_controller && controller_context(ctx, o, e) < 0)
        return -1;
    return context_add_dir(ctx, c->dir, "tree/" HOME "/component", e);
}

int images_prepare(struct images_opts *o, struct err *e)
{
    auto_context struct context *ctx = context_new();

    if (context_add_file(ctx, o->init, "init", 0755, e) < 0 ||
        context_add_file(ctx, o->agent, "agent", 0755, e) < 0)
        return -1;
    return context_hash(ctx, o->programs, e);
}

static int find_engine(struct chain *ch, const struct images_opts *o,
                       const struct images_component *c, struct err *e)
{
    const char *image = c->image ? c->image : "base";
    auto_free char *base_dir = fs_join(o->dockerfiles, "base");
    auto_free char *own = fs_join(c->dir, "Dockerfile");

    if (folder_ref(&ch->base, "engine-base", base_dir, o->base, e) < 0)
        return -1;
    bool has_own = fs_exists(own);
    if (!has_own && strcmp(image, "base") == 0) {
        ch->engine = mem_strdup(ch->base);
        ch->engine_dir = steal(base_dir);
        return 0;
    }
    auto_free char *name = mem_printf("engine-%s", has_own ? c->name : image);
    ch->engine_dir = has_own ? mem_strdup(c->dir) : fs_join(o->dockerfiles, image);
    return folder_ref(&ch->engine, name, ch->engine_dir, ch->base, e);
}

static int find_chain(struct chain *ch, const struct images_opts *o,
                      const struct images_component *c, struct err *e)
{
    struct images_opts fresh = *o;
    auto_context struct context *ctx = context_new();

    if (fresh.programs[0] == '\0' && images_prepare(&fresh, e) < 0)
        return -1;
    if (find_engine(ch, o, c, e) < 0 || tail_context(ctx, o, c, ch->engine, e) < 0)
        return -1;
    return make_ref(&ch->component, c->name, ctx, fresh.programs, e);
}

int images_ref(char **ref, const struct images_opts *o, const struct images_component *c,
               struct err *e)
{
    auto_chain struct chain ch = {0};

    *ref = NULL;
    if (find_chain(&ch, o, c, e) < 0)
        return -1;
    *ref = steal(ch.component);
    return 0;
}

int images_engine_ref(char **ref, const struct images_opts *o, const struct images_component *c,
                      struct err *e)
{
    auto_chain struct chain ch = {0};

    *ref = NULL;
    if (find_engine(&ch, o, c, e) < 0)
        return -1;
    *ref = steal(ch.engine);
    return 0;
}

/* One image of the chain. below NULL: the distribution; dir NULL: the component's tail. */
struct step {
    const char *ref, *below, *dir;
};

static int build_folder(const struct job *j, const struct step *s, const char *below, struct err *e)
{
    auto_context struct context *ctx = context_new();
    auto_close int fd = -1;
    /* Proxies are in no hash and, being arguments that Docker knows, in no history: another proxy
     * makes no other image. */
    auto_node struct node *args = j->o->proxies ? node_copy(j->o->proxies) : node_new_map();
    auto_node struct node *labels = node_new_map();
    const char *colon = strchr(s->ref, ':');
    auto_free char *name = mem_strndup(s->ref, (size_t)(colon - s->ref));

    if (folder_context(ctx, s->dir, e) < 0 || context_write(ctx, j->o->temp_dir, &fd, e) < 0)
        return -1;
    node_set_text(args, "BASE", below);
    node_set_text(labels, "slipway.image", fs_basename(name));
    node_set_text(labels, "slipway.context", colon + 1);
    struct engine_build b = {
        .tag = s->ref, .context_fd = fd, .args = args, .labels = labels, .progress = j->p};
    return engine_image_build(j->g, &b, e);
}

static int build_tail(const struct job *j, const struct step *s, struct err *e)
{
    auto_context struct context *ctx = context_new();
    auto_close int fd = -1;
    auto_free char *plain = tail_dockerfile(s->below);
    /* One line, because the builder makes a container for each. */
    auto_free char *text = mem_printf("%sLABEL slipway.image=\"%s\" slipway.context=\"%s\"\n",
                                      plain, j->c->name, strchr(s->ref, ':') + 1);

    if (tail_context(ctx, j->o, j->c, s->below, e) < 0 ||
        context_add_file(ctx, j->o->init, "tree/" HOME "/slipway-init", 0755, e) < 0 ||
        context_add_file(ctx, j->o->agent, "tree/" HOME "/slipway-agent", 0755, e) < 0)
        return -1;
    context_add_text(ctx, "Dockerfile", text, 0644);
    if (context_write(ctx, j->o->temp_dir, &fd, e) < 0)
        return -1;
    struct engine_build b = {.tag = s->ref, .context_fd = fd, .progress = j->p};
    return engine_image_build(j->g, &b, e);
}

static int build_locked(const struct job *j, const struct step *s, struct err *e)
{
    auto_free char *distribution = NULL;

    if (!s->dir)
        return build_tail(j, s, e);
    if (!s->below && distribution_ensure(&distribution, j->g, j->o, &j->p, e) < 0)
        return -1;
    return build_folder(j, s, s->below ? s->below : distribution, e);
}

/* Unless it is there, or another run has just built it. */
static int ensure(const struct job *j, const struct step *s, struct err *e)
{
    int there = engine_image_has(j->g, s->ref, e);

    if (there != 0)
        return there < 0 ? -1 : 0;
    struct tag_lock lock = {0};
    if (tag_lock_take(&lock, s->ref, j->o->temp_dir,
                      until_before(engine_until(j->g), j->p.deadline), e) < 0)
        return -1;
    there = engine_image_has(j->g, s->ref, e);
    int r = there < 0 ? -1 : there > 0 ? 0 : build_locked(j, s, e);
    tag_lock_release(&lock);
    return r;
}

int images_build(struct engine *g, const struct images_opts *o, const struct images_component *c,
                 const struct engine_progress *p, struct err *e)
{
    auto_chain struct chain ch = {0};
    struct job j = {.g = g, .o = o, .c = c, .p = {.deadline = clock_deadline(BUILD_MS)}};

    if (p)
        j.p = *p;
    if (find_chain(&ch, o, c, e) < 0)
        return -1;
    auto_free char *base_dir = fs_join(o->dockerfiles, "base");
    const struct step steps[] = {
        {.ref = ch.base, .below = NULL, .dir = base_dir},
        {.ref = ch.engine, .below = ch.base, .dir = ch.engine_dir},
        {.ref = ch.component, .below = ch.engine, .dir = NULL},
    };
    /* From the top down to what is there, then up again: a change of code asks for one image. */
    size_t i = ARRAY_LEN(steps);
    int there = 0;
    while (i > 0 && (there = engine_image_has(g, steps[i - 1].ref, e)) == 0)
        i--;
    for (; there >= 0 && i < ARRAY_LEN(steps); i++)
        if (ensure(&j, &steps[i], e) < 0)
            return -1;
    if (there < 0)
        return -1;
    auto_free char *repo = mem_printf("slipway/%s", c->name);
    return engine_image_tag(g, ch.component, repo, "latest", e);
}

int images_list(struct node **out, struct engine *g, struct err *e)
{
    return engine_image_list(out, g, "slipway.image", e);
}
