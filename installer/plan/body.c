/* SPDX-License-Identifier: MIT */
#include "plan/body.h"

#include <stdlib.h>
#include <string.h>

#include "base/confine.h"
#include "base/fs.h"
#include "base/mem.h"
#include "plan/address.h"
#include "plan/object.h"
#include "plan/host_dir.h"

/* What a component may do without asking: become another user, own its files, bind low ports. */
static const char *const BASE_CAPABILITIES[] = {
    "CHOWN",  "DAC_OVERRIDE", "FOWNER",           "SETGID",
    "SETUID", "KILL",         "NET_BIND_SERVICE", "SYS_CHROOT"};

enum { PIDS_MAX = 8192 };

bool body_is_base_capability(const char *name)
{
    static const char prefix[] = "CAP_"; /* newer Dockers answer with it */

    if (strncmp(name, prefix, strlen(prefix)) == 0)
        name += strlen(prefix);
    for (size_t i = 0; i < ARRAY_LEN(BASE_CAPABILITIES); i++)
        if (strcmp(name, BASE_CAPABILITIES[i]) == 0)
            return true;
    return false;
}

static struct node *labels(const struct desired *d, const char *instance, const char *address)
{
    struct node *l = node_new_map();

    node_set_text(l, LABEL_ENV, d->key->uuid);
    node_set_text(l, LABEL_NAME, d->spec->name);
    if (instance)
        node_set_text(l, LABEL_INSTANCE, instance);
    if (address)
        node_set_text(l, LABEL_ADDRESS, address);
    return l;
}

static struct node *text_list(const struct strv *v)
{
    struct node *list = node_new_list();

    for (size_t i = 0; i < v->count; i++)
        node_add_text(list, v->items[i]);
    return list;
}

/* Whether an instance has a right of its manifest's `run`: some only while a key is true. */
static bool has_right(const struct desired *d, const struct desired_instance *it, const char *right)
{
    const char *key = node_get_text(it->spec->manifest->run.only_with, right);
    const struct node *value = key ? spec_value(d->spec, it->spec, key) : NULL;

    return !key || (value && value->text && strcmp(value->text, "true") == 0);
}

static bool is_plugin(const struct desired *d, const struct desired_instance *it)
{
    return it->spec->manifest->run.plugin_dir && has_right(d, it, "plugin_dir");
}

/* The first is the root itself, with one volume as with several: nothing that is written there
 * depends on how many there are. */
char *body_volume_target(const struct manifest *m, int number)
{
    return number == 1 ? mem_strdup(m->data_root) : mem_printf("%s/%d", m->data_root, number);
}

static void add_mounts(struct node *host, const struct desired_instance *it)
{
    const struct manifest *m = it->spec->manifest;
    struct node *mounts = node_set(host, "Mounts", node_new_list());

    for (size_t i = 0; i < it->spec->volumes.count; i++) {
        struct node *mount = node_add(mounts, node_new_map());
        auto_free char *target = body_volume_target(m, (int)i + 1);

        node_set_text(mount, "Type", "volume");
        node_set_text(mount, "Source", it->spec->volumes.items[i]);
        node_set_text(mount, "Target", target);
    }
}

/* One of the Mounts, so that Docker says that it is not there, and does not make a folder. */
static void add_engine_socket(struct node *host, const struct manifest *m)
{
    struct node *mount;

    if (!m->run.engine_socket)
        return;
    mount = node_add(node_get(host, "Mounts"), node_new_map());
    node_set_text(mount, "Type", "bind");
    node_set_text(mount, "Source", BODY_ENGINE_SOCKET);
    node_set_text(mount, "Target", m->run.engine_socket);
}

/* Not one of the Mounts: Docker makes the source of a Bind that is not there. */
static void add_binds(struct node *host, const struct desired *d, const struct desired_instance *it)
{
    const struct manifest *m = it->spec->manifest;
    auto_free char *source = host_dir_path(d->spec->name, it->spec->name);
    bool plugin = is_plugin(d, it);
    auto_free char *own = NULL;
    auto_free char *plugins = NULL;
    struct node *binds;

    if (!m->run.host_dir && !plugin)
        return;
    binds = node_set(host, "Binds", node_new_list());
    if (m->run.host_dir)
        own = mem_printf("%s:%s%s", source, m->run.host_dir, m->run.shared_mount ? ":rshared" : "");
    if (plugin)
        plugins = mem_printf(BODY_PLUGINS ":%s", m->run.plugin_dir);
    if (own)
        node_add_text(binds, own);
    if (plugins)
        node_add_text(binds, plugins);
}

