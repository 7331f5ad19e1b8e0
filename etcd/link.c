/* SPDX-License-Identifier: MIT */
#include "etcd/link.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { PORT_DEFAULT = 2379 };

/* A piece of the text being parsed. */
struct part {
    const char *at;
    size_t len;
};

static const char *part_find(struct part p, char c)
{
    return p.len ? memchr(p.at, c, p.len) : NULL;
}

/* Cuts `p` at the first `c`: `p` keeps what is before it, the rest comes
 * back; false without `c`. */
static bool part_cut(struct part *p, char c, struct part *rest)
{
    const char *cut = part_find(*p, c);

    if (!cut)
        return false;
    *rest = (struct part){cut + 1, p->len - (size_t)(cut - p->at) - 1};
    p->len = (size_t)(cut - p->at);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* JSON and etcd names take UTF-8 only, and a control character is never meant. */
static bool is_clean_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        uint32_t c;
        size_t n = utf8_decode(&c, text + i, len - i);

        if (n == 0 || utf8_is_control(c))
            return false;
        i += n;
    }
    return true;
}

/* Percent-decodes; the message names the part and never shows it. */
static int decode(char **out, struct part p, const char *what, struct err *e)
{
    auto_wipe char *text = mem_alloc(p.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < p.len; i++) {
        if (p.at[i] != '%') {
            text[n++] = p.at[i];
            continue;
        }
        int high = i + 2 < p.len ? hex_digit(p.at[i + 1]) : -1;
        int low = i + 2 < p.len ? hex_digit(p.at[i + 2]) : -1;
        if (high < 0 || low < 0)
            return err_set(e, ERR_CONFIG, "link: a %% in the %s is not followed by two hex digits",
                           what);
        text[n++] = (char)(high * 16 + low);
        i += 2;
    }
    if (!is_clean_text(text, n))
        return err_set(e, ERR_CONFIG, "link: the %s holds a control character or is not UTF-8",
                       what);
    *out = steal(text);
    return 0;
}

static int parse_userinfo(struct link *l, struct part user, struct err *e)
{
    struct part password;

    if (part_cut(&user, ':', &password)) {
        if (password.len == 0)
            return err_set(e, ERR_CONFIG, "link: the password is empty");
        if (part_find(password, ':'))
            return err_set(e, ERR_CONFIG, "link: a ':' in the password is written %%3A");
        if (decode(&l->password, password, "password", e) < 0)
            return -1;
    }
    if (user.len == 0)
        return err_set(e, ERR_CONFIG, "link: the user is empty");
    return decode(&l->user, user, "user", e);
}

static bool is_host_name(struct part p)
{
    if (p.len == 0 || p.len > 253 || p.at[0] == '-' || p.at[0] == '.')
        return false;
    for (size_t i = 0; i < p.len; i++) {
        char c = p.at[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';

        if (!ok)
            return false;
    }
    return true;
}

static int parse_port(int *out, struct part p, struct err *e)
{
    int port = 0;

    if (p.len == 0 || p.len > 5)
        return err_set(e, ERR_CONFIG, "link: a port is a number from 1 to 65535");
    for (size_t i = 0; i < p.len; i++) {
        if (p.at[i] < '0' || p.at[i] > '9')
            return err_set(e, ERR_CONFIG, "link: a port is a number from 1 to 65535");
        port = port * 10 + (p.at[i] - '0');
    }
    if (port < 1 || port > 65535)
        return err_set(e, ERR_CONFIG, "link: a port is a number from 1 to 65535");
    *out = port;
    return 0;
}

/* "[v6]", "[v6]:port": host gets the address without brackets, rest what follows them. */
static int parse_bracketed(struct part *host, struct part *rest, struct part p, struct err *e)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    *host = (struct part){p.at + 1, p.len - 1};
    if (!part_cut(host, ']', rest))
        return err_set(e, ERR_CONFIG, "link: a '[' has no ']'");
    if (host->len >= sizeof(text))
        return err_set(e, ERR_CONFIG, "link: what is in brackets is not an IPv6 address");
    memcpy(text, host->at, host->len);
    text[host->len] = '\0';
    if (inet_pton(AF_INET6, text, &address) != 1)
        return err_set(e, ERR_CONFIG, "link: what is in brackets is not an IPv6 address");
    return 0;
}

