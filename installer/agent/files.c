/* SPDX-License-Identifier: MIT */
#include "agent/files.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/sshd.h"
#include "agent/user.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/yaml.h"
#include "crypto/crypto.h"
#include "base/release.h"
#include "model/render.h"
#include "model/secret.h"

enum { FILES_MAX = 256, RENDERED_MAX = 4 << 20, REDACT_MAX = 256 };
static const char image_run[] = "/run/slipway/"; /* as manifests write it */

struct file {
    char *path, *data;
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

struct files {
    struct file *items;
    size_t count;
    char *secrets_dir, *run_dir;
};

/* A file to be made. */
struct files_item {
    char *path; /* taken */
    char *data; /* taken */
    mode_t mode;
    const char *owner; /* a user's name; NULL: root */
};

void files_free(struct files *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++) {
        free(f->items[i].path);
        mem_wipe_str(f->items[i].data);
    }
    free(f->items);
    free(f->secrets_dir);
    free(f->run_dir);
    free(f);
}

void files_cleanup(struct files **f)
{
    files_free(*f);
}

static int add_file(struct files *f, struct files_item item, struct err *e)
{
    auto_free char *path = item.path;
    auto_wipe char *data = item.data;
    struct user user;

    if (f->count >= FILES_MAX)
        return err_set(e, ERR_CONFIG, "more than %d files", FILES_MAX);
    if (user_find(&user, item.owner, e) < 0)
        return err_wrap(e, "file %s", path);
    f->items = mem_grow(f->items, f->count + 1, sizeof(*f->items));
    f->items[f->count++] = (struct file){.path = steal(path),
                                         .data = steal(data),
                                         .mode = item.mode,
                                         .uid = user.uid,
                                         .gid = user.gid};
    return 0;
}

/* ---- secrets ---- */

/* Value of a secret, opened and registered for redaction. Owned; wipe it. */
static int open_secret(char **out, const struct files_source *s, const char *name, struct err *e)
{
    *out = NULL;
    const char *stored = tree_get(s->tree, TREE_PART_SECRET, name);
    if (!stored)
        return err_set(e, ERR_CONFIG, "secret %s is not stored", name);
    bool sealed = strncmp(stored, "v1:", 3) == 0;
    if (!sealed && s->tree->clear_secrets) {
        *out = mem_strdup(stored);
    } else if (!s->password) {
        return err_set(e, ERR_AUTH, "secret %s is sealed, and the link has no password", name);
    } else {
        auto_free char *bound = mem_printf("%s/%s", s->tree->instance, name);
        size_t len = 0;

        if (crypto_open(out, &len, s->password, bound, stored, e) < 0)
            return -1;
    }
    if (strlen(*out) <= REDACT_MAX)
        log_redact(*out);
    return 0;
}

/* The end of the PEM text that begins at `at`: behind its line "-----END ...-----". */
static const char *pem_end(const char *at)
{
    const char *end = strstr(at, "-----END ");

    end = end ? strchr(end, '\n') : NULL;
    return end ? end + 1 : NULL;
}

static int add_tls(struct files *f, const struct files_source *s, const char *name,
                   const char *value, struct err *e)
{
    static const char *const suffixes[] = {"key", "crt", "ca"};

    if (!*value) /* a snapshot written by hand may say: without TLS */
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        const char *end = pem_end(value);

        if (!end)
            return err_set(e, ERR_CONFIG, "secret %s is not key, certificate and CA", name);
        struct files_item item = {.path = mem_printf("%s/%s.%s", f->secrets_dir, name, suffixes[i]),
                                  .data = mem_strndup(value, (size_t)(end - value)),
                                  .mode = 0400,
                                  .owner = s->manifest->run.user};
        if (add_file(f, item, e) < 0)
            return -1;
        value = end;
    }
    return 0;
}

static int add_secret(struct files *f, const struct files_source *s, const struct secret_decl *d,
                      struct err *e)
{
    auto_wipe char *value = NULL;

    if (open_secret(&value, s, d->name, e) < 0)
        return -1;
    if (d->kind == SECRET_KIND_TLS)
        return add_tls(f, s, d->name, value, e);
    struct files_item item = {.path = mem_printf("%s/%s", f->secrets_dir, d->name),
                              .data = steal(value),
                              .mode = 0400,
                              .owner = s->manifest->run.user};
    return add_file(f, item, e);
}

static int add_ssh(struct files *f, const char *name, char *data, struct err *e)
{
    struct files_item item = {
        .path = mem_printf("%s/ssh/%s", f->run_dir, name), .data = data, .mode = 0600};

    return add_file(f, item, e);
}

