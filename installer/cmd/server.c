/* SPDX-License-Identifier: MIT */
#include "cmd/server.h"

#include <string.h>

#include "base/mem.h"
#include "base/sig.h"

bool cmd_server_is_option(const struct opt_spec *o)
{
    return o->name && (strncmp(o->name, "server", strlen("server")) == 0 ||
                       strcmp(o->name, "token-file") == 0);
}

static const char *either(const char *option, const char *variable)
{
    return option ? option : cmd_variable(variable);
}

static int refuse(const struct cmd *c, struct err *e)
{
    auto_strv struct strv names = {0};
    auto_free char *list = NULL;

    for (size_t i = 0; cmd_all[i]; i++)
        if (cmd_all[i]->server)
            strv_add(&names, cmd_all[i]->help.name);
    list = strv_join(&names, ", ");
    return err_set(e, ERR_USAGE, "%s does not work with --server (or SLIPWAY_SERVER); these do: %s",
                   c->help.name, list);
}

/* Who names an environment, a file or a folder on the command line means this machine, whatever
 * the variable says. */
int cmd_server_settle(struct cmd_context *x, const struct cmd *c, struct err *e)
{
    bool here = x->name || x->file || x->catalogs.count;
    bool asked = x->server;

    if (!asked && (x->token_file || x->server_pin || x->server_ca) &&
        !cmd_variable("SLIPWAY_SERVER"))
        return err_set(e, ERR_USAGE, "--token-file, --server-pin and --server-ca go with --server");
    if (asked && here)
        return err_set(e, ERR_USAGE,
                       "--server has one environment and its own catalog: --env, --file and "
                       "--catalog do not go with it");
    if (!asked && !here)
        x->server = cmd_variable("SLIPWAY_SERVER");
    if (!x->server || c->server)
        return 0;
    if (asked || c->needs || c->opens)
        return refuse(c, e);
    x->server = NULL;
    return 0;
}

int cmd_server_open(struct cmd_context *x, struct err *e)
{
    const struct remote_opts o = {.url = x->server,
                                  .token_file = either(x->token_file, "SLIPWAY_TOKEN_FILE"),
                                  .pin = either(x->server_pin, "SLIPWAY_SERVER_PIN"),
                                  .ca = either(x->server_ca, "SLIPWAY_SERVER_CA"),
                                  .timeout_ms = x->timeout_ms,
                                  .cancel = sig_cancel()};

    return remote_open(&x->remote, &o, e);
}
