/* SPDX-License-Identifier: MIT */
/* slipwayd: the server of one environment. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/sig.h"
#include "controller/audit_log.h"
#include "controller/controller.h"
#include "controller/lookout.h"
#include "controller/openapi.h"
#include "controller/server.h"
#include "crypto/crypto.h"
#include "env/lifecycle.h"
#include "env/paths.h"

enum { HELP_MAX = 65536, PORT = 8443, SWEEP_MS = 3600 * 1000, AGAIN_MS = 2000 };

struct options {
    const char *env, *home, *listen, *data, *cert, *key, *jobs;
    struct strv names, trusted, catalogs;
    bool first_token, no_keep, help, version, json, verbose;
};

static const struct opt_spec SPECS[] = {
    {"env", 'e', OPT_STRING, "NAME", "the environment; default: the only one there is",
     offsetof(struct options, env)},
    {"home", 0, OPT_STRING, "DIR", "where the keys of environments are; default: $SLIPWAY_HOME",
     offsetof(struct options, home)},
    {"listen", 'l', OPT_STRING, "ADDRESS:PORT", "default: 127.0.0.1:8443",
     offsetof(struct options, listen)},
    {"name", 0, OPT_LIST, "NAME", "what the server is called, besides its addresses",
     offsetof(struct options, names)},
    {"trusted-origin", 0, OPT_LIST, "URL", "whose pages may change something: https://host:port",
     offsetof(struct options, trusted)},
    {"tls-cert", 0, OPT_STRING, "FILE", "certificates, PEM; read again when it changes",
     offsetof(struct options, cert)},
    {"tls-key", 0, OPT_STRING, "FILE", "their key", offsetof(struct options, key)},
    {"data", 0, OPT_STRING, "DIR", "for the history of tasks; default: in the home",
     offsetof(struct options, data)},
    {"catalog", 0, OPT_LIST, "DIR", "further component folders",
     offsetof(struct options, catalogs)},
    {"jobs", 0, OPT_STRING, "FILE", "schedules of jobs, JSON; read again when it changes",
     offsetof(struct options, jobs)},
    {"first-token", 0, OPT_FLAG, NULL, "print a token that begins one session as admin",
     offsetof(struct options, first_token)},
    {"no-keep", 0, OPT_FLAG, NULL, "serve alone: bring nothing back that died or was removed",
     offsetof(struct options, no_keep)},
    {"json", 0, OPT_FLAG, NULL, "log JSON lines", offsetof(struct options, json)},
    {"verbose", 'v', OPT_FLAG, NULL, "log every call", offsetof(struct options, verbose)},
    {"version", 0, OPT_FLAG, NULL, "print the version", offsetof(struct options, version)},
    {"help", 'h', OPT_FLAG, NULL, "this text", offsetof(struct options, help)},
    {0},
};

static void print_help(void)
{
    auto_buf struct buf b = {0};

    buf_init(&b, HELP_MAX);
    buf_puts(&b, "Usage: slipwayd [OPTIONS]\n\nServes the API and the page of one environment over "
                 "TLS, until it is told to end.\n\nOptions\n");
    opt_help_options(&b, SPECS);
    fputs(buf_str(&b), stdout);
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static char *home_of(const struct options *o)
{
    if (o->home || variable("SLIPWAY_HOME"))
        return mem_strdup(o->home ? o->home : variable("SLIPWAY_HOME"));
    return fs_join(variable("HOME") ? variable("HOME") : "/root", ".config/slipway");
}

/* "ADDRESS:PORT", "[IPV6]:PORT" or "ADDRESS" into the address, owned, and the port. */
static int split_listen(char **address, int *port, const char *text, struct err *e)
{
    const char *end = *text == '[' ? strchr(text, ']') : strrchr(text, ':');
    const char *colon = end && *end == ']' ? (end[1] == ':' ? end + 1 : NULL) : end;
    char *rest = NULL;
    long number = colon ? strtol(colon + 1, &rest, 10) : PORT;

    if (number < 0 || number > 65535 || (colon && (!colon[1] || *rest)))
        return err_set(e, ERR_USAGE, "--listen: %s has no port from 0 to 65535", text);
    *port = (int)number;
    if (*text == '[' && end)
        *address = mem_strndup(text + 1, (size_t)(end - text - 1));
    else
        *address = colon ? mem_strndup(text, (size_t)(colon - text)) : mem_strdup(text);
    return 0;
}

/* ---- what it needs before it can listen ---- */

struct daemon {
    struct options o;
    struct controller c;
    struct env_paths paths;
    struct crypto_tls tls;
    struct lookout lookout;
    struct server *server;
    char *home, *env, *address, *data, *docker_config;
    int port;
};

