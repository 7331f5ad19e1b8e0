/* SPDX-License-Identifier: MIT */
#include "plan/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"
#include "model/secret.h"

enum { DOCUMENT_MAX = 8 << 20 };

static char *document_path(const char *env)
{
    auto_free char *home = secret_home(env);

    return fs_join(home, "document.json");
}

int document_save(const char *env, const struct node *document, struct err *e)
{
    auto_free char *path = document_path(env);
    auto_free char *text = json_text(document);
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    auto_free char *have = NULL;
    size_t len = 0;
    struct err ignored;

    /* Writing it again takes two waits for the disk. */
    if (fs_read(&have, &len, path, DOCUMENT_MAX, &ignored) == 0 && strcmp(have, text) == 0)
        return 0;
    return fs_write(path, text, strlen(text), &o, e);
}

int document_load(struct node **out, const char *env, struct err *e)
{
    auto_free char *path = document_path(env);
    auto_free char *text = NULL;
    size_t len = 0;

    if (fs_read(&text, &len, path, DOCUMENT_MAX, e) < 0)
        return -1;
    return json_parse(out, path, text, len, e);
}
