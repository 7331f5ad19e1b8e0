/* SPDX-License-Identifier: MIT */
#include "plan/connect.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/keys.h"
#include "plan/object.h"

static void add_endpoints(struct link *l, const struct node *containers)
{
    const struct node *c;

    node_for_each (c, containers) {
        const char *component = object_label(c, LABEL_COMPONENT);
        const char *address = object_label(c, LABEL_ADDRESS);
        const char *state = node_get_text(c, "State"); /* a body that is only desired has none */

        if (!component || strcmp(component, ETCD_COMPONENT) != 0 || !address ||
            object_is_aside(c) || (state && strcmp(state, "running") != 0) ||
            l->endpoint_count == LINK_ENDPOINTS_MAX)
            continue;
        l->endpoints[l->endpoint_count].host = mem_strdup(address);
        l->endpoints[l->endpoint_count++].port = 2379;
    }
}

static int by_host(const void *a, const void *b)
{
    const struct link_endpoint *x = a, *y = b;

    return strcmp(x->host, y->host);
}

/* When etcd refuses root although the key is the right one, somebody changed the login, and only
 * who knows what to can change it back. NULL: the key is another one's. */
static char *refused_hint(const struct node *containers, const struct env_key *key)
{
    const struct node *c;

    node_for_each (c, containers) {
        const char *component = object_label(c, LABEL_COMPONENT);
        const struct node *names = node_get(c, "Names");

        if (component && strcmp(component, ETCD_COMPONENT) == 0 && object_is_ours(c, key->uuid) &&
            !object_is_aside(c) && names && names->count)
            return mem_printf("its password was changed in etcd: `docker exec -e "
                              "ETCDCTL_USER=root:PASSWORD %s sh -c 'etcdctl user passwd root "
                              "--interactive=false </run/slipway/secrets/root_password'`, with the "
                              "PASSWORD that it has now, sets it back",
                              names->items[0]->text + 1);
    }
    return NULL;
}

static int make_link(struct link **out, const struct node *containers, const char *env,
                     const struct env_key *key, const char *user, struct err *e)
{
    struct link *l = mem_alloc(sizeof(*l));
    char pin[64];

    l->tls = true;
    l->user = mem_strdup(user);
    l->password = secret_password(key, user, 1);
    l->prefix = keys_link_prefix(env, strcmp(user, "root") == 0 ? NULL : user);
    add_endpoints(l, containers);
    if (l->endpoint_count == 0) {
        link_free(l);
        return err_set(e, ERR_NOTFOUND,
                       "no etcd of environment %s runs; `slipway -e %s up` starts it", env, env);
    }
    qsort(l->endpoints, l->endpoint_count, sizeof(l->endpoints[0]), by_host);
    if (secret_pin(pin, key, e) < 0) {
        link_free(l);
        return -1;
    }
    l->pin = mem_strdup(pin);
    if (strcmp(user, "root") == 0)
        l->refused_hint = refused_hint(containers, key);
    *out = l;
    return 0;
}

int connect_root_link(struct link **out, const struct node *containers, const char *env,
                      const struct env_key *key, struct err *e)
{
    return make_link(out, containers, env, key, "root", e);
}

int connect_link(char **text, const struct node *containers, const char *env,
                 const struct env_key *key, const char *user, struct err *e)
{
    struct link *l = NULL;

    if (make_link(&l, containers, env, key, user, e) < 0)
        return -1;
    *text = link_format(l, false);
    link_free(l);
    return 0;
}

int connect_etcd(struct etcd **out, const struct node *containers, const char *env,
                 const struct env_key *key, struct err *e)
{
    struct link *l = NULL;
    int r;

    if (make_link(&l, containers, env, key, "root", e) < 0)
        return -1;
    r = etcd_open(out, l, NULL, e);
    link_free(l);
    return r;
}

int connect_kept_etcd(struct etcd **kept, const struct node *containers, const char *env,
                      const struct env_key *key, struct err *e)
{
    struct link *l = NULL;
    int r = 0;

    if (make_link(&l, containers, env, key, "root", e) < 0)
        return -1;
    if (*kept && !etcd_is_at(*kept, l))
        etcd_close(steal(*kept));
    if (!*kept)
        r = etcd_open(kept, l, NULL, e);
    link_free(l);
    return r;
}
