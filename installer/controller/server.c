/* SPDX-License-Identifier: MIT */
#include "controller/server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/thread.h"
#include "controller/server_own.h"

enum {
    BLOCK = 8192,   /* of a stream */
    MEMORY = 20480, /* of a connection, for the head of a request */
    IDLE_S = 90,    /* inactive in any way */
    CHUNKED_MAX = 4 * ROUTE_BODY_MAX,
};

/* ---- the library's calls ---- */

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *x = mem_alloc(sizeof(*x));

    *x = (struct exchange){
        .s = cls, .connection = connection, .target = mem_strdup(uri), .raw = uri};
    buf_init(&x->body, ROUTE_BODY_MAX);
    return x;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    (void)kind;
    headers_add(cls, name, value ? value : "");
    return MHD_YES;
}

static void set_address(struct request *q, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = i ? i->client_addr : NULL;

    if (a && a->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, q->address,
                  sizeof(q->address));
    if (a && a->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, q->address,
                  sizeof(q->address));
}

static void set_deadline(struct exchange *x, int64_t deadline)
{
    pthread_mutex_lock(&x->s->mutex);
    if (x->of)
        x->of->deadline = deadline;
    pthread_mutex_unlock(&x->s->mutex);
}

static ssize_t on_block(void *cls, uint64_t pos, char *p, size_t max)
{
    ssize_t n = stream_read(cls, p, max);

    (void)pos;
    if (n == STREAM_CUT)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void on_stream_end(void *cls)
{
    struct stream *t = cls;
    struct server *s = t->server;

    pthread_mutex_lock(&s->mutex);
    if (t->previous)
        t->previous->next = t->next;
    else
        s->streams = t->next;
    if (t->next)
        t->next->previous = t->previous;
    pthread_mutex_unlock(&s->mutex);
    stream_free(t);
}

/* TLS makes a record of the head and one of each 16 KiB of the body, and each would be a packet of
 * its own, and wake the client: tcp(7), TCP_CORK. */
static void set_cork(const struct connection *n, int on)
{
    if (n && n->fd >= 0)
        setsockopt(n->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

static struct MHD_Response *stream_response(struct exchange *x)
{
    struct stream *t = steal(x->q.reply.stream);
    struct server *s = x->s;

    memcpy(t->token, x->q.who.token, sizeof(t->token));
    t->role = x->q.who.role;
    t->connection = x->connection;
    t->server = s;
    pthread_mutex_lock(&s->mutex);
    t->next = s->streams;
    if (s->streams)
        s->streams->previous = t;
    s->streams = t;
    t->ended = s->stopping;
    pthread_mutex_unlock(&s->mutex);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_block, t, on_stream_end);
}

static void on_shared_sent(void *cls)
{
    shared_text_release(cls);
}

static struct MHD_Response *make_response(struct exchange *x)
{
    struct reply *r = &x->q.reply;
    struct shared_text *shared = steal(r->shared);

    if (r->stream)
        return stream_response(x);
    if (shared)
        return MHD_create_response_from_buffer_with_free_callback_cls(shared->len, shared->text,
                                                                      on_shared_sent, shared);
    return MHD_create_response_from_buffer(r->len, steal(r->body), MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result send_reply(struct exchange *x)
{
    struct reply *r = &x->q.reply;
    struct MHD_Response *response;
    enum MHD_Result result;
    bool has_body;

    exchange_finish(x);
    set_deadline(x, CLOCK_NEVER);
    has_body = r->len || r->shared || r->stream;
    if (has_body && !r->stream)
        set_cork(x->of, 1);
    response = make_response(x);
    if (!response)
        return MHD_NO;
    if (has_body || r->type)
        MHD_add_response_header(response, "Content-Type", r->type ? r->type : "application/json");
    for (size_t i = 0; i < r->headers.count; i++) {
        char *colon = strchr(r->headers.items[i], ':');

        *colon = '\0';
        MHD_add_response_header(response, r->headers.items[i], colon + 2);
        *colon = ':';
    }
    result = MHD_queue_response(x->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- workers ---- */

/* Hands it to a worker; false: too many wait. The connection sleeps until it is ready. */
static bool hand_over(struct exchange *x)
{
    struct server *s = x->s;
    bool room;

    pthread_mutex_lock(&s->mutex);
    room = s->waiting < SERVER_WAITING_MAX && !s->stopping;
    if (room) {
        MHD_suspend_connection(x->connection);
        x->next = NULL;
        if (s->last)
            s->last->next = x;
        else
            s->first = x;
        s->last = x;
        s->waiting++;
        pthread_cond_signal(&s->cond);
    }
    pthread_mutex_unlock(&s->mutex);
    return room;
}

static struct exchange *take(struct server *s)
{
    struct exchange *x;

    pthread_mutex_lock(&s->mutex);
    while (!s->first && !s->stopping)
        pool_cond_wait(&s->cond, &s->mutex, 60000);
    x = s->first;
    if (x) {
        s->first = x->next;
        if (!s->first)
            s->last = NULL;
        s->waiting--;
    }
    pthread_mutex_unlock(&s->mutex);
    return x;
}

static void *work(void *arg)
{
    struct server *s = arg;
    struct exchange *x;

    while ((x = take(s))) {
        exchange_run(x);
        x->ready = true;
        MHD_resume_connection(x->connection); /* it may be gone with the next word */
    }
    return NULL;
}

/* ---- a request ---- */

/* A NUL byte in the target: the library passes what is in front of it. Target and version stand in
 * one buffer, where then more than the one blank is between them. */
static bool has_nul(const struct exchange *x, const char *version)
{
    uintptr_t end = (uintptr_t)x->raw + strlen(x->target), next = (uintptr_t)version;

    return next > end + 1 && next - end < MEMORY;
}

static enum MHD_Result begin(struct exchange *x, const char *method, const char *version)
{
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    x->begun = true;
    x->method = method;
    x->of = i ? i->socket_context : NULL;
    set_address(&x->q, x->connection);
    set_deadline(x, clock_deadline(SERVER_BODY_MS));
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, on_header, &x->q.headers);
    if (has_nul(x, version)) {
        reply_problem(&x->q, 400, "request", NULL, "there is a NUL byte in the target");
        return send_reply(x);
    }
    exchange_begin(x);
    /* What is answered before the request is read to its end costs the connection. */
    return x->refused && (x->broken || x->expected) ? send_reply(x) : MHD_YES;
}

static enum MHD_Result complete(struct exchange *x)
{
    if (!exchange_complete(x))
        return send_reply(x);
    if (x->q.route->where == ROUTE_NOW) {
        exchange_run(x);
        return send_reply(x);
    }
    set_deadline(x, CLOCK_NEVER);
    if (hand_over(x))
        return MHD_YES;
    reply_later(&x->q, 503, 5000, "too many requests wait already");
    return send_reply(x);
}

/* What the library calls it with. */
#define REQUEST_PARAMETERS                                                                         \
    void *cls, struct MHD_Connection *connection, const char *url, const char *method,             \
        const char *version, const char *upload, size_t *upload_size, void **con_cls

static enum MHD_Result on_request(REQUEST_PARAMETERS)
{
    struct exchange *x = *con_cls;

    (void)cls;
    (void)connection;
    (void)url;
    if (!x->begun)
        return begin(x, method, version);
    if (*upload_size) {
        x->received += (int64_t)*upload_size;
        buf_add(&x->body, upload, *upload_size);
        *upload_size = 0;
        return x->received > CHUNKED_MAX ? MHD_NO : MHD_YES;
    }
    return x->ready || x->refused ? send_reply(x) : complete(x);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *con_cls;

    (void)cls;
    (void)connection;
    (void)why;
    if (!x)
        return;
    set_deadline(x, clock_deadline(SERVER_NEXT_MS));
    set_cork(x->of, 0);
    query_clear(&x->q.query);
    node_free(x->q.body);
    reply_clear(&x->q.reply);
    buf_clear(&x->body);
    free(x->target);
    free(x);
    *con_cls = NULL;
}

/* ---- connections ---- */

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *s = cls;
    struct connection *n = *context;
    const union MHD_ConnectionInfo *i;

    pthread_mutex_lock(&s->mutex);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        i = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        n = mem_alloc(sizeof(*n));
        *n = (struct connection){.s = s,
                                 .fd = i ? i->connect_fd : -1,
                                 .deadline = clock_deadline(SERVER_FIRST_MS),
                                 .next = s->connections};
        if (s->connections)
            s->connections->previous = n;
        s->connections = n;
        *context = n;
    } else if (n) {
        if (n->previous)
            n->previous->next = n->next;
        else
            s->connections = n->next;
        if (n->next)
            n->next->previous = n->previous;
        free(n);
        *context = NULL;
    }
    pthread_mutex_unlock(&s->mutex);
}

/* And its TLS library. */
#define CERTIFICATE_PARAMETERS                                                                     \
    gnutls_session_t session, const gnutls_datum_t *names, int name_count,                         \
        const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,     \
        unsigned *count, gnutls_privkey_t *key

static int on_certificate(CERTIFICATE_PARAMETERS)
{
    /* The library keeps its connection there. */
    struct MHD_Connection *connection = gnutls_session_get_ptr(session);
    const union MHD_ConnectionInfo *i =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    const struct connection *n = i ? i->socket_context : NULL;
    struct certificate_pair *p = n ? certificate_pair(&n->s->certificate) : NULL;

    (void)names;
    (void)name_count;
    (void)algorithms;
    (void)algorithm_count;
    if (!p)
        return -1;
    *chain = p->chain;
    *count = p->count;
    *key = p->key;
    return 0;
}

/* ---- life ---- */

static int resolve(struct sockaddr_storage *out, const struct server_opts *o, struct err *e)
{
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)out;

    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, o->address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)o->port);
        return 0;
    }
    if (inet_pton(AF_INET6, o->address, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)o->port);
        return 0;
    }
    return err_set(e, ERR_USAGE, "%s is not an address to listen on", o->address);
}

