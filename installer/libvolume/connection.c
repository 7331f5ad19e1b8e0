/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libvolume/internal.h"

enum { KEY_MAX = 256, MONITORS_MAX = 4096, TIMEOUT_MAX_S = 3600 };

/* ---- options ---- */

/* Letters, digits and a few signs: enough for every address and user, and nothing that would end a
 * setting. */
static bool is_plain(const char *text, size_t most)
{
    size_t len = strnlen(text, most + 1);

    if (len == 0 || len > most)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("._-:,;[]/ ", text[i]))
            return false;
    return true;
}

static int check_key(const struct sv_options *o, struct sv_error *e)
{
    int given = (o->key_file != NULL) + (o->key != NULL) + (o->keyring != NULL);

    if (given > 1)
        return sv_fail(e, -EINVAL, "give one of key_file, key and keyring, not several");
    if (given == 0 && !o->conf_file)
        return sv_fail(e, -EINVAL, "no key: give key_file, key, keyring or conf_file");
    return 0;
}

/* Also fills in the defaults. */
static int check_options(struct sv_options *o, const struct sv_options *given, struct sv_error *e)
{
    if (!given || given->options_size != sizeof(*o))
        return sv_fail(e, -EINVAL, "options must begin as SV_OPTIONS_INIT");
    *o = *given;
    o->pool = o->pool ? o->pool : "volumes";
    o->user = o->user ? o->user : "rbd";
    o->timeout_s = o->timeout_s ? o->timeout_s : SV_TIMEOUT_DEFAULT_S;
    if (sv_check_name("pool", o->pool, e) < 0 || sv_check_name("user", o->user, e) < 0)
        return -EINVAL;
    if (strncmp(o->user, "client.", 7) == 0)
        return sv_fail(e, -EINVAL, "user \"%s\": leave out \"client.\"", o->user);
    if (o->timeout_s > TIMEOUT_MAX_S)
        return sv_fail(e, -EINVAL, "timeout of %u s: 1 to %d are allowed", o->timeout_s,
                       TIMEOUT_MAX_S);
    if (!o->monitors && !o->conf_file)
        return sv_fail(e, -EINVAL, "no monitors: give their addresses or conf_file");
    if (o->monitors && !is_plain(o->monitors, MONITORS_MAX))
        return sv_fail(e, -EINVAL, "monitors \"%.80s\": addresses with commas between them",
                       o->monitors);
    return check_key(o, e);
}

/* ---- settings ---- */

static int set(rados_t cluster, const char *name, const char *value, struct sv_error *e)
{
    int r = rados_conf_set(cluster, name, value);

    /* The value may be a key. */
    return r < 0 ? sv_fail_call(e, r, "setting %s", name) : 0;
}

static int set_key(rados_t cluster, const char *text, struct sv_error *e)
{
    char key[KEY_MAX];
    size_t from = strspn(text, " \t\r\n"), len = strcspn(text + from, " \t\r\n");
    int r;

    if (len == 0 || len >= sizeof(key) || text[from + len + strspn(text + from + len, " \t\r\n")])
        return sv_fail(e, -EINVAL, "the key is not one word of at most %d letters", KEY_MAX - 1);
    memcpy(key, text + from, len);
    key[len] = 0;
    r = set(cluster, "key", key, e);
    explicit_bzero(key, sizeof(key));
    return r;
}

static int set_key_file(rados_t cluster, const char *path, struct sv_error *e)
{
    char text[KEY_MAX + 8];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r;
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    r = got < 0 ? sv_fail_call(e, -errno, "key file %.200s", path) : 0;
    if (fd >= 0)
        close(fd);
    if (r == 0) {
        text[got] = 0;
        r = set_key(cluster, text, e);
        explicit_bzero(text, sizeof(text));
    }
    return r;
}

static int check_file(const char *what, const char *path, struct sv_error *e)
{
    return access(path, R_OK) < 0 ? sv_fail_call(e, -errno, "%s %.200s", what, path) : 0;
}

static int set_keyring(rados_t cluster, const char *path, struct sv_error *e)
{
    int r = check_file("keyring", path, e);

    return r < 0 ? r : set(cluster, "keyring", path, e);
}

static int read_conf(rados_t cluster, const char *path, struct sv_error *e)
{
    int r = check_file("file", path, e);

    if (r == 0)
        r = rados_conf_read_file(cluster, path) < 0
                ? sv_fail(e, -EINVAL, "file %.200s cannot be read as a ceph.conf", path)
                : 0;
    return r;
}

