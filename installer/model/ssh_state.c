/* SPDX-License-Identifier: MIT */
#include "model/ssh_state.h"

#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"

enum { GENERATION_MAX = 1000000, FILE_MAX = 4096 };

static unsigned number(const struct node *map, const char *name)
{
    int64_t n = node_get_int(map, name, 0);

    return n > 0 && n <= GENERATION_MAX ? (unsigned)n : 0;
}

void ssh_state_read(struct ssh_state *out, const struct node *root)
{
    const struct node *map = node_get(root, "ssh");

    out->generation = number(map, "generation");
    out->next = number(map, "next");
    out->previous = number(map, "previous");
    if (!out->generation)
        out->generation = 1;
}

void ssh_state_write(struct node *root, const struct ssh_state *s)
{
    struct node *map;

    if (s->generation <= 1 && !s->next && !s->previous) {
        node_remove(root, "ssh");
        return;
    }
    map = node_set(root, "ssh", node_new_map());
    node_set_int(map, "generation", s->generation ? s->generation : 1);
    if (s->next)
        node_set_int(map, "next", s->next);
    if (s->previous)
        node_set_int(map, "previous", s->previous);
}

void ssh_state_load(struct ssh_state *out, const char *folder)
{
    auto_free char *path = fs_join(folder, "ssh.json");
    auto_free char *text = NULL;
    auto_node struct node *root = NULL;
    size_t len = 0;
    struct err ignored; /* etcd has it, too */

    if (fs_read(&text, &len, path, FILE_MAX, &ignored) == 0)
        json_parse(&root, path, text, len, &ignored);
    ssh_state_read(out, root);
}

int ssh_state_save(const char *folder, const struct ssh_state *s, struct err *e)
{
    auto_free char *path = fs_join(folder, "ssh.json");
    auto_node struct node *root = node_new_map();
    auto_free char *text = NULL;
    const struct fs_write_opts o = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};

    ssh_state_write(root, s);
    text = json_text(root);
    return fs_write(path, text, strlen(text), &o, e);
}
