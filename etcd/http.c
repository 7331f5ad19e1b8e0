/* SPDX-License-Identifier: MIT */
#include "etcd/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/curl_use.h"
#include "base/mem.h"

/* libcurl's smallest buffer for what is sent; answers are mostly short. */
enum {
    SEND_BUFFER = 16 << 10,
    READ_BUFFER = 4 << 10,
    ALIVE_IDLE_S = 20,
    ALIVE_EVERY_S = 5,
    POLL_MS = 1000,
};

struct http {
    CURL *easy;
    CURLM *multi; /* keeps the connection; its wait is one that a cancel can end */
    char *base;   /* "https://host:port" */
    struct buf *reply;
    char why[CURL_ERROR_SIZE];
};

struct http_stream {
    struct http *http;
    struct until until;
    int wake_fd;
    char *url;
    struct curl_slist *headers;
    bool running;
};

/*
 * Debian's libcurl speaks RTMP too, whose library brings GnuTLS, which makes itself ready before
 * main(): a megabyte and a millisecond of every program for a protocol that is never used. Where
 * scripts/dev/curl-parts leaves the shared libcurl in, this is GnuTLS's own switch
 * (GNUTLS_SKIP_GLOBAL_INIT in gnutls.h); libcurl's TLS is OpenSSL.
 */
__attribute__((visibility("default"))) int _gnutls_global_init_skip(void);
int _gnutls_global_init_skip(void)
{
    return 1;
}

/* curl's setters take any type; a failure means an option this libcurl was built without. */
#define SET(easy, option, value) (void)curl_easy_setopt((easy), (option), (value))

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct http *h = arg;
    size_t len = size * count;

    buf_add(h->reply, data, len);
    return h->reply->full ? 0 : len;
}

/* TLS 1.2 or later; the pin replaces chain and name, so nothing of /etc/ssl is even read: loading
 * the system's authorities costs 20 ms and megabytes. */