/* The environment's name and key. */
static int read_key(struct daemon *d, struct env_key *key, struct err *e)
{
    struct env *env = NULL;
    int r = env_open(&env, &d->c.env, ENV_NEEDS_NAME | ENV_NEEDS_KEY, e);

    if (r == 0) {
        d->env = mem_strdup(env->name);
        *key = env->key;
    }
    env_close(env);
    return r;
}

/* In a container it did not make the data that it looks after. */
static void note_data(const struct daemon *d)
{
    struct env *env = NULL;
    struct err e;

    if (d->c.env.self && (env_open(&env, &d->c.env, ENV_NEEDS_SPEC | ENV_NEEDS_ENGINE, &e) < 0 ||
                          env_note_data(env, &e) < 0))
        err_drop(&e, "the data that there is");
    env_close(env);
}

static int make_certificate(struct daemon *d, const struct env_key *key, struct err *e)
{
    auto_strv struct strv sans = strv_of("IP:127.0.0.1", "IP:::1", "DNS:localhost");

    if (strcmp(d->address, "0.0.0.0") != 0 && strcmp(d->address, "::") != 0)
        strv_addf(&sans, "IP:%s", d->address);
    for (size_t i = 0; i < d->o.names.count; i++)
        strv_addf(&sans, "DNS:%s", d->o.names.items[i]);
    return crypto_tls_web(&d->tls, key->bytes, (const char *const *)sans.items, sans.count, e);
}

/* What rsync is to run is `slipway`, beside this program. */
static void use_slipway(struct env_paths *p)
{
    const char *slash = strrchr(p->relay, '/');
    auto_free char *path = mem_printf("%.*s/slipway", (int)(slash - p->relay), p->relay);

    free(p->relay);
    p->relay = steal(path);
}

static int prepare(struct daemon *d, struct err *e)
{
    struct env_key key = {0};
    int r;

    d->home = home_of(&d->o);
    d->docker_config = variable("DOCKER_CONFIG")
                           ? mem_strdup(variable("DOCKER_CONFIG"))
                           : fs_join(variable("HOME") ? variable("HOME") : "/root", ".docker");
    if (split_listen(&d->address, &d->port, d->o.listen ? d->o.listen : "127.0.0.1", e) < 0)
        return -1;
    if (!d->o.cert != !d->o.key)
        return err_set(e, ERR_USAGE, "--tls-cert and --tls-key go together");
    if (env_paths_find(&d->paths, variable("SLIPWAY_SHARE"), e) < 0)
        return -1;
    use_slipway(&d->paths);
    d->c.env = (struct env_opts){.home = d->home,
                                 .name = d->o.env,
                                 .catalogs = &d->o.catalogs,
                                 .paths = &d->paths,
                                 .docker = variable("DOCKER_HOST"),
                                 .docker_config = d->docker_config,
                                 .docker_context = variable("DOCKER_CONTEXT"),
                                 .temp_dir = variable("TMPDIR"),
                                 .self = variable("SLIPWAY_INSTANCE"),
                                 .cancel = &d->c.stop};
    r = read_key(d, &key, e);
    if (r == 0 && !d->o.cert)
        r = make_certificate(d, &key, e);
    explicit_bzero(&key, sizeof(key));
    if (r < 0)
        return -1;
    d->c.env.name = d->env;
    note_data(d);
    d->data = d->o.data ? mem_strdup(d->o.data) : mem_printf("%s/%s/controller", d->home, d->env);
    d->c.data = d->data;
    log_field("environment", d->env);
    return fs_mkdirs(d->data, 0700, e);
}

/* ---- running ---- */

static void init(struct daemon *d)
{
    struct controller *c = &d->c;

    c->names = d->o.names;
    c->trusted = d->o.trusted;
    c->fault = variable("SLIPWAY_FAULT");
    c->schemas = openapi_schemas();
    c->openapi = openapi_text(c->schemas);
    pthread_mutex_init(&c->logs_mutex, NULL);
    store_init(&c->store, &c->env);
    people_init(&c->people);
    events_init(&c->events);
    view_init(&c->view, c);
    tasks_init(&c->tasks, c);
    keeper_init(&c->keeper, c);
    jobs_init(&c->jobs, c, d->o.jobs);
}