static int parse_endpoint(struct link *l, struct part p, struct err *e)
{
    struct part host = p, rest = {p.at, 0};
    struct link_endpoint *ep;
    int port = PORT_DEFAULT;

    if (l->endpoint_count == LINK_ENDPOINTS_MAX)
        return err_set(e, ERR_CONFIG, "link: more than %d endpoints", LINK_ENDPOINTS_MAX);
    if (p.len && p.at[0] == '[') {
        if (parse_bracketed(&host, &rest, p, e) < 0)
            return -1;
        if (rest.len && rest.at[0] != ':')
            return err_set(e, ERR_CONFIG, "link: after ']' only ':PORT' may stand");
        if (rest.len && parse_port(&port, (struct part){rest.at + 1, rest.len - 1}, e) < 0)
            return -1;
    } else {
        if (part_cut(&host, ':', &rest) && parse_port(&port, rest, e) < 0)
            return -1;
        if (!is_host_name(host))
            return err_set(e, ERR_CONFIG, "link: a host is missing or is not a host name");
    }
    ep = &l->endpoints[l->endpoint_count++];
    ep->host = mem_strndup(host.at, host.len);
    ep->port = port;
    return 0;
}

static int parse_prefix(struct link *l, struct part p, struct err *e)
{
    auto_free char *path = NULL;

    if (decode(&path, p, "prefix", e) < 0)
        return -1;
    size_t len = strlen(path);
    while (len && path[len - 1] == '/')
        path[--len] = '\0';
    if (strstr(path, "//"))
        return err_set(e, ERR_CONFIG, "link: the prefix has an empty part (\"//\")");
    l->prefix = len ? mem_printf("/%s", path) : mem_strdup("");
    return 0;
}

static int parse_pin(struct link *l, struct part p, struct err *e)
{
    auto_free char *pin = NULL, *raw = NULL;
    size_t raw_len;
    struct err why;

    if (decode(&pin, p, "pin", e) < 0)
        return -1;
    if (strncmp(pin, "sha256//", 8) != 0 ||
        base64_decode(&raw, &raw_len, pin + 8, strlen(pin + 8), &why) < 0 || raw_len != 32)
        return err_set(e, ERR_CONFIG, "link: the pin is sha256// and the base64 of 32 bytes");
    l->pin = steal(pin);
    return 0;
}

static int parse_query(struct link *l, struct part p, struct err *e)
{
    struct part rest = {0};

    for (bool more = true; more; p = rest) {
        struct part value;

        more = part_cut(&p, '&', &rest);
        if (!part_cut(&p, '=', &value) || p.len != 3 || memcmp(p.at, "pin", 3) != 0)
            return err_set(e, ERR_CONFIG, "link: after '?' only pin=sha256//BASE64 may stand");
        if (l->pin)
            return err_set(e, ERR_CONFIG, "link: the pin is given twice");
        if (parse_pin(l, value, e) < 0)
            return -1;
    }
    if (!l->tls)
        return err_set(e, ERR_CONFIG, "link: a pin needs etcds://");
    return 0;
}

static int parse_etcd(struct link *l, struct part p, struct err *e)
{
    struct part path = {0}, query = {0}, hosts, rest = {0};
    bool has_query = part_cut(&p, '?', &query);
    bool has_path = part_cut(&p, '/', &path);

    if (part_find(p, '@')) {
        part_cut(&p, '@', &hosts);
        if (part_find(hosts, '@'))
            return err_set(e, ERR_CONFIG,
                           "link: a '@' in the user or the password is written %%40");
        if (parse_userinfo(l, p, e) < 0)
            return -1;
        p = hosts;
    }
    for (bool more = true; more; p = rest) {
        more = part_cut(&p, ',', &rest);
        if (parse_endpoint(l, p, e) < 0)
            return -1;
    }
    if (parse_prefix(l, has_path ? path : (struct part){p.at, 0}, e) < 0)
        return -1;
    return has_query ? parse_query(l, query, e) : 0;
}

