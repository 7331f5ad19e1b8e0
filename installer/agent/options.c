/* SPDX-License-Identifier: MIT */
#include "agent/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/link_input.h"
#include "base/fs.h"
#include "base/mem.h"

static const char default_component[] = "/usr/lib/slipway/component";
static const char default_run[] = "/run/slipway";
static const char default_state[] = "/var/lib/slipway";
static const char default_link[] = "/etc/slipway/link";
static const char set_prefix[] = "SLIPWAY_SET_";

static char *from_env(const char *name, const char *fallback)
{
    const char *value = getenv(name);

    return mem_strdup(value && *value ? value : fallback);
}

static void replace(char **field, const char *value)
{
    free(*field);
    *field = mem_strdup(value);
}

/* Hooks and the daemon have other working directories. */
static void make_absolute(char **path)
{
    auto_free char *here = *path && **path != '/' ? getcwd(NULL, 0) : NULL;

    if (!here)
        return;
    char *joined = fs_join(here, *path);
    free(*path);
    *path = joined;
}

static bool is_link(const char *word)
{
    return strncmp(word, "etcd://", 7) == 0 || strncmp(word, "etcds://", 8) == 0 ||
           strncmp(word, "file://", 7) == 0;
}

/* The value of "--name=value" or of "--name value"; NULL when the word is another one. */
static const char *option_value(const char *const *argv, size_t *i, const char *name)
{
    size_t len = strlen(name);
    const char *word = argv[*i];

    if (strncmp(word, name, len) != 0)
        return NULL;
    if (word[len] == '=')
        return word + len + 1;
    if (word[len] || !argv[*i + 1])
        return NULL;
    return argv[++*i];
}

static bool take_option(struct options *o, const char *const *argv, size_t *i)
{
    const char *value;

    if ((value = option_value(argv, i, "--component")))
        replace(&o->component_dir, value);
    else if ((value = option_value(argv, i, "--run")))
        replace(&o->run_dir, value);
    else if ((value = option_value(argv, i, "--data")))
        replace(&o->data_dir, value);
    else if ((value = option_value(argv, i, "--set")))
        strv_add(&o->set, value);
    else
        return false;
    return true;
}

static void read_environment(struct options *o)
{
    for (char **v = environ; v && *v; v++)
        if (strncmp(*v, set_prefix, sizeof(set_prefix) - 1) == 0)
            strv_add(&o->set_env, *v + sizeof(set_prefix) - 1);
}

static int take_command(struct options *o, const char *const *argv, struct err *e)
{
    const char *word = argv[1];

    if (!word)
        return 0;
    if (strcmp(word, "version") == 0 && !argv[2]) {
        o->command = COMMAND_VERSION;
        return 1;
    }
    if (strcmp(word, "health") == 0) {
        o->command = COMMAND_HEALTH;
        return 1;
    }
    if (strcmp(word, "keys") == 0 && !argv[2]) {
        o->command = COMMAND_KEYS;
        return 1;
    }
    if (strcmp(word, "volume-rules") == 0 && !argv[2]) {
        o->command = COMMAND_RULES;
        return 1;
    }
    if (strcmp(word, "release") == 0) {
        o->command = COMMAND_RELEASE;
        return 1;
    }
    if (strcmp(word, "hook") == 0) {
        if (!argv[2] || strchr(argv[2], '/') || argv[2][0] == '-')
            return err_set(e, ERR_USAGE, "hook: say which one, as in: slipway-agent hook check");
        o->command = COMMAND_HOOK;
        o->hook = mem_strdup(argv[2]);
        return 2;
    }
    return 0;
}

int options_parse(struct options *o, const char *const *argv, struct err *e)
{
    *o = (struct options){0};
    o->component_dir = from_env("SLIPWAY_HOME", default_component);
    o->run_dir = from_env("SLIPWAY_RUN", default_run);
    o->state_dir = from_env("SLIPWAY_STATE", default_state);
    const char *data = getenv("SLIPWAY_DATA");
    o->data_dir = data && *data ? mem_strdup(data) : NULL;
    read_environment(o);
    int words = take_command(o, argv, e);
    if (words < 0)
        return -1;
    for (size_t i = 1 + (size_t)words; argv[0] && argv[i]; i++) {
        if (take_option(o, argv, &i))
            continue;
        if (o->command == COMMAND_HOOK || o->command == COMMAND_RELEASE) {
            strv_add(&o->rest, argv[i]);
            continue;
        }
        if (o->command != COMMAND_RUN)
            return err_set(e, ERR_USAGE, "unexpected argument \"%s\"", argv[i]);
        if (is_link(argv[i]) && !o->link)
            o->link = mem_strdup(argv[i]);
        else
            strv_add(&o->rest, argv[i]);
    }
    make_absolute(&o->component_dir);
    make_absolute(&o->run_dir);
    make_absolute(&o->data_dir);
    if (o->link && o->rest.count)
        return err_set(e, ERR_USAGE, "the link is the only argument; \"%s\" is one too many",
                       o->rest.items[0]);
    return 0;
}

void options_clear(struct options *o)
{
    free(o->component_dir);
    free(o->run_dir);
    free(o->data_dir);
    free(o->state_dir);
    free(o->hook);
    strv_clear(&o->set);
    strv_clear(&o->set_env);
    strv_clear(&o->rest);
    mem_wipe_str(o->link);
    *o = (struct options){0};
}

int options_link(struct link **out, const struct options *o, struct err *e)
{
    *out = NULL;
    if (o->link)
        return link_parse(out, o->link, e);
    if (o->rest.count)
        return 0;
    const char *variable = getenv("SLIPWAY_LINK");
    if (variable && *variable)
        return link_parse(out, variable, e);
    auto_free char *path = from_env("SLIPWAY_LINK_FILE", default_link);
    if (link_file_read(out, path, e) == 0)
        return 0;
    if (e->code != ERR_NOTFOUND)
        return err_wrap(e, "link");
    if (link_input_is_there())
        return link_input_read(out, path, e);
    return err_set(e, ERR_USAGE, "no link: give it as the argument, in SLIPWAY_LINK or in %s",
                   path);
}
