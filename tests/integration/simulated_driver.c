/* SPDX-License-Identifier: MIT */
/*
 * An environment none of whose containers exist, for a server that is to see many of them
 * (scripts/dev/bench/controller.sh): HOME gets its key, OUT the list of containers for
 * simulated_docker.py and what an etcd at ADDRESS port 2379 needs; `fill` then puts into that etcd
 * what there would be of an environment that is up and well.
 *
 *   simulated_driver make|fill HOME CATALOG DOCUMENT ADDRESS OUT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"
#include "crypto/crypto.h"
#include "model/applied.h"
#include "model/keys.h"
#include "plan/desired.h"
#include "plan/object.h"

struct simulated {
    const char *address, *out;
    struct catalog *catalog;
    struct spec *spec;
    struct env_key key;
    struct node *images;
    struct observed *nothing;
    struct desired *desired;
};

static int write_text(const char *folder, const char *name, const char *text, struct err *e)
{
    auto_free char *path = fs_join(folder, name);

    return fs_write(path, text, strlen(text), &(struct fs_write_opts){0600, -1, -1}, e);
}

static int load(struct simulated *s, char *const *argv, struct err *e)
{
    const char *const dirs[] = {"components", argv[3]};
    auto_free char *folder = NULL;
    struct problems p;

    problems_init(&p, argv[4]);
    if (catalog_load(&s->catalog, dirs, ARRAY_LEN(dirs), &p) == 0)
        s->spec = spec_load(argv[4], s->catalog, &p);
    if (!s->spec)
        err_set(e, ERR_CONFIG, "%s", p.lines.count ? p.lines.items[0] : "no document");
    problems_clear(&p);
    if (!s->spec)
        return -1;
    s->address = argv[5];
    s->out = argv[6];
    folder = fs_join(argv[2], s->spec->name);
    s->images = node_new_map();
    for (size_t i = 0; i < s->spec->component_count; i++) {
        const char *name = s->spec->components[i].manifest->name;
        auto_free char *image = mem_printf("slipway/%s:0123456789abcdef", name);

        node_set_text(s->images, name, image);
    }
    s->nothing = mem_alloc(sizeof(*s->nothing));
    return fs_mkdirs(folder, 0700, e) < 0 || fs_mkdirs(s->out, 0700, e) < 0 ||
                   secret_make_key(&s->key, folder, NULL, e) < 0 ||
                   desired_build(&s->desired,
                                 &(struct desired_opts){.spec = s->spec,
                                                        .key = &s->key,
                                                        .folder = folder,
                                                        .images = s->images,
                                                        .observed = s->nothing},
                                 e) < 0
               ? -1
               : 0;
}

/* ---- make ---- */

static int write_tls(const struct simulated *s, struct err *e)
{
    auto_free char *san = mem_printf("IP:%s", s->address);
    const char *const sans[] = {san};
    struct crypto_tls tls = {0};
    int r = crypto_tls_make(&tls, s->key.bytes, sans, ARRAY_LEN(sans), e);

    if (r == 0)
        r = write_text(s->out, "key.pem", tls.key_pem, e);
    if (r == 0)
        r = write_text(s->out, "cert.pem", tls.cert_pem, e);
    crypto_tls_clear(&tls);
    return r;
}

/* The body of each create call, with its name; of etcd with the address at which it is. */
static int write_containers(const struct simulated *s, struct err *e)
{
    auto_node struct node *list = node_new_list();
    auto_free char *text = NULL;

    for (size_t i = 0; i < s->desired->count; i++) {
        const struct desired_instance *it = &s->desired->items[i];
        struct node *c = node_add(list, node_copy(it->body));

        node_set_text(c, "Name", it->container);
        node_set_text(c, "Network", s->desired->network);
        if (strcmp(it->component->manifest->name, ETCD_COMPONENT) == 0)
            node_set_text(node_get(c, "Labels"), LABEL_ADDRESS, s->address);
    }
    text = json_text(list);
    return write_text(s->out, "containers.json", text, e);
}

static int make(const struct simulated *s, struct err *e)
{
    return write_tls(s, e) < 0 ? -1 : write_containers(s, e);
}

/* ---- fill ---- */