/* Every request of librados ends by one of these; without them it waits for ever. */
static int set_timeouts(rados_t cluster, unsigned seconds, struct sv_error *e)
{
    static const char *const NAMES[] = {"client_mount_timeout", "rados_mon_op_timeout",
                                        "rados_osd_op_timeout"};
    char text[16];
    int r = 0;

    snprintf(text, sizeof(text), "%u", seconds);
    for (size_t i = 0; r == 0 && i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        r = set(cluster, NAMES[i], text, e);
    return r;
}

static int configure(rados_t cluster, const struct sv_options *o, struct sv_error *e)
{
    int r = o->conf_file ? read_conf(cluster, o->conf_file, e) : 0;

    if (r == 0 && o->monitors)
        r = set(cluster, "mon_host", o->monitors, e);
    if (r == 0 && o->key)
        r = set_key(cluster, o->key, e);
    if (r == 0 && o->key_file)
        r = set_key_file(cluster, o->key_file, e);
    if (r == 0 && o->keyring)
        r = set_keyring(cluster, o->keyring, e);
    if (r == 0)
        r = set_timeouts(cluster, o->timeout_s, e);
    /* A cache would take writes that are not in the storage yet, and lose their errors. */
    if (r == 0)
        r = set(cluster, "rbd_cache", "false", e);
    return r;
}

/* ---- opening ---- */

static int open_pool(struct sv_connection *c, struct sv_error *e)
{
    int r = rados_ioctx_create(c->cluster, c->pool, &c->io);

    if (r == -ENOENT)
        return sv_fail(e, r, "there is no pool %s", c->pool);
    return r < 0 ? sv_fail_call(e, r, "opening pool %s", c->pool) : 0;
}

static int connect_cluster(struct sv_connection *c, const struct sv_options *o, struct sv_error *e)
{
    int r = rados_connect(c->cluster);

    switch (r) {
    case 0:
        return 0;
    case -ETIMEDOUT:
        return sv_fail(e, r, "no monitor answered within %u s%s%.300s", o->timeout_s,
                       o->monitors ? ": " : "", o->monitors ? o->monitors : "");
    case -EPERM:
    case -EACCES:
        return sv_fail(e, -EACCES, "the storage does not take the key of client.%s", c->user);
    case -ENOENT:
        return sv_fail(e, r, "no address in the monitors, or no key of client.%s in the keyring",
                       c->user);
    case -EINVAL:
        return sv_fail(e, r, "connecting as client.%s: the key or an address is malformed",
                       c->user);
    default:
        return sv_fail_call(e, r, "connecting as client.%s", c->user);
    }
}

static int make_handle(struct sv_connection *c, struct sv_error *e)
{
    char name[sizeof("client.") + SV_NAME_MAX];
    int r;

    snprintf(name, sizeof(name), "client.%s", c->user);
    r = rados_create2(&c->cluster, "ceph", name, 0);
    if (r < 0)
        c->cluster = NULL;
    return r < 0 ? sv_fail_call(e, r, "preparing a connection as %s", name) : 0;
}

static void release(struct sv_connection *c)
{
    if (c->io)
        rados_ioctx_destroy(c->io);
    if (c->cluster)
        rados_shutdown(c->cluster);
    free(c);
}

int sv_connect(struct sv_connection **out, const struct sv_options *given, struct sv_error *e)
{
    struct sv_options o = {0};
    struct sv_connection *c;
    int r;

    *out = NULL;
    r = check_options(&o, given, e);
    if (r < 0)
        return r;
    c = calloc(1, sizeof(*c));
    if (!c)
        return sv_fail_call(e, -ENOMEM, "a connection");
    c->timeout_s = o.timeout_s;
    snprintf(c->pool, sizeof(c->pool), "%s", o.pool);
    snprintf(c->user, sizeof(c->user), "%s", o.user);
    r = make_handle(c, e);
    if (r == 0)
        r = configure(c->cluster, &o, e);
    if (r == 0)
        r = connect_cluster(c, &o, e);
    if (r == 0)
        r = open_pool(c, e);
    if (r < 0) {
        release(c);
        return r;
    }
    *out = c;
    return 0;
}

int sv_disconnect(struct sv_connection *c, struct sv_error *e)
{
    if (!c)
        return 0;
    if (atomic_load(&c->volumes))
        return sv_fail(e, -EBUSY, "%u volumes of this connection are open",
                       atomic_load(&c->volumes));
    release(c);
    return 0;
}
