/* SPDX-License-Identifier: MIT */
#include "base/release.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool release_is_digest(const char *name)
{
    return strlen(name) == RELEASE_NAME_SIZE - 1 &&
           strspn(name, "0123456789abcdef") == RELEASE_NAME_SIZE - 1;
}

bool release_home(char *out, size_t size)
{
    static const char folder[] = "/releases/";
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    char *slash, *releases;

    if (n <= 0 || (size_t)n >= size - 1)
        return false;
    out[n] = '\0';
    slash = strrchr(out, '/');
    if (!slash)
        return false;
    *slash = '\0';
    releases = strstr(out, folder);
    if (releases && release_is_digest(releases + sizeof(folder) - 1))
        *releases = '\0';
    return true;
}

bool release_read(char out[RELEASE_NAME_SIZE], int dir, const char *link)
{
    char text[RELEASE_NAME_SIZE + 1];
    ssize_t n = readlinkat(dir, link, text, sizeof(text) - 1);
    bool there = n > 0;

    text[there ? n : 0] = '\0';
    if (release_is_digest(text))
        memcpy(out, text, RELEASE_NAME_SIZE);
    else
        memcpy(out, RELEASE_IMAGE, sizeof(RELEASE_IMAGE));
    return there;
}

bool release_previous(char out[RELEASE_NAME_SIZE], int dir, const char *current)
{
    bool there = release_read(out, dir, RELEASE_PREVIOUS);

    return there && strcmp(out, current) == 0 ? release_read(out, dir, RELEASE_BEFORE) : there;
}

int release_switch(int dir, const char *link, const char *name)
{
    char made[NAME_MAX];

    snprintf(made, sizeof(made), ".%s.%d", link, (int)getpid());
    unlinkat(dir, made, 0);
    if (symlinkat(name, dir, made) < 0)
        return -1;
    return renameat(dir, made, dir, link);
}
