/* SPDX-License-Identifier: MIT */
#include "base/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"

enum { MAGIC = 0x53, VERSION = 2, LARGE_LEN = 3 + 4 };

static const int SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

/* ---- writing ---- */

struct writer {
    unsigned char *at, *end;
    bool full;
};

static void put_bytes(struct writer *w, const void *p, size_t len)
{
    if ((size_t)(w->end - w->at) < len) {
        w->full = true;
        return;
    }
    memcpy(w->at, p, len);
    w->at += len;
}

static void put_number(struct writer *w, uint64_t value, size_t bytes)
{
    unsigned char b[8];

    for (size_t i = 0; i < bytes; i++)
        b[i] = (unsigned char)(value >> (8 * i));
    put_bytes(w, b, bytes);
}

static void put_text(struct writer *w, const char *s)
{
    if (!s)
        s = "";
    put_bytes(w, s, strlen(s) + 1);
}

static void put_run(struct writer *w, const struct supervise_msg *m)
{
    put_text(w, m->tag);
    put_text(w, m->cwd);
    put_number(w, m->main, 1);
    put_number(w, m->uid, 4);
    put_number(w, m->gid, 4);
    put_number(w, m->group_count, 1);
    for (size_t i = 0; i < m->group_count; i++)
        put_number(w, m->groups[i], 4);
    put_number(w, (uint64_t)m->stop_signal, 1);
    put_number(w, (uint64_t)m->grace_ms, 4);
    put_number(w, m->argc, 2);
    for (size_t i = 0; i < m->argc; i++)
        put_text(w, m->argv[i]);
    put_number(w, m->env_count, 2);
    for (size_t i = 0; i < m->env_count; i++)
        put_text(w, m->env[i]);
}

static void put_state(struct writer *w, const struct supervise_msg *m)
{
    put_number(w, m->agent_starts, 4);
    put_number(w, m->stopping, 1);
    put_number(w, m->service_count, 1);
    for (size_t i = 0; i < m->service_count; i++) {
        const struct supervise_service *s = &m->services[i];

        put_text(w, s->name);
        put_text(w, s->tag);
        put_number(w, (uint32_t)s->pid, 4);
        put_number(w, s->main, 1);
        put_number(w, (uint64_t)s->since_ms, 8);
    }
}

/* ---- reading ---- */

struct reader {
    char *at, *end;
    bool bad;
};

static uint64_t get_number(struct reader *r, size_t bytes)
{
    uint64_t value = 0;

    if ((size_t)(r->end - r->at) < bytes) {
        r->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)r->at[i] << (8 * i);
    r->at += bytes;
    return value;
}

static size_t get_count(struct reader *r, size_t bytes, size_t max)
{
    uint64_t n = get_number(r, bytes);

    if (n > max) {
        r->bad = true;
        return 0;
    }
    return (size_t)n;
}

static bool get_bool(struct reader *r)
{
    return get_count(r, 1, 1) == 1;
}

static const char *get_text(struct reader *r)
{
    const char *s = r->at;
    char *nul = r->bad ? NULL : memchr(r->at, 0, (size_t)(r->end - r->at));

    if (!nul) {
        r->bad = true;
        return "";
    }
    r->at = nul + 1;
    return s;
}

static void get_run(struct reader *r, struct supervise_msg *m)
{
    m->tag = get_text(r);
    m->cwd = get_text(r);
    m->main = get_bool(r);
    m->uid = (uint32_t)get_number(r, 4);
    m->gid = (uint32_t)get_number(r, 4);
    m->group_count = get_count(r, 1, SUPERVISE_GROUPS_MAX);
    for (size_t i = 0; i < m->group_count; i++)
        m->groups[i] = (uint32_t)get_number(r, 4);
    m->stop_signal = (int)get_number(r, 1);
    m->grace_ms = (int32_t)get_count(r, 4, SUPERVISE_GRACE_MAX_MS);
    m->argc = get_count(r, 2, SUPERVISE_ARGS_MAX);
    for (size_t i = 0; i < m->argc && !r->bad; i++)
        m->argv[i] = get_text(r);
    m->env_count = get_count(r, 2, SUPERVISE_ENV_MAX);
    for (size_t i = 0; i < m->env_count && !r->bad; i++)
        m->env[i] = get_text(r);
}

