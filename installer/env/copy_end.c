/* SPDX-License-Identifier: MIT */
#include "env/copy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/mem.h"
#include "env/copy_item.h"

int copy_end_parse(struct copy_end *out, const char *word, struct err *e)
{
    size_t len = strcspn(word, ":/");

    *out = (struct copy_end){0};
    if (!*word)
        return err_set(e, ERR_USAGE, "an empty path");
    if (word[len] != ':') {
        out->path = mem_strdup(word);
        return 0;
    }
    if (len == 0)
        return err_set(e, ERR_USAGE, "%s: name an instance in front of the colon, or write ./%s",
                       word, word);
    if (word[len + 1] != '/')
        return err_set(e, ERR_USAGE, "%s: the path in an instance begins with /", word);
    out->selector = mem_strndup(word, len);
    out->path = mem_strdup(word + len + 1);
    return 0;
}

void copy_end_clear(struct copy_end *end)
{
    free(end->selector);
    free(end->path);
    *end = (struct copy_end){0};
}

char *copy_end_name(const char *path)
{
    size_t len = strlen(path), first;

    while (len > 0 && path[len - 1] == '/')
        len--;
    for (first = len; first > 0 && path[first - 1] != '/';)
        first--;
    path += first;
    len -= first;
    if ((len == 1 && path[0] == '.') || (len == 2 && path[0] == '.' && path[1] == '.'))
        len = 0;
    return mem_strndup(path, len);
}

enum copy_kind copy_kind_of(mode_t *mode, const char *said)
{
    const char *file = "file ";
    char *end;

    *mode = 0600;
    if (strncmp(said, file, strlen(file)) == 0) {
        unsigned long bits = strtoul(said + strlen(file), &end, 8);

        if (strcmp(end, "\n") != 0)
            return COPY_KIND_OTHER;
        *mode = (mode_t)bits & 0755;
        return COPY_KIND_FILE;
    }
    if (strcmp(said, "none\n") == 0)
        return COPY_KIND_NONE;
    return strcmp(said, "folder\n") == 0 ? COPY_KIND_FOLDER : COPY_KIND_OTHER;
}

enum copy_kind copy_kind_here(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return COPY_KIND_NONE;
    return S_ISDIR(st.st_mode)   ? COPY_KIND_FOLDER
           : S_ISREG(st.st_mode) ? COPY_KIND_FILE
                                 : COPY_KIND_OTHER;
}

bool copy_is_well(const struct copy_item *it)
{
    return it->result->error.code == ERR_NONE;
}

/* ---- where it goes ---- */

int copy_decide(struct copy_item *it, struct err *e)
{
    enum copy_kind source = it->up ? it->here : it->there, target = it->up ? it->there : it->here;
    auto_free char *name = copy_end_name(it->from);
    const char *where = it->up ? "in the container" : "here";
    size_t len = strlen(it->to);

    if (source == COPY_KIND_NONE)
        return err_set(e, ERR_NOTFOUND, "there is no %s", it->from);
    if (source == COPY_KIND_OTHER)
        return err_set(e, ERR_CONFIG, "%s is neither a file nor a folder", it->from);
    if (target == COPY_KIND_FOLDER || (it->many && !it->up)) {
        it->target = *name ? mem_printf("%s%s%s", it->to, it->to[len - 1] == '/' ? "" : "/", name)
                           : mem_strdup(it->to);
    } else if (it->many || (it->to[len - 1] == '/' && source == COPY_KIND_FILE)) {
        return err_set(e, ERR_NOTFOUND, "there is no folder %s %s", it->to, where);
    } else if (target != COPY_KIND_NONE && source == COPY_KIND_FOLDER) {
        return err_set(e, ERR_CONFLICT, "%s is not a folder %s", it->to, where);
    } else {
        it->target = mem_strdup(it->to);
    }
    for (len = strlen(it->target); len > 1 && it->target[len - 1] == '/'; len--)
        it->target[len - 1] = '\0';
    it->result->to = mem_strdup(it->target);
    if (it->many && !it->up && copy_kind_here(it->to) == COPY_KIND_NONE)
        return fs_mkdirs(it->to, 0755, e);
    return 0;
}
