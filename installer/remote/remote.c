/* SPDX-License-Identifier: MIT */
#include "remote/remote.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "remote/call.h"

enum { TOKEN_FILE_MAX = 4096, TOKEN_MIN = 8, TOKEN_MAX = 1000, PIN_BASE64 = 44 };

#define HTTPS "https://"
#define PIN "sha256//"

/* ---- words that may be wrong ---- */

static bool is_visible(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

/* "https://host:port" with or without a slash at its end; the host is libcurl's business. */
static int take_url(char **out, const char *url, struct err *e)
{
    size_t len = strlen(url);
    const char *host = url + strlen(HTTPS);

    if (strncmp(url, HTTPS, strlen(HTTPS)) != 0 || !is_visible(url) || !host[0])
        return err_set(e, ERR_USAGE, "--server takes https://HOST:PORT, as slipwayd prints it");
    if (url[len - 1] == '/')
        len--;
    if (strcspn(host, "/?#@\\") < len - strlen(HTTPS))
        return err_set(e, ERR_USAGE, "--server takes https://HOST:PORT, and nothing behind that");
    *out = mem_strndup(url, len);
    return 0;
}

/* libcurl takes anything else for the name of a file with a key. */
static int check_pin(const char *pin, struct err *e)
{
    static const char *const letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *text = pin + strlen(PIN);

    if (strncmp(pin, PIN, strlen(PIN)) == 0 && strlen(text) == PIN_BASE64 &&
        strspn(text, letters) == PIN_BASE64 - 1 && text[PIN_BASE64 - 1] == '=')
        return 0;
    return err_set(e, ERR_USAGE,
                   "--server-pin takes sha256// and 44 characters, as slipwayd prints it behind "
                   "\"pin\"");
}

static int read_token(char **out, const char *path, struct err *e)
{
    auto_wipe char *text = NULL;
    struct stat s;
    size_t len;

    if (fs_read_input(&text, NULL, path, TOKEN_FILE_MAX, e) < 0)
        return err_wrap(e, "--token-file");
    if (stat(path, &s) == 0 && S_ISREG(s.st_mode) && s.st_mode & (S_IRWXG | S_IRWXO))
        log_warn("%s holds a token, and others may read it: `chmod 600 %s`", path, path);
    len = strcspn(text, "\r\n");
    if (text[len + strspn(text + len, "\r\n")])
        return err_set(e, ERR_USAGE, "--token-file: %s has more than one line", path);
    text[len] = '\0';
    if (len < TOKEN_MIN || len > TOKEN_MAX || !is_visible(text))
        return err_set(e, ERR_USAGE, "--token-file: %s holds no token", path);
    log_redact(text);
    *out = steal(text);
    return 0;
}

/* ---- opening ---- */

int remote_open(struct remote **out, const struct remote_opts *o, struct err *e)
{
    struct remote *there = mem_alloc(sizeof(*there));
    struct talk_target target = {.pin = o->pin, .ca = o->ca};
    int r;

    *out = NULL;
    there->until =
        o->timeout_ms ? until_in(o->timeout_ms, o->cancel) : (struct until){.cancel = o->cancel};
    r = take_url(&there->url, o->url, e);
    if (r == 0 && o->pin)
        r = check_pin(o->pin, e);
    if (r == 0 && !o->token_file)
        r = err_set(e, ERR_USAGE,
                    "--server needs --token-file FILE with an API token of that server");
    if (r == 0 && o->ca && !fs_exists(o->ca))
        r = err_set(e, ERR_USAGE, "--server-ca: there is no file %s", o->ca);
    if (r == 0)
        r = read_token(&there->token, o->token_file, e);
    target.url = there->url;
    if (r == 0)
        r = talk_open(&there->talk, &target, e);
    if (r < 0) {
        remote_close(there);
        return -1;
    }
    *out = there;
    return 0;
}

void remote_close(struct remote *r)
{
    if (!r)
        return;
    talk_close(r->talk);
    mem_wipe_str(r->token);
    free(r->url);
    strv_clear(&r->problems);
    free(r);
}

const char *remote_place(const struct remote *r)
{
    return r->url;
}

const struct strv *remote_problems(const struct remote *r)
{
    return &r->problems;
}

bool remote_has_changed(const struct remote *r)
{
    return r->changed;
}