static void get_state(struct reader *r, struct supervise_msg *m)
{
    m->agent_starts = (uint32_t)get_number(r, 4);
    m->stopping = get_bool(r);
    m->service_count = get_count(r, 1, SUPERVISE_SERVICES_MAX);
    for (size_t i = 0; i < m->service_count; i++) {
        struct supervise_service *s = &m->services[i];

        s->name = get_text(r);
        s->tag = get_text(r);
        s->pid = (int32_t)get_number(r, 4);
        s->main = get_bool(r);
        s->since_ms = (int64_t)get_number(r, 8);
    }
}

/* ---- checks, the same in both directions ---- */

static bool has_service(enum supervise_kind k)
{
    return k == SUPERVISE_RUN || k == SUPERVISE_LISTEN || k == SUPERVISE_STOP ||
           k == SUPERVISE_SIGNAL || k == SUPERVISE_STARTED || k == SUPERVISE_EXITED;
}

static bool has_command(enum supervise_kind k)
{
    return k == SUPERVISE_RUN || k == SUPERVISE_LISTEN;
}

static int check_run(const struct supervise_msg *m, struct err *e)
{
    if (m->tag && strlen(m->tag) >= SUPERVISE_TAG_MAX)
        return err_set(e, ERR_CONFIG, "service %s: the tag is longer than %d bytes", m->service,
                       SUPERVISE_TAG_MAX - 1);
    if (m->argc == 0 || m->argc > SUPERVISE_ARGS_MAX || !m->argv[0][0])
        return err_set(e, ERR_CONFIG, "service %s: needs 1 to %d arguments", m->service,
                       SUPERVISE_ARGS_MAX);
    if (m->env_count > SUPERVISE_ENV_MAX || m->group_count > SUPERVISE_GROUPS_MAX)
        return err_set(e, ERR_CONFIG, "service %s: too many variables or groups", m->service);
    if (m->stop_signal < 0 || m->stop_signal > 64)
        return err_set(e, ERR_CONFIG, "service %s: stop signal %d does not exist", m->service,
                       m->stop_signal);
    if (m->grace_ms < 0 || m->grace_ms > SUPERVISE_GRACE_MAX_MS)
        return err_set(e, ERR_CONFIG, "service %s: grace of %d ms", m->service, (int)m->grace_ms);
    return 0;
}

static int check(const struct supervise_msg *m, struct err *e)
{
    if ((m->kind < SUPERVISE_RUN || m->kind > SUPERVISE_LISTEN || m->kind == SUPERVISE_LARGE) &&
        m->kind != SUPERVISE_WELL && m->kind != SUPERVISE_WAITS)
        return err_set(e, ERR_CONFIG, "supervision message of unknown kind %d", (int)m->kind);
    if (has_service(m->kind) &&
        (!m->service || !m->service[0] || strlen(m->service) >= SUPERVISE_NAME_MAX))
        return err_set(e, ERR_CONFIG, "service names have 1 to %d bytes", SUPERVISE_NAME_MAX - 1);
    if (m->kind == SUPERVISE_LISTEN && m->port == 0)
        return err_set(e, ERR_CONFIG, "service %s: needs a port", m->service);
    if (has_command(m->kind))
        return check_run(m, e);
    if (m->kind == SUPERVISE_SIGNAL && (m->signal < 1 || m->signal > 64))
        return err_set(e, ERR_CONFIG, "service %s: signal %d does not exist", m->service,
                       m->signal);
    if (m->status < 0 || m->status > 255)
        return err_set(e, ERR_CONFIG, "exit status %d is not in 0-255", m->status);
    if (m->tail && strlen(m->tail) >= SUPERVISE_TAIL_MAX)
        return err_set(e, ERR_CONFIG, "more than %d bytes of output", SUPERVISE_TAIL_MAX - 1);
    if (m->service_count > SUPERVISE_SERVICES_MAX)
        return err_set(e, ERR_CONFIG, "more than %d services", SUPERVISE_SERVICES_MAX);
    return 0;
}

/* ---- public ---- */

void supervise_reset(struct supervise_msg *m, enum supervise_kind kind)
{
    memset(m, 0, offsetof(struct supervise_msg, raw));
    m->kind = kind;
}

bool supervise_add_arg(struct supervise_msg *m, const char *text)
{
    if (m->argc >= SUPERVISE_ARGS_MAX)
        return false;
    m->argv[m->argc++] = text;
    return true;
}

