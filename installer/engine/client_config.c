/* SPDX-License-Identifier: MIT */
#include "engine/client_config.h"

#include <ctype.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/json.h"
#include "crypto/crypto.h"
#include "engine/engine.h"

enum { FILE_MAX = 1 << 20, NAME_MAX_LEN = 64 };

static int load(struct node **out, const char *path, struct err *e)
{
    auto_free char *text = NULL;
    size_t len = 0;

    *out = NULL;
    if (fs_read(&text, &len, path, FILE_MAX, e) < 0)
        return -1;
    return json_parse(out, path, text, len, e);
}

/* NULL when there is none or it is not JSON: Docker's own command line says that, too. */
static struct node *load_config(const char *folder)
{
    auto_free char *path = fs_join(folder, "config.json");
    struct node *n = NULL;
    struct err e;

    if (load(&n, path, &e) < 0) {
        if (e.code == ERR_NOTFOUND)
            err_drop(&e, "Docker's client configuration");
        else
            log_warn("%s is not used: %s", path, e.msg);
    }
    return n;
}

/* ---- contexts ---- */

/* Docker keeps a context in a folder that is called by the hash of its name. */
static int find_endpoint(char **url, const char *folder, const char *name, struct err *e)
{
    auto_node struct node *meta = NULL;
    auto_free char *path = NULL;
    char hash[CRYPTO_HEX_LEN];
    const char *host;

    crypto_sha256_hex(hash, name, strlen(name));
    path = mem_printf("%s/contexts/meta/%s/meta.json", folder, hash);
    if (load(&meta, path, e) < 0) {
        if (e->code != ERR_NOTFOUND)
            return err_wrap(e, "Docker context %s", name);
        return err_set(e, ERR_CONFIG,
                       "there is no Docker context %s (`docker context ls` lists them); set "
                       "DOCKER_CONTEXT=default for the engine of this machine",
                       name);
    }
    host = node_get_text(node_find(meta, "Endpoints.docker"), "Host");
    if (!host || *host == '\0')
        host = ENGINE_LOCAL;
    if (strncmp(host, "unix://", strlen("unix://")) != 0)
        return err_set(e, ERR_CONFIG,
                       "Docker context %s means %s, and Slipway reaches an engine by its socket "
                       "alone: run it on the machine of that engine, or set DOCKER_CONTEXT=default "
                       "for the engine of this one",
                       name, host);
    *url = mem_strdup(host);
    return 0;
}

int client_config_engine(char **url, const char *folder, const char *context, struct err *e)
{
    auto_node struct node *config = !context && folder ? load_config(folder) : NULL;
    const char *name = context ? context : node_get_text(config, "currentContext");

    *url = NULL;
    if (name && *name && strcmp(name, "default") != 0 && folder)
        return find_endpoint(url, folder, name, e);
    *url = mem_strdup(ENGINE_LOCAL);
    return 0;
}

/* ---- proxies ---- */

static void add_proxy(struct node *args, const char *name, const char *value)
{
    char lower[NAME_MAX_LEN] = "";

    for (size_t i = 0; name[i]; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    if (strchr(value, '@'))
        log_redact(value);
    node_set_text(args, name, value);
    node_set_text(args, lower, value);
}

struct node *client_config_proxies(const char *folder, const char *url)
{
    static const struct {
        const char *key, *arg;
    } rows[] = {
        {"httpProxy", "HTTP_PROXY"}, {"httpsProxy", "HTTPS_PROXY"}, {"noProxy", "NO_PROXY"},
        {"ftpProxy", "FTP_PROXY"},   {"allProxy", "ALL_PROXY"},
    };
    auto_node struct node *config = folder ? load_config(folder) : NULL;
    const struct node *proxies = node_get(config, "proxies"), *own = node_get(proxies, url);
    struct node *args = node_new_map();

    if (!own)
        own = node_get(proxies, "default");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *value = node_get_text(own, rows[i].key);

        if (value && *value)
            add_proxy(args, rows[i].arg, value);
    }
    return args;
}