static int push(struct etcd *c, const struct node *keys, int64_t *revision, struct err *e)
{
    auto_free struct etcd_write *writes = mem_array(keys->count, sizeof(*writes));
    const struct etcd_push_opts o = {.connections = 4};

    for (size_t i = 0; i < keys->count; i++)
        writes[i] = (struct etcd_write){keys->items[i]->key, keys->items[i]->text};
    return etcd_push(c, writes, keys->count, &o, revision, e);
}

/* What the agents of all would have written, had they read the keys of that revision. */
static void add_reports(struct node *out, const struct simulated *s, const struct node *keys,
                        int64_t revision)
{
    for (size_t i = 0; i < s->desired->count; i++) {
        const struct desired_instance *it = &s->desired->items[i];
        auto_free char *status = keys_instance_status(s->spec->name, it->spec->name);
        auto_free char *applied = keys_instance_applied(s->spec->name, it->spec->name);
        auto_free char *state =
            mem_printf("{\"state\":\"ready\",\"health\":\"healthy\",\"reason\":\"\",\"since\":%lld,"
                       "\"agent\":\"" SLIPWAY_VERSION "\",\"release\":\"image\",\"restarts\":0,"
                       "\"source\":\"etcd\"}",
                       (long long)clock_wall_ms());
        char hash[65];

        applied_hash(hash, keys, it->component->manifest->name, it->spec->name);
        auto_free char *report = mem_printf("{\"revision\":%lld,\"hash\":\"%s\",\"result\":\"ok\"}",
                                            (long long)revision, hash);
        node_append(out, status, node_new_string(state));
        node_append(out, applied, node_new_string(report));
    }
}

static int fill_keys(const struct simulated *s, struct etcd *c, struct err *e)
{
    auto_node struct node *keys = node_new_map(), *reports = node_new_map();
    auto_free char *spec = keys_spec(s->spec->name), *text = desired_spec(s->desired, "v");
    int64_t revision;

    for (size_t i = 0; i < s->desired->component_count; i++) {
        auto_node struct node *some = NULL;
        const struct node *value;

        if (desired_keys(&some, s->desired, &s->desired->components[i], e) < 0)
            return -1;
        node_for_each (value, some) {
            node_append(keys, value->key, node_new_string(value->text));
        }
    }
    node_append(keys, spec, node_new_string(text));
    if (push(c, keys, &revision, e) < 0)
        return -1;
    add_reports(reports, s, keys, revision);
    return push(c, reports, NULL, e);
}

static int fill(const struct simulated *s, struct err *e)
{
    static const char *const roles[] = {"root"};
    auto_wipe char *password = secret_password(&s->key, "root", 1), *login = NULL;
    auto_free char *nobody = NULL;
    struct link *l = NULL;
    struct etcd *c = NULL;
    char pin[64];
    bool refused = false;
    int r = secret_pin(pin, &s->key, e);

    nobody = mem_printf("etcds://%s?pin=%s", s->address, pin);
    login = mem_printf("etcds://root:%s@%s?pin=%s", password, s->address, pin);
    if (r == 0)
        r = link_parse(&l, nobody, e);
    if (r == 0)
        r = etcd_open(&c, l, NULL, e);
    if (r == 0)
        r = etcd_role_ensure(c, "root", NULL, 0, e);
    if (r == 0)
        r = etcd_user_ensure(c, "root", password, roles, ARRAY_LEN(roles), e);
    if (r == 0)
        r = etcd_probe(&refused, c, "/v3/auth/enable", "{}", e);
    etcd_close(c);
    link_free(l);
    if (refused)
        return err_set(e, ERR_AUTH, "enabling authentication is refused");
    if (r < 0 || link_parse(&l, login, e) < 0)
        return -1;
    r = etcd_open(&c, l, NULL, e);
    if (r == 0)
        r = fill_keys(s, c, e);
    etcd_close(c);
    link_free(l);
    return r;
}

int main(int argc, char **argv)
{
    struct err e = {.msg = "make|fill HOME CATALOG DOCUMENT ADDRESS OUT"};
    struct simulated s = {0};
    int r = -1;

    if (argc == 7)
        r = load(&s, argv, &e);
    if (r == 0)
        r = (strcmp(argv[1], "fill") == 0 ? fill : make)(&s, &e);
    desired_free(s.desired);
    observed_free(s.nothing);
    node_free(s.images);
    spec_free(s.spec);
    catalog_free(s.catalog);
    explicit_bzero(&s.key, sizeof(s.key));
    if (r < 0)
        fprintf(stderr, "simulated_driver: %s\n", e.msg);
    return r < 0;
}
