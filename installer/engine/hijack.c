/* SPDX-License-Identifier: MIT */
#include "engine/hijack.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/until.h"
#include "conf/json.h"
#include "engine/api.h"
#include "engine/dial.h"
#include "engine/engine.h"

enum { HEAD_MAX = 16 << 10, HEAD_MS = 30 * 1000, TICK_MS = 1000 };

void hijack_wait(int fd, short events, struct until until)
{
    struct pollfd f[] = {{.fd = fd, .events = events}, {.fd = until_fd(until), .events = POLLIN}};

    poll(f, ARRAY_LEN(f), until_poll_ms(until, TICK_MS));
}

int hijack_write(int fd, const char *p, size_t len, struct until until, struct err *e)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EAGAIN) {
            if (until_check(until, "what was sent was not read", e) < 0)
                return -1;
            hijack_wait(fd, POLLOUT, until);
        } else if (n < 0 && errno != EINTR)
            return err_sys(e, "writing");
        else if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

static int send_request(int fd, const struct engine *g, const char *path, const struct node *body,
                        struct err *e)
{
    auto_free char *text = body ? json_text(body) : mem_strdup("");
    auto_free char *head =
        mem_printf("POST /v%s%s HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
                   "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: %zu\r\n\r\n%s",
                   engine_version(g), path, strlen(text), text);

    return hijack_write(fd, head, strlen(head), until_within(engine_until(g), HEAD_MS), e);
}

/* Reads up to the empty line; what follows it stays in the socket, byte by byte reading is cheap
 * once. */
static int read_head(int fd, struct buf *head, const char *socket, struct until until,
                     struct err *e)
{
    auto_free char *late = mem_printf("Docker at %s did not answer", socket);

    while (!strstr(buf_str(head), "\r\n\r\n")) {
        char c;

        if (head->full)
            return err_set(e, ERR_REMOTE, "the answer of Docker at %s has no end", socket);
        if (until_check(until, late, e) < 0)
            return -1;
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EAGAIN)
            hijack_wait(fd, POLLIN, until);
        else if (n == 0 || (n < 0 && errno != EINTR))
            return err_set(e, ERR_NET, "Docker at %s closed the connection", socket);
        if (n == 1)
            buf_putc(head, c);
    }
    return 0;
}

static int read_answer(int fd, const char *socket, struct until until, struct err *e)
{
    auto_buf struct buf head;
    long status = 0;

    buf_init(&head, HEAD_MAX);
    if (read_head(fd, &head, socket, until, e) < 0)
        return -1;
    if (sscanf(buf_str(&head), "HTTP/1.1 %3ld", &status) != 1)
        return err_set(e, ERR_REMOTE, "what answers at %s is not a Docker Engine: no HTTP", socket);
    if (status == 101 || status == 200)
        return 0;
    char body[4096] = "";
    hijack_wait(fd, POLLIN, until);
    ssize_t n = read(fd, body, sizeof(body) - 1);
    return api_error(status, body, n > 0 ? (size_t)n : 0, e);
}

int hijack_open(int *fd, const struct engine *g, const char *path, const struct node *body,
                struct err *e)
{
    struct until until = until_within(engine_until(g), HEAD_MS);
    auto_close int sock = -1;

    if (api_is_read_only(g))
        return err_set(e, ERR_SYS, "POST %s: this engine is open for reading only", path);
    if (dial_unix(&sock, api_socket(g), until, e) < 0)
        return -1;
    if (send_request(sock, g, path, body, e) < 0 || read_answer(sock, api_socket(g), until, e) < 0)
        return -1;
    *fd = sock;
    sock = -1;
    return 0;
}
