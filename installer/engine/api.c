/* SPDX-License-Identifier: MIT */
#include "engine/api.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/curl_use.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/until.h"
#include "conf/json.h"
#include "engine/dial.h"
#include "engine/engine.h"

enum {
    CONNECT_TRIES = 100,
    MINOR_MIN = 41, /* Docker 20.10, Debian 11 and 12 */
    MINOR_MAX = 44, /* the oldest that Docker 29 speaks; nothing newer is needed */
    ERROR_MAX = 64 << 10,
    PING_MS = 10 * 1000,
    TICK_MS = 200,
    READ_BUFFER = 4 << 10, /* of libcurl, for each of the workers; streams have its own size */
};

struct engine {
    char *url, *socket;
    char version[16];
    CURL *curl;
    CURLM *multi; /* holds the connection that is used again */
    struct until until;
    bool read_only;
    int64_t answered_ms; /* of Docker's clock, or 0 */
};

struct transfer {
    const struct api_request *r;
    struct engine *g;
    struct buf body;
    long status;
    size_t sent;
    char api_version[16]; /* header of /_ping */
    struct until until;
    unsigned refusals; /* of a connection, although it could be made since */
    bool again;        /* it can be tried again: nothing was sent */
    bool headed;       /* the head of the answer is there as a whole */
    bool enough;       /* of the body was read; the rest is not wanted */
    bool failed;       /* *e is filled */
    struct err *e;
};

const char *api_socket(const struct engine *g)
{
    return g->socket;
}

bool api_is_read_only(const struct engine *g)
{
    return g->read_only;
}

struct until engine_until(const struct engine *g)
{
    return g->until;
}

void engine_set_until(struct engine *g, struct until until)
{
    g->until = until;
}

const char *engine_version(const struct engine *g)
{
    return g->version;
}

int64_t engine_answered_ms(const struct engine *g)
{
    return g->answered_ms;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * n;

    curl_easy_getinfo(t->g->curl, CURLINFO_RESPONSE_CODE, &t->status);
    if (api_is_success(t->status) && t->r->chunk) {
        if (t->r->chunk(t->r->arg, p, len, t->e) == 0)
            return len;
        t->failed = true;
        return 0;
    }
    if (!api_is_success(t->status) && t->body.len + len > ERROR_MAX) {
        len = ERROR_MAX - t->body.len;
        t->enough = true;
    }
    buf_add(&t->body, p, len);
    t->enough = t->enough || t->body.full;
    return t->enough ? 0 : len; /* 0 ends the transfer */
}

/* RFC 9110 section 6.6.1: when the answer was made. */
static void take_date(struct engine *g, const char *line, size_t len)
{
    static const char name[] = "date:";

    if (len <= strlen(name) || strncasecmp(line, name, strlen(name)) != 0)
        return;
    auto_free char *text = mem_strndup(line + strlen(name), len - strlen(name));
    time_t at = curl_getdate(text, NULL);
    g->answered_ms = at > 0 ? (int64_t)at * 1000 : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    static const char name[] = "api-version:";
    struct transfer *t = arg;
    size_t len = size * n, skip = sizeof(name) - 1;

    if (len > 5 && strncmp(p, "HTTP/", 5) == 0)
        t->headed = false; /* what was before it was 100 Continue */
    else if (p[0] == '\r' || p[0] == '\n')
        t->headed = true;
    take_date(t->g, p, len);
    if (len > skip && strncasecmp(p, name, skip) == 0) {
        while (skip < len && p[skip] == ' ')
            skip++;
        size_t i = 0;
        for (; skip + i < len && i + 1 < sizeof(t->api_version); i++) {
            char c = p[skip + i];

            if ((c < '0' || c > '9') && c != '.')
                break;
            t->api_version[i] = c;
        }
        t->api_version[i] = '\0';
    }
    return len;
}

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    size_t room = size * n;

    if (t->r->tar_fd) {
        ssize_t got = pread(*t->r->tar_fd, p, room, (off_t)t->sent);

        if (got < 0) {
            err_sys(t->e, "reading the tar file");
            t->failed = true;
            return CURL_READFUNC_ABORT;
        }
        t->sent += (size_t)got;
        return (size_t)got;
    }
    size_t left = t->r->tar_len - t->sent;
    if (room > left)
        room = left;
    memcpy(p, (const char *)t->r->tar + t->sent, room);
    t->sent += room;
    return room;
}