static int parse_file(struct link *l, struct part p, struct err *e)
{
    l->file = true;
    if (p.len < 2 || p.at[0] != '/')
        return err_set(e, ERR_CONFIG, "link: file:// is followed by an absolute path");
    return decode(&l->path, p, "path", e);
}

static void link_cleanup(struct link **l)
{
    link_free(*l);
}

int link_parse(struct link **out, const char *text, struct err *e)
{
    __attribute__((cleanup(link_cleanup))) struct link *l = mem_alloc(sizeof(*l));
    struct part p = {text, strnlen(text, LINK_MAX + 1)};
    int r;

    *out = NULL;
    if (p.len > LINK_MAX)
        return err_set(e, ERR_CONFIG, "link: longer than %d bytes", LINK_MAX);
    for (size_t i = 0; i < p.len; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7F || text[i] == '#')
            return err_set(e, ERR_CONFIG,
                           "link: spaces, control characters, '#' and bytes over 127 are written "
                           "%%XX");
    if (strncmp(text, "etcds://", 8) == 0) {
        l->tls = true;
        r = parse_etcd(l, (struct part){text + 8, p.len - 8}, e);
    } else if (strncmp(text, "etcd://", 7) == 0) {
        r = parse_etcd(l, (struct part){text + 7, p.len - 7}, e);
    } else if (strncmp(text, "file://", 7) == 0) {
        r = parse_file(l, (struct part){text + 7, p.len - 7}, e);
    } else {
        r = err_set(e, ERR_CONFIG, "link: begins with etcds://, etcd:// or file://");
    }
    if (r == 0)
        *out = steal(l);
    return r;
}

void link_free(struct link *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->endpoint_count; i++)
        mem_cleanup_free(&l->endpoints[i].host);
    mem_wipe_str(l->password);
    mem_wipe_str(l->token);
    mem_cleanup_free(&l->path);
    mem_cleanup_free(&l->user);
    mem_cleanup_free(&l->prefix);
    mem_cleanup_free(&l->pin);
    mem_cleanup_free(&l->refused_hint);
    mem_cleanup_free(&l);
}

/* RFC 3986 "unreserved" and, where `slash` says so, '/'. */
static void encode(struct buf *b, const char *s, bool slash)
{
    for (; *s; s++) {
        char c = *s;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~' || (slash && c == '/');

        if (plain)
            buf_putc(b, c);
        else
            buf_printf(b, "%%%02X", (unsigned char)c);
    }
}

static void format_etcd(struct buf *b, const struct link *l, bool redact)
{
    buf_puts(b, l->tls ? "etcds://" : "etcd://");
    if (l->user) {
        encode(b, l->user, false);
        if (l->password) {
            buf_putc(b, ':');
            if (redact)
                buf_puts(b, "***");
            else
                encode(b, l->password, false);
        }
        buf_putc(b, '@');
    }
    for (size_t i = 0; i < l->endpoint_count; i++) {
        const struct link_endpoint *ep = &l->endpoints[i];
        bool v6 = strchr(ep->host, ':') != NULL;

        buf_printf(b, "%s%s%s%s:%d", i ? "," : "", v6 ? "[" : "", ep->host, v6 ? "]" : "",
                   ep->port);
    }
    encode(b, l->prefix ? l->prefix : "", true);
    if (l->pin)
        buf_printf(b, "?pin=%s", l->pin);
}

char *link_format(const struct link *l, bool redact)
{
    struct buf b;

    buf_init(&b, (size_t)4 * LINK_MAX);
    if (l->file) {
        buf_puts(&b, "file://");
        encode(&b, l->path, true);
    } else {
        format_etcd(&b, l, redact);
    }
    return buf_take(&b);
}
