/* SPDX-License-Identifier: MIT */
#include "remote/talk.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/curl_use.h"
#include "base/mem.h"

enum {
    CONNECT_MS = 10000,
    POLL_MS = 1000,
    SILENT_MS = 60000, /* a stream: its server gives a sign of life each 15 s */
    ALIVE_IDLE_S = 20,
    ALIVE_EVERY_S = 5,
    PROBLEM_MAX = 1 << 20, /* of an error in the place of a stream */
};

struct talk {
    CURL *easy;
    CURLM *multi; /* keeps the connection; its wait is one that a cancel can end */
    char *base;
    const struct talk_request *q; /* under way */
    struct talk_answer *a;
    bool unwanted; /* whoever gets the pieces wants no more */
    int64_t heard; /* clock_now_ms: when something came last */
    char why[CURL_ERROR_SIZE];
};

/* curl's setters take any type; a failure means an option this libcurl was built without. */
#define SET(easy, option, value) (void)curl_easy_setopt((easy), (option), (value))

void talk_answer_clear(struct talk_answer *a)
{
    buf_clear(&a->body);
    *a = (struct talk_answer){0};
}

/* ---- what comes ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct talk *t = arg;
    size_t len = size * count;
    long status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (t->q->piece && status == 200) {
        t->unwanted = !t->q->piece(t->q->arg, data, len);
        t->heard = clock_now_ms(); /* whoever gets it may have waited, for a pager */
        return t->unwanted ? 0 : len;
    }
    buf_add(&t->a->body, data, len);
    return t->a->body.full ? 0 : len;
}

/* The value of that header, up to `ends`, when the line is one. */
static void take_header(char out[TALK_WORD_MAX + 1], const char *line, size_t len, const char *name,
                        const char *ends)
{
    size_t skip = strlen(name), n = 0;

    if (len <= skip || strncasecmp(line, name, skip) != 0)
        return;
    while (skip < len && line[skip] == ' ')
        skip++;
    for (; skip < len && n < TALK_WORD_MAX && !strchr(ends, line[skip]); skip++)
        out[n++] = line[skip];
    out[n] = '\0';
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct talk *t = arg;
    size_t len = size * count;

    take_header(t->a->type, line, len, "Content-Type:", "; \r\n");
    take_header(t->a->tag, line, len, "ETag:", "\r\n");
    return len;
}

/* ---- opening ---- */

/* TLS 1.2 or later. The pin replaces chain and name, unless authorities are named besides. */
static int set_tls(CURL *easy, const struct talk_target *target, struct err *e)
{
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    if (target->ca) {
        SET(easy, CURLOPT_CAINFO, target->ca);
        SET(easy, CURLOPT_CAPATH, NULL);
    }
    if (!target->pin)
        return 0;
    if (curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, target->pin) != CURLE_OK)
        return err_set(e, ERR_SYS, "this libcurl cannot check a pin; use --server-ca");
    if (target->ca)
        return 0;
    SET(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    SET(easy, CURLOPT_CAINFO, NULL);
    SET(easy, CURLOPT_CAPATH, NULL);
    return 0;
}

