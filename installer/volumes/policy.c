/* SPDX-License-Identifier: MIT */
#include "volumes/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"

enum { PARTS_MAX = 32, DIGITS_MAX = 2 };

/* Digits up to `end`, which must follow them. */
static bool number(int64_t *out, const char **at, char end)
{
    size_t digits = strspn(*at, "0123456789");

    if (digits == 0 || digits > DIGITS_MAX || (*at)[digits] != end)
        return false;
    *out = strtol(*at, NULL, 10);
    *at += digits + (end != '\0');
    return true;
}

static bool parse_word(struct volume_policy *p, const char *word)
{
    int64_t *to = word[0] == 'c' ? &p->c : word[0] == 'x' ? &p->x : NULL;
    const char *at = word + 2;

    return to && *to == 0 && word[1] == '=' && number(to, &at, '\0') && *to > 0;
}

static int check(const struct volume_policy *p, const char *text, struct err *e)
{
    int64_t n = p->k + p->m;

    if (p->k < 1 || (p->m == 0 && p->k > 1) || n > PARTS_MAX)
        return err_set(e, ERR_CONFIG,
                       "policy \"%.40s\": k and m are 1 or more, together at most %d", text,
                       PARTS_MAX);
    if (p->c && (p->c < p->k || p->c > n))
        return err_set(e, ERR_CONFIG, "policy \"%.40s\": c is %lld; %lld to %lld are allowed", text,
                       (long long)p->c, (long long)p->k, (long long)n);
    if (p->k == 1 && p->x > 1 && p->x < n)
        return err_set(e, ERR_CONFIG, "policy \"%.40s\": x of copies is 1, or %lld and more", text,
                       (long long)n);
    return 0;
}

int volume_policy_parse(struct volume_policy *out, const char *text, struct err *e)
{
    auto_strv struct strv words = {0};
    const char *at;

    *out = (struct volume_policy){0};
    strv_split(&words, text, " ,");
    at = words.count ? words.items[0] : "";
    if (!number(&out->k, &at, '+') || !number(&out->m, &at, '\0'))
        return err_set(e, ERR_CONFIG,
                       "\"%.40s\" is not a policy; write it like 4+2, or \"4+2 c=5 x=1\"", text);
    for (size_t i = 1; i < words.count; i++)
        if (!parse_word(out, words.items[i]))
            return err_set(e, ERR_CONFIG, "policy \"%.40s\": \"%.20s\" is neither c=N nor x=N",
                           text, words.items[i]);
    return check(out, text, e);
}

char *volume_policy_format(const struct volume_policy *p)
{
    auto_free char *c = p->c ? mem_printf(" c=%lld", (long long)p->c) : mem_strdup("");
    auto_free char *x = p->x ? mem_printf(" x=%lld", (long long)p->x) : mem_strdup("");

    return mem_printf("%lld+%lld%s%s", (long long)p->k, (long long)p->m, c, x);
}
