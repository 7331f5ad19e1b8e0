/* SPDX-License-Identifier: MIT */
/* Words that hands bring along from other tools. One sentence says ours; none of them is done. */
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"

static const struct foreign {
    const char *words; /* the command, then perhaps one option, anywhere behind it */
    const char *ours;
} foreign[] = {
    {"ps", "`slipway status` lists the instances"},
    {"ls", "`slipway list` lists the environments, `slipway status` the instances"},
    {"rm", "`slipway remove INSTANCE` removes a container, `slipway down` all of them"},
    {"kill", "`slipway stop INSTANCE` ends one"},
    {"inspect", "`slipway show INSTANCE` shows one"},
    {"scale", "change `instances` in your file and run `slipway up FILE`"},
    {"volume ls", "`slipway volume list` lists the volumes"},
    {"volume rm", "`slipway volume delete VOLUME` deletes one"},
    {"volume inspect", "`slipway volume show VOLUME` shows one"},
    {"pool ls", "`slipway pool list` lists the pools"},
    {"pool rm", "`slipway pool delete POOL` deletes one"},
    {"up -d", "`slipway up` always ends when all is up, and leaves the containers running"},
    {"up --detach", "`slipway up` always ends when all is up, and leaves the containers running"},
    {"up -y", "`slipway up` asks nothing; `slipway plan` shows first what it would do"},
    {"up --yes", "`slipway up` asks nothing; `slipway plan` shows first what it would do"},
    {"up --dry-run", "`slipway plan` shows what `slipway up` would do"},
    {"down -v", "`slipway down --volumes` removes the data too, --verbose says more"},
};

/* Whether argv begins with the words; an option among them may stand anywhere before a "--". */
static bool matches(const char *words, const char *const *argv)
{
    while (*words && *words != '-') {
        size_t len = strcspn(words, " ");

        if (!*argv || strlen(*argv) != len || memcmp(*argv, words, len) != 0)
            return false;
        argv++;
        words += len + (words[len] == ' ');
    }
    if (!*words)
        return true;
    for (; *argv && strcmp(*argv, "--") != 0; argv++)
        if (strcmp(*argv, words) == 0)
            return true;
    return false;
}

int cmd_refuse_foreign(const char *const *argv, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        if (matches(foreign[i].words, argv))
            return err_set(e, ERR_USAGE, "there is no `slipway %s`: %s", foreign[i].words,
                           foreign[i].ours);
    return 0;
}
