/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/mem.h"
#include "conf/schema.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

struct word_rule {
    const char *first, *rest, *not_last;
    size_t min, max;
    const char *help;
};

static const struct word_rule rules[] = {
    [SCHEMA_WORD_NAME] = {LOWER, LOWER DIGIT "-", "-", 1, 40,
                          "1 to 40 of a-z, 0-9 and -, a letter first and no - last"},
    [SCHEMA_WORD_KEY] = {LOWER, LOWER DIGIT "_", "", 1, 64,
                         "1 to 64 of a-z, 0-9 and _, a letter first"},
    [SCHEMA_WORD_FILE] = {LOWER UPPER DIGIT "_-", LOWER UPPER DIGIT "._-", "", 1, 100,
                          "a file name of letters, digits, . _ and -"},
    [SCHEMA_WORD_VOLUME] = {LOWER UPPER DIGIT, LOWER UPPER DIGIT "._-", "", 2, 200,
                            "2 to 200 letters, digits, . _ and -, a letter or digit first"},
    [SCHEMA_WORD_PATH] = {"/", NULL, "", 1, 255, "an absolute path without .."},
    [SCHEMA_WORD_UPPER] = {UPPER, UPPER "_", "_", 1, 40, "a capability like SYS_ADMIN"},
};

static bool has_parent_part(const char *path)
{
    for (const char *p = path; (p = strstr(p, "/..")); p += 3)
        if (p[3] == '/' || p[3] == '\0')
            return true;
    return false;
}

bool schema_word_is_valid(enum schema_word word, const char *text)
{
    if (word == SCHEMA_WORD_ANY)
        return true;
    const struct word_rule *r = &rules[word];
    size_t len = strlen(text);
    if (len < r->min || len > r->max || !strchr(r->first, text[0]))
        return false;
    if (word == SCHEMA_WORD_PATH) {
        for (const char *p = text; *p; p++)
            if ((unsigned char)*p < 0x20 || *p == 0x7F || strchr(":,\"'\\", *p))
                return false;
        return !has_parent_part(text);
    }
    return strspn(text, r->rest) == len && !strchr(r->not_last, text[len - 1]);
}

const char *schema_word_help(enum schema_word word)
{
    return word == SCHEMA_WORD_ANY ? "a text" : rules[word].help;
}
