/* SPDX-License-Identifier: MIT */
#include "env/page.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/crypto.h"
#include "env/access.h"
#include "plan/object.h"

void page_clear(struct page *p)
{
    free(p->instance);
    free(p->url);
    *p = (struct page){0};
}

static const struct node *find_controller(const struct node *containers)
{
    const struct node *c;

    node_for_each (c, containers) {
        const char *component = object_label(c, LABEL_COMPONENT);

        if (component && strcmp(component, MANIFEST_CONTROLLER) == 0 && !object_is_aside(c))
            return c;
    }
    return NULL;
}

/* What is published on all addresses is on this machine's own, too. Owned; NULL: nowhere. */
static char *url_of(const struct node *container)
{
    const struct node *p;

    node_for_each (p, node_get(container, "Ports")) {
        const char *ip = node_get_text(p, "IP");
        int64_t port = node_get_int(p, "PublicPort", 0);

        if (!ip || !port)
            continue;
        if (strcmp(ip, "0.0.0.0") == 0)
            ip = "127.0.0.1";
        else if (strcmp(ip, "::") == 0)
            ip = "::1";
        return mem_printf(strchr(ip, ':') ? "https://[%s]:%" PRId64 "/" : "https://%s:%" PRId64 "/",
                          ip, port);
    }
    return NULL;
}

static int read_pin(char pin[64], const struct env *env, struct err *e)
{
    static const char *const names[] = {"DNS:localhost"};
    struct crypto_tls tls = {0};
    int r = crypto_tls_web(&tls, env->key.bytes, names, ARRAY_LEN(names), e);

    if (r == 0)
        memcpy(pin, tls.pin, sizeof(tls.pin));
    crypto_tls_clear(&tls);
    return r;
}

int page_find(struct page *out, struct env *env, struct err *e)
{
    auto_node struct node *containers = NULL;
    const struct node *c;

    *out = (struct page){0};
    if (object_containers(&containers, env->engine, env->key.uuid, e) < 0)
        return -1;
    c = find_controller(containers);
    if (!c)
        return err_set(e, ERR_NOTFOUND,
                       "environment %s has no page: add \"" MANIFEST_CONTROLLER
                       ": {instances: 1}\" under components",
                       env->name);
    out->instance = mem_strdup(object_label(c, LABEL_INSTANCE));
    out->url = url_of(c);
    if (!out->url)
        return err_set(e, ERR_NET, "%s does not run; `slipway -e %s start %s` starts it",
                       out->instance, env->name, out->instance);
    return read_pin(out->pin, env, e);
}

/* The containers may be those of before they were made, and the connection's deadline is that of
 * the verb before. */
static int open_etcd(struct env *env, struct err *e)
{
    etcd_close(steal(env->etcd));
    node_free(steal(env->containers));
    return env_need(env, ENV_NEEDS_NAME | ENV_NEEDS_ETCD, e);
}

int page_token(char **out, struct env *env, struct err *e)
{
    *out = NULL;
    return open_etcd(env, e) < 0 ? -1 : access_first_token(out, env, e);
}

int page_first_token(char **out, struct env *env, struct err *e)
{
    struct access known = {0};
    bool any;

    *out = NULL;
    if (open_etcd(env, e) < 0 || access_load(&known, env->etcd, env->name, e) < 0)
        return -1;
    any = known.user_count || known.token_count;
    access_clear(&known);
    return any ? 0 : access_first_token(out, env, e);
}
