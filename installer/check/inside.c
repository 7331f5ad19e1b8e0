/* SPDX-License-Identifier: MIT */
#include "check/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/embed.h"
#include "base/mem.h"
#include "conf/units.h"

enum {
    ZOMBIES_MAX = 50, /* from here on it is more than a slip */
    RECENT_MS = 10 * 60 * 1000,
    CRASHES = 3, /* fewer are what Docker's restart policy is there for: healed, and in `status` */
    FIELDS = 5
};

static const int64_t LOG_WARN = (int64_t)100 << 20, LOG_FAILED = (int64_t)1 << 30;

EMBED_TEXT(check_inside_script, "installer/check/inside.sh");

void check_inside_clear(struct check_inside *i)
{
    node_free(i->inspect);
    node_free(i->expected);
    free(i->said);
    i->inspect = i->expected = NULL;
    i->said = NULL;
}

/* ---- what the script said ---- */

/* The lines that begin with a word, each split into at most FIELDS words, the last one the rest. */
struct line {
    char *field[FIELDS];
    char *text; /* owned */
};

static size_t lines_of(struct line **out, const struct check_inside *i, const char *word,
                       size_t fields)
{
    auto_strv struct strv all = {0};
    size_t count = 0, len = strlen(word);

    *out = NULL;
    strv_split(&all, i->said ? i->said : "", "\n");
    for (size_t n = 0; n < all.count; n++) {
        struct line l = {0};
        char *at;

        if (strncmp(all.items[n], word, len) != 0 || all.items[n][len] != ' ')
            continue;
        at = l.text = mem_strdup(all.items[n] + len + 1);
        for (size_t f = 0; f < fields; f++) {
            char *space = f + 1 < fields ? strchr(at, ' ') : NULL;

            l.field[f] = at;
            if (space)
                *space++ = '\0';
            at = space ? space : at + strlen(at);
        }
        *out = mem_grow(*out, count + 1, sizeof(l));
        (*out)[count++] = l;
    }
    return count;
}

static void lines_free(struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(lines[i].text);
    free(lines);
}

enum { PID, PPID, STATE, NAME, PROCESS_FIELDS };

static bool is_zombie(const struct line *l)
{
    return strcmp(l->field[STATE], "Z") == 0;
}

static const char *name_of(const struct line *lines, size_t count, const char *pid)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(lines[i].field[PID], pid) == 0)
            return lines[i].field[NAME];
    return "?";
}

/* One that is seen twice: between the end of a process and its parent's wait there is always a
 * moment. */
size_t check_inside_zombies(struct check *c, const struct check_inside *i)
{
    struct line *first, *again;
    size_t a = lines_of(&first, i, "process", PROCESS_FIELDS);
    size_t b = lines_of(&again, i, "again", PROCESS_FIELDS);
    const struct line *example = NULL;
    size_t zombies = 0;

    for (size_t n = 0; n < a; n++)
        for (size_t m = 0; is_zombie(&first[n]) && m < b; m++)
            if (is_zombie(&again[m]) && strcmp(first[n].field[PID], again[m].field[PID]) == 0) {
                example = &first[n];
                zombies++;
            }
    if (zombies)
        check_add(c, "containers.zombies", zombies < ZOMBIES_MAX ? CHECK_WARNING : CHECK_FAILED,
                  "`slipway restart` of the instance ends them; the parent has a bug: it does not "
                  "wait for its children",
                  "%s has %zu zombie%s: %s, whose parent is %s (process %s)", i->instance, zombies,
                  zombies == 1 ? "" : "s", example->field[NAME],
                  name_of(first, a, example->field[PPID]), example->field[PPID]);
    lines_free(first, a);
    lines_free(again, b);
    return zombies > 0;
}

size_t check_inside_agent(struct check *c, const struct check_inside *i)
{
    struct line *lines;
    size_t count = lines_of(&lines, i, "process", PROCESS_FIELDS);
    const char *init = name_of(lines, count, "1");
    bool agent = false, good;

    for (size_t n = 0; n < count; n++)
        agent = agent || (strcmp(lines[n].field[NAME], "slipway-agent") == 0 &&
                          !is_zombie(&lines[n]) && strcmp(lines[n].field[PPID], "1") == 0);
    good = agent && strcmp(init, "slipway-init") == 0;
    if (!good && i->said)
        check_add(c, "containers.processes", CHECK_FAILED,
                  "`slipway logs` of the instance says why; `slipway restart` of it",
                  "%s: %s%s%s%s", i->instance, agent ? "" : "no slipway-agent runs",
                  !agent && strcmp(init, "slipway-init") != 0 ? ", and " : "",
                  strcmp(init, "slipway-init") != 0 ? "process 1 is " : "",
                  strcmp(init, "slipway-init") != 0 ? init : "");
    lines_free(lines, count);
    return !good && i->said;
}