bool supervise_add_env(struct supervise_msg *m, const char *text)
{
    if (m->env_count >= SUPERVISE_ENV_MAX)
        return false;
    m->env[m->env_count++] = text;
    return true;
}

int supervise_encode(void *out, size_t cap, size_t *len, const struct supervise_msg *m,
                     struct err *e)
{
    struct writer w = {.at = out, .end = (unsigned char *)out + cap};

    *len = 0;
    if (check(m, e) < 0)
        return -1;
    put_number(&w, MAGIC, 1);
    put_number(&w, VERSION, 1);
    put_number(&w, m->kind, 1);
    if (has_service(m->kind))
        put_text(&w, m->service);
    if (has_command(m->kind))
        put_run(&w, m);
    if (m->kind == SUPERVISE_LISTEN)
        put_number(&w, m->port, 2);
    if (m->kind == SUPERVISE_SIGNAL)
        put_number(&w, (uint64_t)m->signal, 1);
    if (m->kind == SUPERVISE_EXIT || m->kind == SUPERVISE_EXITED)
        put_number(&w, (uint64_t)m->status, 1);
    if (m->kind == SUPERVISE_STARTED || m->kind == SUPERVISE_EXITED)
        put_number(&w, (uint32_t)m->pid, 4);
    if (m->kind == SUPERVISE_EXITED)
        put_text(&w, m->tail);
    if (m->kind == SUPERVISE_STATE)
        put_state(&w, m);
    if (w.full)
        return err_set(e, ERR_CONFIG, "arguments and environment of %s are over %zu bytes",
                       m->service ? m->service : "the message", cap);
    *len = (size_t)(w.at - (unsigned char *)out);
    return 0;
}

/* Unpacks what lies at data, where it stays; raw and large are left as they are. */
static int decode(struct supervise_msg *m, char *data, size_t len, struct err *e)
{
    struct reader r = {.at = data, .end = data + len};

    supervise_reset(m, 0);
    if (get_number(&r, 1) != MAGIC || get_number(&r, 1) != VERSION)
        return err_set(e, ERR_CONFIG, "supervision message of another version");
    m->kind = (enum supervise_kind)get_number(&r, 1);
    if (has_service(m->kind))
        m->service = get_text(&r);
    if (has_command(m->kind))
        get_run(&r, m);
    if (m->kind == SUPERVISE_LISTEN)
        m->port = (uint16_t)get_number(&r, 2);
    if (m->kind == SUPERVISE_SIGNAL)
        m->signal = (int)get_number(&r, 1);
    if (m->kind == SUPERVISE_EXIT || m->kind == SUPERVISE_EXITED)
        m->status = (int)get_number(&r, 1);
    if (m->kind == SUPERVISE_STARTED || m->kind == SUPERVISE_EXITED)
        m->pid = (int32_t)get_number(&r, 4);
    if (m->kind == SUPERVISE_EXITED)
        m->tail = get_text(&r);
    if (m->kind == SUPERVISE_STATE)
        get_state(&r, m);
    if (r.bad || r.at != r.end)
        return err_set(e, ERR_CONFIG, "supervision message is cut off or has a tail");
    return check(m, e);
}

int supervise_decode(struct supervise_msg *m, const void *data, size_t len, struct err *e)
{
    if (len < 3 || len > SUPERVISE_MSG_MAX)
        return err_set(e, ERR_CONFIG, "supervision message of %zu bytes", len);
    if (data != m->raw)
        memcpy(m->raw, data, len);
    return decode(m, m->raw, len, e);
}

/* ---- large messages ---- */

static void drop_large(struct supervise_msg *m)
{
    if (m->large)
        munmap(m->large, m->large_len);
    m->large = NULL;
    m->large_len = 0;
}

/* Room for one file descriptor beside the packet. */
union control {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(int))];
};