/* "0.0.0.0:8443 -> 8443/tcp" in both places where the API wants it. */
static void add_ports(struct node *body, struct node *host, const struct desired_instance *it)
{
    struct node *exposed = node_set(body, "ExposedPorts", node_new_map());
    struct node *bindings = node_set(host, "PortBindings", node_new_map());

    for (size_t i = 0; i < it->spec->port_count; i++) {
        const struct spec_port *p = &it->spec->ports[i];
        auto_free char *name = mem_printf("%d/tcp", p->port);
        auto_free char *port = mem_printf("%d", p->host_port);
        struct node *list = node_get(bindings, name), *binding;

        if (!list)
            list = node_set(bindings, name, node_new_list());
        binding = node_add(list, node_new_map());
        node_set(exposed, name, node_new_map());
        node_set_text(binding, "HostIp", p->address);
        node_set_text(binding, "HostPort", p->host_port ? port : "");
    }
}

static void add_devices(struct node *host, const struct desired *d,
                        const struct desired_instance *it)
{
    const struct manifest *m = it->spec->manifest;
    struct node *devices = node_set(host, "Devices", node_new_list());

    for (size_t i = 0; has_right(d, it, "devices") && i < m->run.devices.count; i++) {
        struct node *device = node_add(devices, node_new_map());

        node_set_text(device, "PathOnHost", m->run.devices.items[i]);
        node_set_text(device, "PathInContainer", m->run.devices.items[i]);
        node_set_text(device, "CgroupPermissions", "rwm");
    }
    if (m->run.device_rules.count && has_right(d, it, "device_rules"))
        node_set(host, "DeviceCgroupRules", text_list(&m->run.device_rules));
}

/* What init's helper may mount, and where (init/mounter.h): variables of the container, which
 * nobody inside can change. */
static void add_mounter(struct node *body, const struct desired *d,
                        const struct desired_instance *it)
{
    const struct manifest *m = it->spec->manifest;
    struct strv env = {0};

    if (!m->run.host_dir || !m->run.shared_mount)
        return;
    strv_addf(&env, CONFINE_FOLDER_ENV "=%s", m->run.host_dir);
    /* The volumes that it offers to Docker are file systems. */
    strv_addf(&env, CONFINE_KINDS_ENV "=%s", is_plugin(d, it) ? "fuse,ext4" : "fuse");
    node_set(body, "Env", text_list(&env));
    strv_clear(&env);
}

static void add_security(struct node *host, const struct desired *d,
                         const struct desired_instance *it)
{
    const struct manifest *m = it->spec->manifest;
    auto_strv struct strv more = {0};
    struct node *add, *options;

    for (size_t i = 0; has_right(d, it, "capabilities") && i < m->run.capabilities.count; i++)
        if (has_right(d, it, m->run.capabilities.items[i]))
            strv_add(&more, m->run.capabilities.items[i]);
    node_add_text(node_set(host, "CapDrop", node_new_list()), "ALL");
    add = node_set(host, "CapAdd", text_list(&more));
    for (size_t i = 0; i < ARRAY_LEN(BASE_CAPABILITIES); i++)
        if (!strv_has(&more, BASE_CAPABILITIES[i]))
            node_add_text(add, BASE_CAPABILITIES[i]);
    /* Debian's sshd ends a login with a terminal when it cannot report it to the kernel's audit. */
    if (it->spec->ssh && !strv_has(&m->run.capabilities, "AUDIT_WRITE"))
        node_add_text(add, "AUDIT_WRITE");
    options = node_set(host, "SecurityOpt", node_new_list());
    node_add_text(options, "no-new-privileges:true");
    /* Docker's own AppArmor profile forbids mount(2), whatever the capabilities. */
    if (m->run.shared_mount)
        node_add_text(options, "apparmor=unconfined");
    node_set_int(host, "PidsLimit", PIDS_MAX);
    node_set_bool(host, "ReadonlyRootfs", m->run.read_only);
    if (it->spec->memory_bytes > 0) {
        node_set_int(host, "Memory", it->spec->memory_bytes);
        node_set_int(host, "MemorySwap", it->spec->memory_bytes);
    }
}

static struct node *host_config(const struct desired *d, const struct desired_instance *it,
                                struct node *body)
{
    const struct manifest *m = it->spec->manifest;
    struct node *host = node_new_map(), *log, *tmpfs, *restart;