/* The first name that was not found, or found elsewhere. */
size_t check_inside_names(struct check *c, const struct check_inside *i)
{
    struct line *lines;
    size_t count = lines_of(&lines, i, "name", 2), bad = 0;

    for (size_t n = 0; n < count && bad == 0; n++) {
        const char *name = lines[n].field[0], *got = lines[n].field[1];
        const char *want = node_get_text(i->expected, name);

        if (strcmp(got, "-") == 0)
            check_add(c, "containers.names", CHECK_FAILED,
                      "look at /etc/resolv.conf there: Docker's own 127.0.0.11 belongs in it; "
                      "`slipway restart` of the instance writes it again",
                      "%s does not find %s in the network's DNS", i->instance, name);
        else if (want && strcmp(got, want) != 0)
            check_add(c, "containers.names", CHECK_FAILED,
                      "look at /etc/hosts and /etc/resolv.conf there, and for another container of "
                      "that name in the network",
                      "%s finds %s at %s, which is at %s", i->instance, name, got, want);
        else
            continue;
        bad++;
    }
    lines_free(lines, count);
    return bad;
}

size_t check_inside_permissions(struct check *c, const struct check_inside *i)
{
    struct line *lines;
    size_t count = lines_of(&lines, i, "file", 3), bad = 0;

    for (size_t n = 0; n < count; n++) {
        unsigned long mode = strtoul(lines[n].field[0], NULL, 8);

        if ((mode & 077) == 0)
            continue;
        bad++;
        check_add(c, "containers.permissions", CHECK_FAILED,
                  "`slipway restart` of the instance writes it again; find out who changed it",
                  "%s: %s, of %s, may be read by others: mode %04lo", i->instance,
                  lines[n].field[2], lines[n].field[1], mode);
    }
    lines_free(lines, count);
    return bad;
}

/* ---- what Docker said ---- */

/* Docker's times are like 2026-01-31T23:59:59.123456789Z, and text in that form is in order. */
size_t check_inside_starts(struct check *c, const struct check_inside *i, int64_t now_wall_ms)
{
    int64_t crashes = node_get_int(i->inspect, "RestartCount", 0);
    const struct node *state = node_get(i->inspect, "State");
    const char *started = node_get_text(state, "StartedAt");
    char recent[32];

    clock_format(recent, now_wall_ms - RECENT_MS);
    if (node_get_bool(state, "OOMKilled", false)) {
        check_add(
            c, "containers.processes", CHECK_FAILED,
            "give the instance more memory (`memory:` in the document), or its daemon less to "
            "do",
            "%s ran out of its memory, and the kernel killed a process of it", i->instance);
        return 1;
    }
    if (crashes < CRASHES || !started || strncmp(started, recent, 19) < 0)
        return 0;
    check_add(c, "containers.processes", CHECK_WARNING, "`slipway logs` of the instance says why",
              "%s ended by itself and was started again by Docker, %lld times so far, last at %s",
              i->instance, (long long)crashes, started);
    return 1;
}

static const int64_t NO_END = INT64_MAX / 2;

/* What Docker may keep of a log: 0 when there is no limit. Docker writes 10m, 1g. */
static int64_t limit_of(const struct node *config)
{
    static const char units[] = "kmg";
    const char *size = node_get_text(config, "max-size");
    char *end = NULL;
    int64_t bytes = size ? strtoll(size, &end, 10) : 0;
    int64_t files = node_get_int(config, "max-file", 1);

    if (bytes <= 0)
        return 0;
    const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
    for (long i = unit ? unit - units : -1; i >= 0; i--)
        if (__builtin_mul_overflow(bytes, 1024, &bytes))
            return NO_END;
    return __builtin_mul_overflow(bytes, files > 0 ? files : 1, &bytes) ? NO_END : bytes;
}

size_t check_inside_log(struct check *c, const struct check_inside *i, int64_t bytes)
{
    const struct node *log = node_find(i->inspect, "HostConfig.LogConfig");
    const char *type = node_get_text(log, "Type");
    int64_t limit;

    if (!type || (strcmp(type, "json-file") != 0 && strcmp(type, "local") != 0))
        return 0; /* somebody else keeps it */
    /* The driver `local` has one by default. */
    limit = strcmp(type, "local") == 0 && !node_find(log, "Config.max-size")
                ? LOG_WARN
                : limit_of(node_get(log, "Config"));
    if (limit == 0 && bytes < LOG_WARN)
        check_add(c, "containers.logs", CHECK_WARNING,
                  "`slipway up` recreates it with the limit that all have",
                  "the log of %s has no limit and may fill the disk", i->instance);
    else if (bytes >= (limit ? 2 * limit : LOG_WARN))
        check_add(c, "containers.logs", bytes >= LOG_FAILED ? CHECK_FAILED : CHECK_WARNING,
                  limit
                      ? "Docker does not cut it: look at who else writes there; `slipway restart` "
                        "of the instance"
                      : "`slipway up` recreates it with the limit that all have",
                  "the log of %s has %lld MiB%s", i->instance, (long long)(bytes >> 20),
                  limit ? ", more than its limit" : " and no limit");
    else
        return 0;
    return 1;
}
