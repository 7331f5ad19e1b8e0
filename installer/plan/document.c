/* SPDX-License-Identifier: MIT */
#include "plan/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"

enum { DOCUMENT_MAX = 8 << 20 };

static bool holds(const char *path, const char *text)
{
    auto_free char *have = NULL;
    size_t len = 0;
    struct err ignored;

    return fs_read(&have, &len, path, DOCUMENT_MAX, &ignored) == 0 && strcmp(have, text) == 0;
}

bool document_is_saved(const char *folder, const struct node *document)
{
    auto_free char *path = fs_join(folder, "document.json");
    auto_free char *text = json_text(document);

    return holds(path, text);
}

int document_save(const char *folder, const struct node *document, struct err *e)
{
    auto_free char *path = fs_join(folder, "document.json");
    auto_free char *text = json_text(document);
    struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};

    /* Writing it again takes two waits for the disk. */
    return holds(path, text) ? 0 : fs_write(path, text, strlen(text), &o, e);
}

int document_load(struct node **out, const char *folder, struct err *e)
{
    auto_free char *path = fs_join(folder, "document.json");
    auto_free char *text = NULL;
    size_t len = 0;

    if (fs_read(&text, &len, path, DOCUMENT_MAX, e) < 0)
        return -1;
    return json_parse(out, path, text, len, e);
}
