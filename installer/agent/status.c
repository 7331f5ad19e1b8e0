/* SPDX-License-Identifier: MIT */
#include "agent/status.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "conf/json.h"

enum { FILE_MAX = 64 << 10, SILENT_MAX_MS = 60 * 1000, REASON_MAX = 500 };

static const char *const state_names[] = {"starting", "ready", "stopping", "failed"};
static const char *const health_names[] = {"unknown", "healthy", "unhealthy"};

bool status_set(struct status *s, enum state state, enum health health, const char *reason)
{
    bool moved = s->state != state || s->health != health || !s->since_ms;
    bool said = reason && (!s->reason || strcmp(s->reason, reason) != 0);

    if (moved) {
        s->state = state;
        s->health = health;
        s->since_ms = clock_wall_ms();
    }
    if (said) {
        free(s->reason);
        s->reason = mem_strndup(reason, strnlen(reason, REASON_MAX));
        for (char *c = s->reason; *c; c++)
            if ((unsigned char)*c < 0x20)
                *c = ' ';
    }
    return moved || said;
}

/* The folder that this program is in. */
static void find_own(char out[RELEASE_NAME_SIZE])
{
    char path[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash = n > 0 ? strrchr(path, '/') : NULL;

    if (slash)
        *slash = '\0';
    if (slash && release_is_digest(fs_basename(path)))
        memcpy(out, fs_basename(path), RELEASE_NAME_SIZE);
}

void status_find_release(struct status *s)
{
    char home[PATH_MAX];
    struct err e;

    find_own(s->release);
    s->release_since_ms = clock_wall_ms();
    strv_clear(&s->bad);
    if (!release_home(home, sizeof(home)))
        return;
    auto_free char *path = mem_printf("%s/releases/" RELEASE_BAD, home);
    if (fs_exists(path) && fs_list(&s->bad, path, &e) < 0)
        err_drop(&e, "the releases that were put back");
}

static const char *behind_number(const char *text)
{
    return text + strspn(text, "0123456789.");
}

bool status_reason_is_other(const char *a, const char *b)
{
    for (;;) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a = behind_number(a);
            b = behind_number(b);
        }
        if (*a != *b)
            return true;
        if (!*a)
            return false;
        a++;
        b++;
    }
}

void status_clear(struct status *s)
{
    free(s->reason);
    strv_clear(&s->bad);
    *s = (struct status){0};
}

static struct node *status_node(const struct status *s)
{
    struct node *n = node_new_map();

    node_set_text(n, "state", state_names[s->state]);
    node_set_text(n, "health", health_names[s->health]);
    node_set_text(n, "reason", s->reason ? s->reason : "");
    node_set_int(n, "since", s->since_ms);
    node_set_text(n, "agent", SLIPWAY_VERSION);
    node_set_text(n, "release", *s->release ? s->release : RELEASE_IMAGE);
    if (s->release_since_ms)
        node_set_int(n, "release_since", s->release_since_ms);
    if (s->bad.count) {
        struct node *bad = node_set(n, "bad", node_new_list());

        for (size_t i = 0; i < s->bad.count && i < STATUS_BAD_MAX; i++)
            node_add_text(bad, s->bad.items[i]);
    }
    node_set_int(n, "restarts", s->restarts);
    if (s->ended) {
        struct node *ended = node_set(n, "ended", node_new_map());

        node_set_int(ended, "at", s->ended_ms);
        node_set_text(ended, "text", s->ended);
    }
    node_set_text(n, "source", s->from_snapshot ? "snapshot" : "etcd");
    return n;
}

char *status_text(const struct status *s)
{
    auto_node struct node *n = status_node(s);

    return json_text(n);
}

char *applied_text(const struct applied *a)
{
    auto_node struct node *n = node_new_map();
    struct node *pending = node_new_list();

    for (size_t i = 0; a->pending && i < a->pending->count; i++)
        node_add_text(pending, a->pending->items[i]);
    node_set_int(n, "revision", a->revision);
    node_set_text(n, "hash", a->hash);
    node_set_int(n, "at", clock_wall_ms());
    node_set_text(n, "result", a->error ? "failed" : "ok");
    if (a->error)
        node_set_text(n, "error", a->error);
    if (a->had_data)
        node_set_bool(n, "data", true);
    node_set(n, "pending", pending);
    return json_text(n);
}

static char *file_path(const char *run_dir)
{
    return fs_join(run_dir, "state.json");
}

int status_save(const struct status *s, const char *run_dir, struct err *e)
{
    auto_node struct node *n = status_node(s);

    node_set_int(n, "at", clock_wall_ms());
    auto_free char *text = json_text(n);
    auto_free char *path = file_path(run_dir);
    return fs_write(path, text, strlen(text),
                    &(struct fs_write_opts){.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1}, e);
}

static struct node *load(const char *run_dir, struct err *e)
{
    auto_free char *path = file_path(run_dir);
    auto_free char *text = NULL;
    size_t len = 0;
    struct node *n = NULL;

    if (fs_read(&text, &len, path, FILE_MAX, e) < 0 || json_parse(&n, path, text, len, e) < 0)
        return NULL;
    return n;
}

int status_check(char **line, const char *run_dir)
{
    struct err e;
    auto_node struct node *n = load(run_dir, &e);

    if (!n) {
        *line = mem_printf("no state yet: %s", e.msg);
        return 1;
    }
    const char *state = node_get_text(n, "state"), *health = node_get_text(n, "health");
    const char *reason = node_get_text(n, "reason");
    int64_t silent = clock_wall_ms() - node_get_int(n, "at", 0);
    state = state ? state : "unknown";
    health = health ? health : "unknown";
    if (silent > SILENT_MAX_MS) {
        *line = mem_printf("the agent has been silent for %lld s", (long long)(silent / 1000));
        return 1;
    }
    *line = mem_printf("%s, %s%s%s", state, health, reason && *reason ? ": " : "",
                       reason ? reason : "");
    return strcmp(state, "ready") == 0 && strcmp(health, "unhealthy") != 0 ? 0 : 1;
}

enum state status_load_state(const char *run_dir)
{
    struct err e;
    auto_node struct node *n = load(run_dir, &e);
    const char *text = node_get_text(n, "state");

    for (size_t i = 0; text && i < ARRAY_LEN(state_names); i++)
        if (strcmp(text, state_names[i]) == 0)
            return (enum state)i;
    return STATE_STARTING;
}
