/* SPDX-License-Identifier: MIT */
#include "env/document.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "model/edits.h"
#include "model/keys.h"
#include "plan/document.h"
#include "volumes/volume.h"

/* ---- load and adopt ---- */

/* *out stays NULL when the environment was never made here. */
static int load_known(struct node **out, struct env *env, const struct err *away, struct err *e)
{
    struct edits_document d = {0};
    int r = -1;

    if (away)
        *e = *away;
    else
        r = edits_document_read(&d, env->etcd, env->name, env->catalog, e);
    if (r == 0)
        *out = steal(d.document);
    edits_document_clear(&d);
    if (r == 0)
        return 0;
    if (e->code == ERR_AUTH)
        return -1;
    if (e->code != ERR_NOTFOUND)
        log_warn("etcd does not answer, the operator's copy of the document counts: %s", e->msg);
    return document_load(out, env->folder, e) < 0 && e->code != ERR_NOTFOUND ? -1 : 0;
}

/* ---- decode ---- */

static int decode(struct spec **out, struct env *env, const struct node *document, const char *what,
                  struct err *e)
{
    struct problems p;

    problems_init(&p, what);
    *out = spec_decode(document, env->catalog, &p);
    if (!*out)
        env_refuse(env, &p, what, e);
    problems_clear(&p);
    return *out ? 0 : -1;
}

int env_document_decode(struct spec **out, const struct env *env, const struct node *document,
                        const char *what, struct err *e)
{
    struct problems p;
    int r;

    problems_init(&p, what);
    *out = spec_decode(document, env->catalog, &p);
    r = *out ? 0 : problems_result(&p, e);
    problems_clear(&p);
    return r;
}

static int load_path(struct env *env, const char *path, struct err *e)
{
    struct problems p;

    problems_init(&p, path);
    env->spec = spec_load(path, env->catalog, &p);
    if (!env->spec)
        env_refuse(env, &p, path, e);
    problems_clear(&p);
    if (env->spec && env->name && strcmp(env->name, env->spec->name) != 0)
        return err_set(e, ERR_USAGE, "%s describes the environment %s, not %s", path,
                       env->spec->name, env->name);
    return env->spec ? 0 : -1;
}

int env_document_load_file(struct env *env, struct err *e)
{
    return load_path(env, env->o.file, e);
}

int env_document_load_known(struct env *env, const struct err *away, struct err *e)
{
    auto_node struct node *document = NULL;

    if (load_known(&document, env, away, e) < 0)
        return -1;
    if (document)
        return decode(&env->spec, env, document, "the document of the environment", e);
    if (strcmp(env->name, "demo") != 0)
        return err_set(e, ERR_NOTFOUND,
                       "environment %s is not known here; name its file with --file", env->name);
    return load_path(env, env->o.paths->demo, e);
}

/* ---- under the lock ---- */

/* The operator's copy as it was before this run wrote its own. */
static int kept(const struct node **out, struct env *env, struct err *e)
{
    if (!env->kept && document_load(&env->kept, env->folder, e) < 0 && e->code != ERR_NOTFOUND)
        return -1;
    *out = env->kept;
    return 0;
}

/* What the document has to be when `old` is in force. *out is owned; NULL: as env->spec has it. */
static void join(struct node **out, const struct env *env, const struct node *old)
{
    auto_node struct node *document = node_copy(env->o.file || !old ? env->spec->document : old);

    if (env->o.file && old)
        volume_keep(document, env->spec, old);
    if (!node_equal(document, env->spec->document))
        *out = steal(document);
}

/* The document of env->spec joined with `old` (NULL: there is none), as env->settled where that
 * differs. */
static int settle(const struct spec **spec, struct env *env, const struct node *old, struct err *e)
{
    auto_node struct node *document = NULL;

    join(&document, env, old);
    if (document) {
        spec_free(env->settled);
        env->settled = NULL;
        if (decode(&env->settled, env, document, "the document with the volumes that there are",
                   e) < 0)
            return -1;
        *spec = env->settled;
    }
    return env->o.file && old ? volume_refuse_loss((*spec)->document, *spec, old, e) : 0;
}

/* Whether nobody changed the document since it was seen. */
static int check_expected(const struct env *env, const struct etcd_kvs *keys,
                          const struct etcd_kv *kv, struct err *e)
{
    if (env->expected == 0 || (kv && kv->mod_revision == env->expected))
        return 0;
    return err_set(e, keys ? ERR_CONFLICT : ERR_NET,
                   keys ? "the document was changed by someone else meanwhile; look at it again"
                        : "etcd does not answer, which knows whether the document was changed");
}

int env_finalize(void *arg, const struct spec **spec, const struct etcd_kvs *keys, struct err *e)
{
    struct env *env = arg;
    auto_free char *key = keys_spec(env->spec->name);
    const struct etcd_kv *kv = keys ? etcd_kvs_find(keys, key) : NULL;
    struct edits_document d = {0};
    const struct node *old = NULL;
    int r;

    *spec = env->spec;
    if (check_expected(env, keys, kv, e) < 0)
        return -1;
    if (!kv && !env->o.file)
        return 0;
    r = kv ? edits_document_parse(&d, kv, keys, env->name, env->catalog, e) : kept(&old, env, e);
    if (r == 0)
        r = settle(spec, env, kv ? d.document : old, e);
    edits_document_clear(&d);
    return r;
}
