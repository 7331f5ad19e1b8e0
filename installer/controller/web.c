/* SPDX-License-Identifier: MIT */
#include "controller/web.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/crypto.h"

/* The Makefile lists the files of web/: WEB(number, "name"). */
#define WEB(number, name)                                                                          \
    __asm__(".pushsection .rodata\n"                                                               \
            ".global web_file_" #number "\n"                                                       \
            "web_file_" #number ": .incbin \"installer/controller/web/" name "\"\n"                \
            ".global web_end_" #number "\n"                                                        \
            "web_end_" #number ":\n"                                                               \
            ".popsection\n");                                                                      \
    extern const char web_file_##number[], web_end_##number[];
#include "controller/web.def"
#undef WEB

static const struct file {
    const char *name, *begin, *end;
} FILES[] = {
#define WEB(number, name) {name, web_file_##number, web_end_##number},
#include "controller/web.def"
#undef WEB
    {0}};

static const struct {
    const char *ending, *type;
} TYPES[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".json", "application/json"},
};

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < ARRAY_LEN(TYPES); i++)
        if (strcmp(TYPES[i].ending, dot) == 0)
            return TYPES[i].type;
    return "application/octet-stream";
}

static const struct file *find(const char *name)
{
    for (const struct file *f = FILES; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

bool web_find(struct request *q)
{
    const char *first = q->query.part_count ? q->query.parts[0] : "index.html";
    auto_strv struct strv parts = {0};
    const struct file *f;
    char digest[CRYPTO_HEX_LEN];
    bool view;

    for (size_t i = 0; i < q->query.part_count; i++)
        strv_add(&parts, q->query.parts[i]);
    auto_free char *path = parts.count ? strv_join(&parts, "/") : mem_strdup(first);

    view = !strchr(path, '.') && strcmp(first, "api") != 0;
    f = find(view ? "index.html" : path);
    if (!f)
        return false;
    reply_header(q, "Cache-Control", "no-cache");
    reply_header(q, "Content-Security-Policy",
                 "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                 "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
                 "require-trusted-types-for 'script'; trusted-types 'none'");
    crypto_sha256_hex(digest, f->begin, (size_t)(f->end - f->begin));
    digest[16] = '\0';
    if (reply_tag(q, digest))
        return true;
    q->reply.type = type_of(f->name);
    q->reply.len = (size_t)(f->end - f->begin);
    q->reply.body = mem_dup(f->begin, q->reply.len);
    return true;
}