static int listen_on(struct server *s, const struct server_opts *o, struct err *e)
{
    struct sockaddr_storage address;
    const union MHD_DaemonInfo *i;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME;

    if (resolve(&address, o, e) < 0)
        return -1;
    if (address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    s->daemon = MHD_start_daemon(
        flags, (uint16_t)o->port, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)SERVER_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)SERVER_CONNECTIONS_EACH, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3",
        MHD_OPTION_HTTPS_CERT_CALLBACK, on_certificate, MHD_OPTION_END);
    if (!s->daemon)
        return err_sys(e, "listening on %s port %d", o->address, o->port);
    i = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    s->port = i ? i->port : o->port;
    return 0;
}

static int start_threads(struct server *s, struct err *e)
{
    for (; s->worker_count < SERVER_WORKERS; s->worker_count++)
        if (thread_start(&s->workers[s->worker_count], NULL, work, s) != 0)
            return err_set(e, ERR_SYS, "a thread could not be started");
    s->ticking = thread_start(&s->ticker, NULL, server_tick, s) == 0;
    return s->ticking ? 0 : err_set(e, ERR_SYS, "a thread could not be started");
}

int server_start(struct server **out, struct controller *c, const struct server_opts *o,
                 struct err *e)
{
    const char *const pem[] = {o->cert_pem, o->key_pem}, *const files[] = {o->cert_file,
                                                                           o->key_file};
    struct server *s = mem_alloc(sizeof(*s));
    int r;

    *s = (struct server){.c = c};
    pthread_mutex_init(&s->mutex, NULL);
    pool_cond_init(&s->cond);
    gnutls_global_init();
    r = certificate_init(&s->certificate, pem, files, e);
    if (r == 0)
        r = start_threads(s, e);
    if (r == 0)
        r = listen_on(s, o, e);
    if (r == 0)
        *out = s;
    else
        server_stop(s);
    return r;
}

int server_port(const struct server *s)
{
    return s->port;
}

void server_stop(struct server *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->mutex);
    s->stopping = true;
    for (struct stream *t = s->streams; t; t = t->next)
        stream_end(t);
    pthread_cond_broadcast(&s->cond);
    pthread_mutex_unlock(&s->mutex);
    for (int i = 0; i < s->worker_count; i++)
        pthread_join(s->workers[i], NULL);
    if (s->ticking)
        pthread_join(s->ticker, NULL);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    certificate_clear(&s->certificate);
    pthread_cond_destroy(&s->cond);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}