/* libcurl rewinds when a kept connection turns out to be closed. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct transfer *t = arg;

    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    t->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int set_upload(struct transfer *t)
{
    CURL *c = t->g->curl;
    curl_off_t len = (curl_off_t)t->r->tar_len;

    if (t->r->tar_fd) {
        struct stat st;

        if (fstat(*t->r->tar_fd, &st) < 0)
            return err_sys(t->e, "looking at the tar file");
        len = st.st_size;
    }
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, len);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(c, CURLOPT_READDATA, t);
    curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(c, CURLOPT_SEEKDATA, t);
    return 0;
}

static void set_common(struct transfer *t, const char *target)
{
    CURL *c = t->g->curl;

    curl_easy_reset(c); /* keeps connections */
    curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, t->g->socket);
    curl_easy_setopt(c, CURLOPT_URL, target);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, t->r->method);
    if (!t->r->chunk)
        curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)READ_BUFFER);
}

/* Why libcurl gave up. */
static int transport_error(struct transfer *t, CURLcode code)
{
    if (t->failed)
        return -1;
    if (code == CURLE_COULDNT_CONNECT) {
        auto_close int fd = -1;

        /* libcurl neither keeps the reason nor waits for an engine whose queue is full. */
        if (dial_unix(&fd, t->g->socket, t->until, t->e) < 0)
            return -1;
        t->again = ++t->refusals < CONNECT_TRIES;
        return err_set(t->e, ERR_NET, "Docker at %s did not take the connection", t->g->socket);
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
        return err_set(t->e, ERR_REMOTE, "what answers at %s is not a Docker Engine: no HTTP",
                       t->g->socket);
    return err_set(t->e, ERR_NET, "the connection to Docker at %s broke: %s", t->g->socket,
                   curl_easy_strerror(code));
}

/* Runs the prepared transfer. 0: an answer is there, or stop() said so (*stopped). */
static int run(struct transfer *t, bool *stopped)
{
    CURLM *m = t->g->multi;
    CURLMcode mc = CURLM_OK;
    int running = 1;
    auto_free char *late = mem_printf("Docker at %s did not answer", t->g->socket);

    while (mc == CURLM_OK) {
        struct curl_waitfd wake = {.events = CURL_WAIT_POLLIN};

        mc = curl_multi_perform(m, &running);
        if (mc != CURLM_OK || running == 0)
            break;
        if (until_check(t->until, late, t->e) < 0)
            return -1;
        if (t->r->stop && t->r->stop(t->r->arg)) {
            *stopped = true;
            return 0;
        }
        wake.fd = until_fd(t->until);
        mc = curl_multi_poll(m, &wake, wake.fd >= 0, until_poll_ms(t->until, TICK_MS), NULL);
    }
    if (mc != CURLM_OK)
        return err_set(t->e, ERR_NET, "talking to Docker: %s", curl_multi_strerror(mc));
    CURLcode code = CURLE_OK;
    (void)curl_use_ended(&code, m);
    curl_easy_getinfo(t->g->curl, CURLINFO_RESPONSE_CODE, &t->status);
    /* An upload is refused before it is read: the answer counts, not the broken pipe. */
    if (code != CURLE_OK && !t->enough && !(code == CURLE_SEND_ERROR && t->status >= 400))
        return transport_error(t, code);
    if (!t->headed) /* libcurl takes the end of the connection for that of the head */
        return err_set(t->e, ERR_NET, "the connection to Docker at %s broke: half an answer",
                       t->g->socket);
    return 0;
}

static int transfer(struct transfer *t, const char *target, bool *stopped)
{
    struct engine *g = t->g;
    CURL *c = g->curl;
    bool tar = t->r->tar_fd || t->r->tar;
    auto_free char *json = t->r->body ? json_text(t->r->body) : NULL;

    t->until = until_before(g->until, t->r->deadline);
    set_common(t, target);
    if (tar && set_upload(t) < 0)
        return -1;
    if (!tar && (json || strcmp(t->r->method, "POST") == 0)) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, json ? json : "");
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(json ? strlen(json) : 0));
    }
    struct curl_slist *headers = NULL;
    curl_use_header(&headers, "Expect:");
    curl_use_header(&headers,
                    tar ? "Content-Type: application/x-tar" : "Content-Type: application/json");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    int r = -1;
    do {
        t->again = false;
        curl_multi_add_handle(g->multi, c);
        r = run(t, stopped);
        curl_multi_remove_handle(g->multi, c);
    } while (r < 0 && t->again);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
    curl_use_free_headers(headers);
    return r;
}

