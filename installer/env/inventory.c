/* SPDX-License-Identifier: MIT */
#include "env/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/quote.h"
#include "env/instances.h"
#include "env/ssh.h"
#include "plan/object.h"

enum { TEXT_MAX = 1 << 20 };

struct inventory {
    struct env *env;
    char *key, *known; /* paths */
    struct buf known_text;
};

/* Ansible's groups are like variables of Python: it warns about anything else. */
static char *group_name(const char *component)
{
    char *name = mem_strdup(component);

    for (char *p = name; *p; p++)
        if (*p == '-')
            *p = '_';
    return name;
}

static char *ssh_words(const struct inventory *v, const char *instance)
{
    auto_strv struct strv words = {0};

    ssh_add_options(&words, v->known, instance);
    return quote_words((const char *const *)words.items);
}

static int add_host(struct node *hosts, struct inventory *v, const char *name, struct err *e)
{
    struct ssh_login l;
    struct node *n;
    int r = ssh_login_open(&l, v->env, name, e);

    if (r == 0) {
        auto_free char *args = ssh_words(v, name);

        n = node_set(hosts, name, node_new_map());
        node_set_text(n, "ansible_host", l.address);
        node_set_text(n, "ansible_user", SSH_USER);
        node_set_text(n, "ansible_ssh_private_key_file", v->key);
        node_set_text(n, "ansible_ssh_common_args", args);
        node_set_text(n, "ansible_python_interpreter", "auto_silent");
        node_set_text(n, "slipway_environment", v->env->name);
        node_set_text(
            n, "slipway_component",
            object_label(object_find_instance(v->env->containers, name), LABEL_COMPONENT));
        buf_printf(&v->known_text, "%s %s\n", name, l.host_key);
    }
    ssh_login_clear(&l);
    return r;
}

static int write_file(const char *path, const char *text, struct err *e)
{
    const struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_wipe char *have = NULL;
    size_t len = 0;
    struct err ignored;

    if (fs_read(&have, &len, path, TEXT_MAX, &ignored) == 0 && strcmp(have, text) == 0)
        return 0;
    return fs_write(path, text, strlen(text), &o, e);
}

static int write_files(const struct inventory *v, struct err *e)
{
    auto_wipe char *key = NULL;
    auto_free char *line = NULL;

    if (secret_ssh_client(&key, &line, &v->env->key, e) < 0 || write_file(v->key, key, e) < 0)
        return -1;
    return write_file(v->known, buf_str(&v->known_text), e);
}

static int find_hosts(struct node *hosts, struct inventory *v, struct err *e)
{
    auto_strv struct strv names = {0};

    instances_all(&names, v->env);
    for (size_t i = 0; i < names.count; i++)
        if (ssh_answers(v->env, names.items[i]) && add_host(hosts, v, names.items[i], e) < 0)
            return -1;
    return write_files(v, e);
}

static struct node *build(const struct node *hosts)
{
    struct node *root = node_new_map(), *meta, *children;
    const struct node *h;

    children = node_set(node_set(root, "all", node_new_map()), "children", node_new_list());
    node_for_each (h, hosts) {
        auto_free char *name = group_name(node_get_text(h, "slipway_component"));
        struct node *group = node_get(root, name);

        if (!group) {
            node_add_text(children, name);
            group = node_set(root, name, node_new_map());
            node_set(group, "hosts", node_new_list());
        }
        node_add_text(node_get(group, "hosts"), h->key);
    }
    meta = node_set(root, "_meta", node_new_map());
    node_set(meta, "hostvars", node_copy(hosts));
    return root;
}

int inventory_list(struct node **out, struct env *env, struct err *e)
{
    struct inventory v = {.env = env,
                          .key = fs_join(env->folder, "ssh_key"),
                          .known = fs_join(env->folder, "ssh_known_hosts")};
    auto_node struct node *hosts = node_new_map();
    int r;

    *out = NULL;
    buf_init(&v.known_text, TEXT_MAX);
    r = find_hosts(hosts, &v, e);
    if (r == 0)
        *out = build(hosts);
    buf_clear(&v.known_text);
    free(v.key);
    free(v.known);
    return r;
}

int inventory_host(struct node **out, struct env *env, const char *name, struct err *e)
{
    auto_node struct node *list = NULL;
    const struct node *host;

    *out = NULL;
    if (inventory_list(&list, env, e) < 0)
        return -1;
    host = node_get(node_get(node_get(list, "_meta"), "hostvars"), name);
    if (!host)
        return err_set(e, ERR_NOTFOUND, "no instance %s runs sshd; `slipway status` names them",
                       name);
    *out = node_copy(host);
    return 0;
}