/* What the key that deploys may do: run our own command, and nothing else. "": there is no such
 * key, as the environment was made before there were any. */
static int deploy_line(char **out, const struct files_source *s, struct err *e)
{
    auto_wipe char *key = NULL;
    char home[PATH_MAX];

    *out = NULL;
    if (!tree_get(s->tree, TREE_PART_SECRET, SECRET_SSH_DEPLOY) ||
        !release_home(home, sizeof(home))) {
        *out = mem_strdup("");
        return 0;
    }
    if (open_secret(&key, s, SECRET_SSH_DEPLOY, e) < 0)
        return -1;
    *out = mem_printf("restrict,command=\"%s/" RELEASE_AGENT " release forced\" %s\n", home, key);
    return 0;
}

/* Host key, authorized keys and configuration of sshd. */
static int add_sshd(struct files *f, const struct files_source *s, struct err *e)
{
    auto_wipe char *host_key = NULL;
    auto_wipe char *authorized = NULL;
    auto_wipe char *deploy = NULL;

    if (open_secret(&host_key, s, SECRET_SSH_HOST_KEY, e) < 0 ||
        open_secret(&authorized, s, SECRET_SSH_AUTHORIZED, e) < 0 || deploy_line(&deploy, s, e) < 0)
        return -1;
    if (add_ssh(f, "host_key", steal(host_key), e) < 0 ||
        add_ssh(f, "authorized_keys", mem_printf("%s\n%s", authorized, deploy), e) < 0)
        return -1;
    return add_ssh(f, "sshd_config", sshd_config(f->run_dir), e);
}

/* ---- templates ---- */

/* Outside of a container the run directory is another one. */
static char *place(const char *path, const char *run)
{
    size_t len = sizeof(image_run) - 1;

    if (strncmp(path, image_run, len) == 0)
        return fs_join(run, path + len);
    return mem_strdup(path);
}

static int add_template(struct files *f, const struct files_source *s,
                        const struct template_decl *d, struct err *e)
{
    auto_free char *path = mem_printf("%s/templates/%s", s->manifest->dir, d->name);
    auto_node struct node *tree = NULL;
    auto_node struct node *expanded = NULL;
    auto_buf struct buf text;

    buf_init(&text, RENDERED_MAX);
    if (yaml_load(&tree, path, e) < 0 || render_expand(&expanded, tree, s->config->vars, e) < 0 ||
        render_format(&text, d->format, expanded, e) < 0)
        return err_wrap(e, "template %s", d->name);
    if (text.full)
        return err_set(e, ERR_CONFIG, "template %s: more than %d bytes", d->name, RENDERED_MAX);
    struct files_item item = {.path = place(d->path, f->run_dir),
                              .data = buf_take(&text),
                              .mode = d->mode,
                              .owner = d->owner};
    return add_file(f, item, e);
}

int files_build(struct files **out, const struct files_source *s, struct err *e)
{
    *out = NULL;
    auto_files struct files *f = mem_alloc(sizeof(*f));
    f->run_dir = mem_strdup(s->config->run);
    f->secrets_dir = fs_join(f->run_dir, "secrets");
    const struct manifest *m = s->manifest;
    for (size_t i = 0; i < m->secret_count; i++)
        if (add_secret(f, s, &m->secrets[i], e) < 0)
            return -1;
    for (size_t i = 0; i < m->template_count; i++)
        if (add_template(f, s, &m->templates[i], e) < 0)
            return -1;
    if (sshd_is_wanted(s->tree) && add_sshd(f, s, e) < 0)
        return -1;
    *out = steal(f);
    return 0;
}

static int write_one(const struct file *f, struct err *e)
{
    auto_free char *dir = mem_strdup(f->path);
    char *slash = strrchr(dir, '/');

    if (slash && slash != dir) {
        *slash = '\0';
        if (fs_mkdirs(dir, 0755, e) < 0)
            return -1;
    }
    struct fs_write_opts o = {.mode = f->mode, .uid = f->uid, .gid = f->gid};
    return fs_write(f->path, f->data, strlen(f->data), &o, e);
}

int files_write(const struct files *f, struct err *e)
{
    if (fs_mkdirs(f->run_dir, 0755, e) < 0 || fs_mkdirs(f->secrets_dir, 0711, e) < 0)
        return -1;
    if (chmod(f->secrets_dir, 0711) < 0)
        return err_sys(e, "directory %s", f->secrets_dir);
    for (size_t i = 0; i < f->count; i++)
        if (write_one(&f->items[i], e) < 0)
            return -1;
    return 0;
}