int talk_open(struct talk **out, const struct talk_target *target, struct err *e)
{
    struct talk *t;

    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_SSL) != CURLE_OK)
        return err_set(e, ERR_SYS, "libcurl does not start");
    t = mem_alloc(sizeof(*t));
    t->easy = curl_easy_init();
    t->multi = curl_multi_init();
    if (!t->easy || !t->multi) {
        talk_close(t);
        return err_set(e, ERR_SYS, "libcurl does not start");
    }
    t->base = mem_strdup(target->url);
    SET(t->easy, CURLOPT_ERRORBUFFER, t->why);
    SET(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    SET(t->easy, CURLOPT_WRITEDATA, t);
    SET(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    SET(t->easy, CURLOPT_HEADERDATA, t);
    SET(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(t->easy, CURLOPT_PROTOCOLS_STR, "https");
    SET(t->easy, CURLOPT_PATH_AS_IS, 1L);
    SET(t->easy, CURLOPT_PROXY, "");
    SET(t->easy, CURLOPT_NOSIGNAL, 1L);
    SET(t->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(t->easy, CURLOPT_TCP_KEEPIDLE, (long)ALIVE_IDLE_S);
    SET(t->easy, CURLOPT_TCP_KEEPINTVL, (long)ALIVE_EVERY_S);
    if (set_tls(t->easy, target, e) < 0) {
        talk_close(t);
        return -1;
    }
    *out = t;
    return 0;
}

void talk_close(struct talk *t)
{
    if (!t)
        return;
    curl_easy_cleanup(t->easy);
    (void)curl_multi_cleanup(t->multi);
    free(t->base);
    free(t);
    curl_global_cleanup();
}

/* ---- one request ---- */

static struct curl_slist *build_headers(const struct talk_request *q)
{
    struct curl_slist *list = NULL;
    auto_wipe char *bearer = mem_printf("Authorization: Bearer %s", q->token);
    auto_free char *match = q->tag ? mem_printf("If-Match: %s", q->tag) : NULL;

    curl_use_header(&list, bearer);
    curl_use_header(&list, "Accept: application/json");
    curl_use_header(&list, "Expect:");
    curl_use_header(&list, q->body ? "Content-Type: application/json" : "Content-Type:");
    if (match)
        curl_use_header(&list, match);
    return list;
}

static bool only_reads(const struct talk_request *q)
{
    return strcmp(q->method, "GET") == 0;
}

/* One sentence and one code for each way curl can fail. */
static int translate(CURLcode code, const struct talk *t, const struct talk_answer *a,
                     struct err *e)
{
    const char *why = t->why[0] ? t->why : curl_easy_strerror(code);

    switch (code) {
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return err_set(e, ERR_AUTH,
                       "the server's key is not the pinned one: either this is not the server that "
                       "is meant, or it has a new key, whose pin slipwayd prints at its start");
    case CURLE_PEER_FAILED_VERIFICATION:
        return err_set(e, ERR_AUTH,
                       "the server's certificate is not trusted: %s; give the pin that slipwayd "
                       "prints with --server-pin, or its authority with --server-ca",
                       why);
    case CURLE_SSL_CACERT_BADFILE:
        return err_set(e, ERR_AUTH, "there are no certificate authorities to check it by: %s", why);
    case CURLE_ABORTED_BY_CALLBACK:
        return err_set(e, ERR_INTERRUPTED, "interrupted");
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(e, ERR_TIMEOUT, a->sent ? "no answer in time" : "no connection in time");
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(e, ERR_NET, "the host name is not known");
    case CURLE_COULDNT_CONNECT:
        return err_set(e, ERR_NET, "connection refused or no way there");
    case CURLE_SSL_CONNECT_ERROR:
        return err_set(e, ERR_NET, "TLS does not come about: %s", why);
    case CURLE_WRITE_ERROR:
        return err_set(e, ERR_REMOTE, "the answer is longer than %zu bytes", a->body.max);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return err_set(e, ERR_NET, "the connection broke");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return err_set(e, ERR_REMOTE, "no slipwayd answers there: %s", why);
    default:
        return err_set(e, ERR_NET, "%s", why);
    }
}

/* curl_easy_perform, which a cancel ends: CURLE_ABORTED_BY_CALLBACK. curl minds the deadline. */
static CURLcode perform(struct talk *t, const struct talk_request *q)
{
    CURLcode code = CURLE_FAILED_INIT;
    int running = 1;

    if (curl_multi_add_handle(t->multi, t->easy) != CURLM_OK)
        return code;
    while (running && curl_multi_perform(t->multi, &running) == CURLM_OK && running) {
        struct curl_waitfd wake = {.fd = until_fd(q->until), .events = CURL_WAIT_POLLIN};

        if (only_reads(q) ? until_is_cancelled(q->until) : until_is_aborted(q->until)) {
            code = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
        if (q->piece && clock_now_ms() - t->heard > SILENT_MS) {
            code = CURLE_OPERATION_TIMEDOUT;
            break;
        }
        (void)curl_multi_poll(t->multi, &wake, wake.fd >= 0, until_poll_ms(q->until, POLL_MS),
                              NULL);
    }
    if (!running)
        (void)curl_use_ended(&code, t->multi);
    (void)curl_multi_remove_handle(t->multi, t->easy);
    return code;
}

static void set_request(struct talk *t, const char *url, const struct talk_request *q)
{
    int64_t left = until_left_ms(q->until);

    SET(t->easy, CURLOPT_URL, url);
    SET(t->easy, CURLOPT_HTTPGET, 1L);
    if (q->body)
        SET(t->easy, CURLOPT_POSTFIELDS, q->body); /* not copied */
    SET(t->easy, CURLOPT_CUSTOMREQUEST, q->method);
    SET(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(left < CONNECT_MS ? left : CONNECT_MS));
    SET(t->easy, CURLOPT_TIMEOUT_MS, left == CLOCK_NEVER ? 0L : (long)left);
    t->why[0] = '\0';
    t->unwanted = false;
    t->heard = clock_now_ms();
}

int talk_ask(struct talk_answer *a, struct talk *t, const struct talk_request *q, struct err *e)
{
    auto_free char *url = mem_printf("%s%s", t->base, q->path);
    struct curl_slist *headers;
    CURLcode code;
    long bytes = 0;

    *a = (struct talk_answer){0};
    buf_init(&a->body, q->piece ? PROBLEM_MAX : TALK_BODY_MAX);
    if (until_check_wait(q->until, "no time left", e) < 0)
        return -1;
    headers = build_headers(q);
    t->q = q;
    t->a = a;
    set_request(t, url, q);
    SET(t->easy, CURLOPT_HTTPHEADER, headers);
    code = perform(t, q);
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &a->status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &bytes);
    a->sent = bytes > 0;
    SET(t->easy, CURLOPT_HTTPHEADER, NULL);
    SET(t->easy, CURLOPT_POSTFIELDS, NULL);
    curl_use_free_headers(headers);
    return code == CURLE_OK || t->unwanted ? 0 : translate(code, t, a, e);
}