static void set_tls(CURL *easy, const char *pin)
{
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    if (!pin)
        return;
    SET(easy, CURLOPT_PINNEDPUBLICKEY, pin);
    SET(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    SET(easy, CURLOPT_CAINFO, NULL);
    SET(easy, CURLOPT_CAPATH, NULL);
}

int http_open(struct http **out, const struct http_target *target, struct err *e)
{
    bool v6 = strchr(target->host, ':') != NULL;
    struct http *h;

    *out = NULL;
    /* Counted and thread-safe since libcurl 7.84; undone in http_close. */
    if (curl_global_init(CURL_GLOBAL_SSL) != CURLE_OK)
        return err_set(e, ERR_SYS, "libcurl does not start");
    h = mem_alloc(sizeof(*h));
    h->easy = curl_easy_init();
    h->multi = curl_multi_init();
    if (!h->easy || !h->multi) {
        http_close(h);
        return err_set(e, ERR_SYS, "libcurl does not start");
    }
    h->base = mem_printf("%s://%s%s%s:%d", target->tls ? "https" : "http", v6 ? "[" : "",
                         target->host, v6 ? "]" : "", target->port);
    SET(h->easy, CURLOPT_ERRORBUFFER, h->why);
    SET(h->easy, CURLOPT_WRITEFUNCTION, on_body);
    SET(h->easy, CURLOPT_WRITEDATA, h);
    SET(h->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(h->easy, CURLOPT_PROTOCOLS_STR, target->tls ? "https" : "http");
    SET(h->easy, CURLOPT_PROXY, "");
    SET(h->easy, CURLOPT_NOSIGNAL, 1L);
    SET(h->easy, CURLOPT_BUFFERSIZE, (long)READ_BUFFER);
    SET(h->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
    SET(h->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(h->easy, CURLOPT_TCP_KEEPIDLE, (long)ALIVE_IDLE_S);
    SET(h->easy, CURLOPT_TCP_KEEPINTVL, (long)ALIVE_EVERY_S);
    if (target->tls)
        set_tls(h->easy, target->pin);
    *out = h;
    return 0;
}

void http_close(struct http *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->easy);
    (void)curl_multi_cleanup(h->multi);
    free(h->base);
    free(h);
    curl_global_cleanup();
}

static struct curl_slist *build_headers(const struct http_request *q)
{
    struct curl_slist *list = NULL;

    curl_use_header(&list, "Content-Type: application/json");
    curl_use_header(&list, "Accept:");
    /* etcd answers no 100 Continue, and curl would wait a second for it. */
    curl_use_header(&list, "Expect:");
    if (q->must_have_leader)
        curl_use_header(&list, "Grpc-Metadata-Hasleader: true");
    if (q->token) {
        auto_wipe char *line = mem_printf("Authorization: %s", q->token);

        curl_use_header(&list, line);
    }
    return list;
}

static void set_request(struct http *h, const char *url, const struct http_request *q,
                        struct curl_slist *headers)
{
    int64_t left = until_left_ms(q->until);
    int64_t connect = q->connect_timeout_ms < left ? q->connect_timeout_ms : left;

    SET(h->easy, CURLOPT_URL, url);
    SET(h->easy, CURLOPT_HTTPHEADER, headers);
    SET(h->easy, CURLOPT_POSTFIELDS, q->body); /* not copied */
    SET(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len);
    SET(h->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect > 0 ? connect : 1));
    h->why[0] = '\0';
}

/* One sentence and one code for each way curl can fail. */
static int translate(CURLcode code, const struct http *h, const struct http_result *r,
                     struct err *e)
{
    const char *why = h->why[0] ? h->why : curl_easy_strerror(code);

    switch (code) {
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return err_set(e, ERR_AUTH, "the server's key is not the one the link pins");
    case CURLE_PEER_FAILED_VERIFICATION:
        return err_set(e, ERR_AUTH, "the server's certificate is not trusted: %s", why);
    case CURLE_SSL_CACERT_BADFILE:
        return err_set(e, ERR_AUTH,
                       "the link has no pin, and this system has no certificate authorities");
    case CURLE_ABORTED_BY_CALLBACK:
        return err_set(e, ERR_INTERRUPTED, "interrupted");
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(e, ERR_TIMEOUT, r->sent ? "no answer in time" : "no connection in time");
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(e, ERR_NET, "the host name is not known");
    case CURLE_COULDNT_CONNECT:
        return err_set(e, ERR_NET, "connection refused or no way there");
    case CURLE_SSL_CONNECT_ERROR:
        return err_set(e, ERR_NET, "TLS does not come about: %s", why);
    case CURLE_WRITE_ERROR:
        return err_set(e, ERR_REMOTE, "the answer is longer than %zu bytes", h->reply->max);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return err_set(e, ERR_NET, "the connection broke");
    default:
        return err_set(e, ERR_NET, "%s", why);
    }
}

static void fill_result(struct http_result *r, const struct http *h)
{
    long bytes = 0;

    *r = (struct http_result){.too_big = h->reply->full};
    (void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &r->status);
    (void)curl_easy_getinfo(h->easy, CURLINFO_REQUEST_SIZE, &bytes);
    r->sent = bytes > 0;
}

/* curl_easy_perform, which an abort ends: CURLE_ABORTED_BY_CALLBACK. curl minds the deadline. */
static CURLcode perform(struct http *h, struct until until)
{
    CURLcode code = CURLE_FAILED_INIT;
    int running = 1;

    if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
        return code;
    while (running && curl_multi_perform(h->multi, &running) == CURLM_OK && running) {
        struct curl_waitfd wake = {.fd = until_fd(until), .events = CURL_WAIT_POLLIN};

        if (until_is_aborted(until)) {
            code = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
        (void)curl_multi_poll(h->multi, &wake, wake.fd >= 0, until_poll_ms(until, POLL_MS), NULL);
    }
    (void)curl_use_ended(&code, h->multi);
    (void)curl_multi_remove_handle(h->multi, h->easy);
    return code;
}

int http_post(struct http_result *r, struct buf *reply, struct http *h,
              const struct http_request *q, struct err *e)
{
    auto_free char *url = mem_printf("%s%s", h->base, q->path);
    struct curl_slist *headers = build_headers(q);
    int64_t left = until_left_ms(q->until);

    *r = (struct http_result){0};
    buf_reset(reply);
    if (left <= 0 || until_is_aborted(q->until)) {
        curl_use_free_headers(headers);
        return left <= 0 ? err_set(e, ERR_TIMEOUT, "no time left")
                         : err_set(e, ERR_INTERRUPTED, "interrupted");
    }
    h->reply = reply;
    set_request(h, url, q, headers);
    SET(h->easy, CURLOPT_TIMEOUT_MS, (long)(left < 3600000 ? left : 3600000));
    CURLcode code = perform(h, q->until);
    fill_result(r, h);
    SET(h->easy, CURLOPT_HTTPHEADER, NULL);
    SET(h->easy, CURLOPT_POSTFIELDS, NULL);
    curl_use_free_headers(headers);
    return code == CURLE_OK ? 0 : translate(code, h, r, e);
}

int http_stream_open(struct http_stream **out, const struct http_target *target,
                     const struct http_request *q, struct err *e)
{
    struct http_stream *s;
    struct http *h;

    *out = NULL;
    if (http_open(&h, target, e) < 0)
        return -1;
    s = mem_alloc(sizeof(*s));
    s->http = h;
    s->until = q->until;
    s->wake_fd = q->wake_fd;
    s->url = mem_printf("%s%s", h->base, q->path);
    s->headers = build_headers(q);
    set_request(h, s->url, q, s->headers);
    if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK) {
        http_stream_close(s);
        return err_set(e, ERR_SYS, "libcurl does not start");
    }
    s->running = true;
    *out = s;
    return 0;
}

/* The end of the transfer, when it came: 0 when the server ended it properly. */
static int stream_end(bool *ended, struct http_stream *s, struct err *e)
{
    CURLcode code = CURLE_OK;
    struct http_result r;

    if (!curl_use_ended(&code, s->http->multi))
        return 0;
    *ended = true;
    s->running = false;
    fill_result(&r, s->http);
    return code == CURLE_OK ? 0 : translate(code, s->http, &r, e);
}

int http_stream_read(bool *ended, struct buf *into, struct http_stream *s, int64_t wait_ms,
                     struct err *e)
{
    size_t before = into->len;
    int running = 0;

    *ended = !s->running;
    if (!s->running)
        return 0;
    s->http->reply = into;
    if (curl_multi_perform(s->http->multi, &running) != CURLM_OK)
        return err_set(e, ERR_SYS, "libcurl does not go on");
    if (running && into->len == before) {
        int cancelled = until_fd(s->until);
        struct curl_waitfd wake[2];
        unsigned count = 0;

        if (s->wake_fd > 0)
            wake[count++] = (struct curl_waitfd){.fd = s->wake_fd, .events = CURL_WAIT_POLLIN};
        if (cancelled >= 0)
            wake[count++] = (struct curl_waitfd){.fd = cancelled, .events = CURL_WAIT_POLLIN};
        (void)curl_multi_poll(s->http->multi, wake, count, (int)wait_ms, NULL);
        (void)curl_multi_perform(s->http->multi, &running);
    }
    return running ? 0 : stream_end(ended, s, e);
}

void http_stream_close(struct http_stream *s)
{
    if (!s)
        return;
    (void)curl_multi_remove_handle(s->http->multi, s->http->easy);
    http_close(s->http);
    curl_use_free_headers(s->headers);
    free(s->url);
    free(s);
}