/* The packed message in a memfd that nobody can change any more. */
static int pack_large(int *fd, size_t *len, const struct supervise_msg *m, struct err *e)
{
    auto_close int made = memfd_create("supervise", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *map = MAP_FAILED;
    int r;

    if (made < 0 || ftruncate(made, SUPERVISE_LARGE_MAX) < 0)
        return err_sys(e, "a large supervision message");
    map = mmap(NULL, SUPERVISE_LARGE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, made, 0);
    if (map == MAP_FAILED)
        return err_sys(e, "a large supervision message");
    r = supervise_encode(map, SUPERVISE_LARGE_MAX, len, m, e);
    munmap(map, SUPERVISE_LARGE_MAX);
    if (r < 0)
        return -1;
    if (ftruncate(made, (off_t)*len) < 0 || fcntl(made, F_ADD_SEALS, SEALS) < 0)
        return err_sys(e, "a large supervision message");
    *fd = made;
    made = -1;
    return 0;
}

/* Sealed, so that its pages can neither change under the checks nor vanish under PID 1. */
static int take_large(struct supervise_msg *m, int fd, size_t len, struct err *e)
{
    struct stat st;
    void *map;

    if (fd < 0 || len <= SUPERVISE_MSG_MAX || len > SUPERVISE_LARGE_MAX || fstat(fd, &st) < 0 ||
        st.st_size != (off_t)len || (fcntl(fd, F_GET_SEALS) & SEALS) != SEALS)
        return err_set(e, ERR_CONFIG, "a large supervision message is not what it should be");
    map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return err_sys(e, "a large supervision message");
    m->large = map;
    m->large_len = len;
    return decode(m, m->large, len, e);
}

/* ---- the socket ---- */

static int send_packet(int fd, const struct msghdr *h, struct err *e)
{
    ssize_t n;

    do
        n = sendmsg(fd, h, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EPIPE || errno == ECONNRESET
                   ? err_set(e, ERR_NET, "the supervision socket is closed")
                   : err_sys(e, "sending to the supervision socket");
    return 0;
}

static int send_large(int fd, const struct supervise_msg *m, struct err *e)
{
    auto_close int memory = -1;
    unsigned char head[LARGE_LEN];
    struct writer w = {.at = head, .end = head + sizeof(head)};
    struct iovec iov = {.iov_base = head, .iov_len = sizeof(head)};
    union control control = {.room = {0}};
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof(control.room)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&h);
    size_t len;

    if (pack_large(&memory, &len, m, e) < 0)
        return -1;
    put_number(&w, MAGIC, 1);
    put_number(&w, VERSION, 1);
    put_number(&w, SUPERVISE_LARGE, 1);
    put_number(&w, len, 4);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &memory, sizeof(int));
    return send_packet(fd, &h, e);
}

int supervise_send(int fd, struct supervise_msg *m, struct err *e)
{
    struct iovec iov = {.iov_base = m->raw};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

    if (supervise_encode(m->raw, sizeof(m->raw), &iov.iov_len, m, e) < 0)
        return send_large(fd, m, e);
    return send_packet(fd, &h, e);
}

/* The file descriptor that came along, or -1. */
static int control_fd(struct msghdr *h)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    int fd = -1;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(c), sizeof(int));
    return fd;
}

static bool is_large(const struct supervise_msg *m, size_t n)
{
    return n == LARGE_LEN && m->raw[0] == MAGIC && m->raw[1] == VERSION &&
           m->raw[2] == SUPERVISE_LARGE;
}

int supervise_recv(struct supervise_msg *m, bool *got, int fd, int timeout_ms, struct err *e)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct iovec iov = {.iov_base = m->raw, .iov_len = sizeof(m->raw)};
    union control control;
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof(control.room)};
    auto_close int memory = -1;
    ssize_t n;

    *got = false;
    drop_large(m);
    n = poll(&p, 1, timeout_ms);
    if (n == 0 || (n < 0 && errno == EINTR))
        return 0;
    if (n < 0)
        return err_sys(e, "waiting on the supervision socket");
    n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0 && errno != ECONNRESET)
        return err_sys(e, "reading from the supervision socket");
    if (n <= 0)
        return err_set(e, ERR_NET, "the supervision socket is closed");
    memory = control_fd(&h);
    if (h.msg_flags & MSG_TRUNC)
        return err_set(e, ERR_CONFIG, "supervision message over %d bytes", SUPERVISE_MSG_MAX);
    if (is_large(m, (size_t)n)) {
        struct reader r = {.at = m->raw + 3, .end = m->raw + LARGE_LEN};

        if (take_large(m, memory, (size_t)get_number(&r, 4), e) < 0)
            return -1;
    } else if (supervise_decode(m, m->raw, (size_t)n, e) < 0) {
        return -1;
    }
    *got = true;
    return 0;
}