/* Without build arguments: proxies with passwords are among them. */
static int logged_len(const char *path)
{
    const char *args = strstr(path, "&buildargs=");

    return (int)(args ? (size_t)(args - path) : strlen(path));
}

int api_call(struct node **out, struct engine *g, const struct api_request *q, struct err *e)
{
    struct transfer t = {.r = q, .g = g, .e = e};
    bool stopped = false;
    int64_t start = clock_now_ms();

    g->answered_ms = 0;
    auto_free char *target = mem_printf("http://docker/v%s%s", g->version, q->path);

    assert(!out || q->shape);
    if (out)
        *out = NULL;
    if (g->read_only && strcmp(q->method, "GET") != 0)
        return err_set(e, ERR_SYS, "%s %s: this engine is open for reading only", q->method,
                       q->path);
    buf_init(&t.body, API_ANSWER_MAX);
    int r = transfer(&t, target, &stopped);
    if (r == 0 && !stopped)
        r = api_answer_parse(out, q, t.status, &t.body, e);
    if (log_enabled(LOG_LEVEL_DEBUG))
        log_debug("docker: %s %.*s: %ld in %d ms", q->method, logged_len(q->path), q->path,
                  t.status, (int)(clock_now_ms() - start));
    buf_clear(&t.body);
    return r;
}

/* min(ours, theirs); "1.41" and the like. */
static int choose_version(struct engine *g, const char *theirs, struct err *e)
{
    char *end = NULL;
    long minor = strncmp(theirs, "1.", 2) == 0 ? strtol(theirs + 2, &end, 10) : -1;

    if (!end || *end != '\0' || minor < 0)
        return err_set(e, ERR_REMOTE, "%s is not a Docker Engine: it names no API version", g->url);
    if (minor < MINOR_MIN)
        return err_set(e, ERR_REMOTE,
                       "this Docker is too old: API %s, but 1.%d (Docker 20.10) is needed; upgrade "
                       "Docker",
                       theirs, MINOR_MIN);
    snprintf(g->version, sizeof(g->version), "1.%ld", minor < MINOR_MAX ? minor : MINOR_MAX);
    return 0;
}

static int negotiate(struct engine *g, struct err *e)
{
    struct api_request q = {.method = "GET", .deadline = clock_deadline(PING_MS)};
    struct transfer t = {.r = &q, .g = g, .e = e};
    bool stopped = false;

    buf_init(&t.body, API_ANSWER_MAX);
    int r = transfer(&t, "http://docker/_ping", &stopped);
    if (r == 0)
        r = api_answer_parse(NULL, &q, t.status, &t.body, e);
    if (r == 0)
        r = choose_version(g, t.api_version, e);
    buf_clear(&t.body);
    return r;
}

static struct engine *engine_new(const char *url)
{
    struct engine *g = mem_alloc(sizeof(*g));

    g->url = mem_strdup(url);
    g->curl = curl_easy_init();
    g->multi = curl_multi_init();
    return g;
}

int engine_open(struct engine **out, const char *url, struct until until, struct err *e)
{
    *out = NULL;
    if (!url || url[0] == '\0')
        url = ENGINE_LOCAL;
    struct engine *g = engine_new(url);
    g->until = until;
    if (!g->curl || !g->multi)
        err_set(e, ERR_SYS, "libcurl does not start");
    else if (dial_parse(&g->socket, url, e) == 0 && negotiate(g, e) == 0)
        *out = steal(g);
    engine_close(g);
    return *out ? 0 : -1;
}

int engine_clone(struct engine **out, const struct engine *from, struct err *e)
{
    *out = NULL;
    struct engine *g = engine_new(from->url);
    g->socket = mem_strdup(from->socket);
    g->read_only = from->read_only;
    g->until = from->until;
    memcpy(g->version, from->version, sizeof(g->version));
    if (g->curl && g->multi)
        *out = steal(g);
    else
        err_set(e, ERR_SYS, "libcurl does not start");
    engine_close(g);
    return *out ? 0 : -1;
}

void engine_set_read_only(struct engine *g)
{
    g->read_only = true;
}

void engine_close(struct engine *g)
{
    if (!g)
        return;
    curl_easy_cleanup(g->curl);
    curl_multi_cleanup(g->multi);
    free(g->url);
    free(g->socket);
    free(g);
}