    node_set_text(host, "NetworkMode", d->network);
    restart = node_set(host, "RestartPolicy", node_new_map());
    node_set_text(restart, "Name", m->run.restart ? m->run.restart : "always");
    add_security(host, d, it);
    add_devices(host, d, it);
    add_mounts(host, it);
    add_engine_socket(host, m);
    add_binds(host, d, it);
    add_ports(body, host, it);
    tmpfs = node_set(host, "Tmpfs", node_new_map());
    node_set_text(tmpfs, "/run", "rw,nosuid,nodev,mode=755,size=64m");
    node_set_text(tmpfs, "/tmp", "rw,nosuid,nodev,mode=1777,size=256m");
    log = node_set(host, "LogConfig", node_new_map());
    node_set_text(log, "Type", "json-file");
    log = node_set(log, "Config", node_new_map());
    node_set_text(log, "max-size", "10m");
    node_set_text(log, "max-file", "3");
    return host;
}

bool body_takes_link(const struct desired_instance *it)
{
    const struct manifest *m = it->spec->manifest;

    return !m->run.read_only && strcmp(m->name, ETCD_COMPONENT) != 0;
}

struct node *body_build(const struct desired *d, const struct desired_instance *it)
{
    struct node *body = node_new_map(), *network, *aliases, *l;

    node_set_text(body, "Image", it->image);
    node_set_text(body, "Hostname", it->spec->name);
    add_mounter(body, d, it);
    l = node_set(body, "Labels", labels(d, it->spec->name, it->address));
    node_set_text(l, LABEL_COMPONENT, it->spec->manifest->name);
    if (it->spec->ssh)
        node_set_text(l, LABEL_SSH, "true");
    if (body_takes_link(it))
        node_set_bool(body, "OpenStdin", true);
    /* Docker's own patience: the grace of the daemon, and a little for init to end the rest. */
    node_set_int(body, "StopTimeout", it->spec->manifest->stop_grace_ms / 1000 + 5);
    node_set(body, "HostConfig", host_config(d, it, body));
    network = node_set(body, "NetworkingConfig", node_new_map());
    network = node_set(network, "EndpointsConfig", node_new_map());
    network = node_set(network, d->network, node_new_map());
    aliases = node_set(network, "Aliases", node_new_list());
    node_add_text(aliases, it->spec->name);
    node_set_text(node_set(network, "IPAMConfig", node_new_map()), "IPv4Address", it->address);
    return body;
}

int body_add_link_mount(struct node *body, const struct desired *d,
                        const struct desired_instance *it, struct err *e)
{
    auto_free char *path = mem_printf("%s/links/%s", d->folder, it->spec->name);
    struct node *mount = node_add(node_find(body, "HostConfig.Mounts"), node_new_map());

    if (!mount)
        return err_set(e, ERR_CONFIG, "instance %s has no list of mounts", it->spec->name);
    node_set_text(mount, "Type", "bind");
    node_set_text(mount, "Source", path);
    node_set_text(mount, "Target", "/etc/slipway");
    node_set_bool(mount, "ReadOnly", true);
    return 0;
}

/* Where the key is: whoever has another home is told. Not for containers, which a new path would
 * replace. */
static void add_key(struct node *l, const struct desired *d)
{
    auto_free char *path = fs_join(d->folder, "key");

    node_set_text(l, LABEL_KEY, path);
}

struct node *desired_volume_body(const struct desired *d, const struct desired_instance *i,
                                 int number)
{
    struct node *body = node_new_map(), *l;
    auto_free char *place = mem_printf("%d", number + 1);

    node_set_text(body, "Name", i->spec->volumes.items[number]);
    /* Without it Docker asks every volume plugin for the name, and waits 15 s for a dead one. */
    node_set_text(body, "Driver", "local");
    l = node_set(body, "Labels", labels(d, i->spec->name, i->address));
    add_key(l, d);
    node_set_text(l, LABEL_SUBNET, d->subnet);
    node_set_text(l, LABEL_PLACE, place); /* Docker takes no numbers */
    return body;
}

struct node *desired_network_body(const struct desired *d)
{
    struct node *body = node_new_map(), *config;
    auto_free char *guests = NULL;
    auto_free char *gateway = NULL;
    struct cidr subnet;
    struct err ignored;

    node_set_text(body, "Name", d->network);
    node_set_text(body, "Driver", "bridge");
    node_set_bool(body, "CheckDuplicate", true);
    add_key(node_set(body, "Labels", labels(d, NULL, NULL)), d);
    config = node_set(node_set(body, "IPAM", node_new_map()), "Config", node_new_list());
    config = node_add(config, node_new_map());
    node_set_text(config, "Subnet", d->subnet);
    if (cidr_parse(&subnet, d->subnet, &ignored) < 0 || !(guests = cidr_guests(&subnet)))
        return body;
    /* A guest must not get the address of an instance that is stopped just now. With a range Docker
     * would take the gateway from it too. */
    gateway = cidr_address(&subnet, 1);
    node_set_text(config, "IPRange", guests);
    node_set_text(config, "Gateway", gateway);
    return body;
}