static int start(struct daemon *d, struct err *e)
{
    const struct server_opts so = {.address = d->address,
                                   .port = d->port,
                                   .cert_pem = d->tls.cert_pem,
                                   .key_pem = d->tls.key_pem,
                                   .cert_file = d->o.cert,
                                   .key_file = d->o.key};

    if (tasks_load(&d->c.tasks, e) < 0 || view_start(&d->c.view, e) < 0 ||
        (!d->o.no_keep && keeper_start(&d->c.keeper, e) < 0) ||
        lookout_start(&d->lookout, &d->c, e) < 0 || jobs_start(&d->c.jobs, e) < 0 ||
        server_start(&d->server, &d->c, &so, e) < 0)
        return -1;
    printf(strchr(d->address, ':') ? "https://[%s]:%d/\n" : "https://%s:%d/\n", d->address,
           server_port(d->server));
    if (d->tls.pin[0])
        printf("pin %s\n", d->tls.pin);
    fflush(stdout);
    return 0;
}

static bool print_token(struct daemon *d)
{
    auto_wipe char *token = NULL;
    struct err e;
    struct env *env = store_begin(&d->c.store, &e);
    int r = -1;

    if (env) {
        r = access_first_token(&token, env, &e);
        store_end(&d->c.store, r < 0 ? &e : NULL);
    }
    if (r < 0 || lookout_read_people(&d->c, &e) < 0) {
        err_drop(&e, "the first token");
        return false;
    }
    printf("token %s\n", token);
    fflush(stdout);
    return true;
}

static void serve(struct daemon *d)
{
    const struct until told = {.cancel = sig_cancel()};
    int64_t sweep = clock_deadline(AGAIN_MS);
    bool wanted = d->o.first_token;

    while (!until_is_cancelled(told)) {
        struct err e;

        if (!people_is_loaded(&d->c.people) && lookout_read_people(&d->c, &e) < 0)
            err_drop(&e, "users and tokens");
        if (wanted && people_is_loaded(&d->c.people))
            wanted = !print_token(d);
        if (clock_passed(sweep)) {
            audit_log_sweep(&d->c);
            sweep = clock_deadline(SWEEP_MS);
        }
        tasks_catch_up(&d->c.tasks);
        until_sleep_ms(told, AGAIN_MS);
    }
}

static bool has_log_streams(struct controller *c)
{
    bool has;

    pthread_mutex_lock(&c->logs_mutex);
    has = c->log_streams > 0;
    pthread_mutex_unlock(&c->logs_mutex);
    return has;
}

static void stop(struct daemon *d)
{
    struct controller *c = &d->c;

    cancel_raise(&c->stop);
    tasks_stop(&c->tasks);
    jobs_stop(&c->jobs);
    server_stop(d->server);
    keeper_stop(&c->keeper);
    lookout_stop(&d->lookout);
    view_stop(&c->view);
    while (has_log_streams(c))
        clock_sleep_ms(20);
    tasks_clear(&c->tasks);
    jobs_clear(&c->jobs);
    keeper_clear(&c->keeper);
    view_clear(&c->view);
    events_clear(&c->events);
    people_clear(&c->people);
    store_clear(&c->store);
    node_free(c->schemas);
    free(c->openapi);
    pthread_mutex_destroy(&c->logs_mutex);
}

static int run(struct daemon *d, struct err *e)
{
    int r = prepare(d, e);

    if (r < 0)
        return -1;
    init(d);
    r = start(d, e);
    if (r == 0)
        serve(d);
    stop(d);
    return r;
}

static void clear(struct daemon *d)
{
    env_paths_clear(&d->paths);
    crypto_tls_clear(&d->tls);
    cancel_clear(&d->c.stop);
    strv_clear(&d->o.names);
    strv_clear(&d->o.trusted);
    strv_clear(&d->o.catalogs);
    free(d->home);
    free(d->env);
    free(d->address);
    free(d->data);
    free(d->docker_config);
}

int main(int argc, char **argv)
{
    struct daemon *d = mem_alloc(sizeof(*d));
    const struct opt_set sets[] = {{SPECS, &d->o}, {NULL, NULL}};
    auto_strv struct strv operands = {0};
    struct err e = {0};
    int r;

    (void)argc;
    fs_open_standard();
    mallopt(M_ARENA_MAX, 2);
    log_setup("slipwayd", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    sig_setup();
    cancel_init(&d->c.stop);
    r = opt_parse(&operands, sets, (const char *const *)argv + 1, OPT_ANYWHERE, &e);
    if (r == 0 && operands.count)
        r = err_set(&e, ERR_USAGE, "slipwayd takes no %s", operands.items[0]);
    if (r == 0 && d->o.help) {
        print_help();
    } else if (r == 0 && d->o.version) {
        puts("slipwayd " SLIPWAY_VERSION);
    } else if (r == 0) {
        log_setup("slipwayd", d->o.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
                  d->o.json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
        r = run(d, &e);
    }
    clear(d);
    free(d);
    if (r < 0)
        log_error("%s", e.msg);
    return r < 0 ? err_exit_status(e.code) : 0;
}
