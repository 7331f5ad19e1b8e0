/* SPDX-License-Identifier: MIT */
/* What a container sends as an archive: nothing may appear outside the folder, and nothing but
 * files and folders inside. The first byte says in which pieces it comes. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "engine/untar.h"

static void only_files_and_folders(int dir)
{
    DIR *d = fdopendir(dir);
    struct dirent *n;
    struct stat st;

    while (d && (n = readdir(d))) {
        if (n->d_name[0] == '.' && (!n->d_name[1] || (n->d_name[1] == '.' && !n->d_name[2])))
            continue;
        if (fstatat(dirfd(d), n->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
            abort();
        if (st.st_mode & 07022)
            abort();
        if (S_ISDIR(st.st_mode))
            only_files_and_folders(
                openat(dirfd(d), n->d_name, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    }
    if (d)
        closedir(d);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char outer[] = "/tmp/slipway-fuzz.XXXXXX";
    size_t step = size ? data[0] + 1u : 1;
    struct strv names = {0};
    struct untar *u;
    struct err e;
    int top, inner;

    if (size < 1 || !mkdtemp(outer))
        return 0;
    top = open(outer, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    if (mkdirat(top, "inner", 0700) < 0)
        abort();
    inner = openat(top, "inner", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    u = untar_new(inner, "it");
    for (size_t at = 1; at < size; at += step)
        if (untar_feed(u, (const char *)data + at, size - at < step ? size - at : step, &e) < 0)
            break;
    untar_end(u, &e);
    untar_free(u);
    if (fs_list(&names, outer, &e) < 0 || names.count != 1)
        abort();
    strv_clear(&names);
    only_files_and_folders(inner);
    close(top);
    fs_remove_tree(outer, &e);
    return 0;
}
