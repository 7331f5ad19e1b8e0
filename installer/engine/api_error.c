/* SPDX-License-Identifier: MIT */
/* Docker's answers in the operator's words. Docker gives the same status to many causes and one
 * cause several statuses, so known messages are looked for before the status speaks. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/json.h"
#include "engine/api.h"

static const struct cause {
    const char *part; /* of Docker's message */
    enum err_code code;
    const char *sentence;
} causes[] = {
    {"no space left on device", ERR_REMOTE,
     "the disk of the Docker host is full: make room (docker system df shows what takes it) and "
     "run "
     "the same command again"},
    {"disk quota exceeded", ERR_REMOTE, "the disk quota of the Docker host is used up"},
    {"client version", ERR_REMOTE,
     "this Docker and Slipway have no API version in common: upgrade the older one"},
    {"has active endpoints", ERR_CONFLICT, "the network still has containers"},
    {"Pool overlaps with other one", ERR_CONFLICT,
     "the network's address range is used by another Docker network: choose another subnet"},
    {"non-overlapping IPv4 address pool", ERR_CONFLICT,
     "Docker has no address range left for a new network: remove unused networks (docker network "
     "prune) or give a subnet"},
    {"Address already in use", ERR_CONFLICT,
     "the address is used by another container of that network"},
    {"is ambiguous", ERR_CONFLICT, "two networks have that name: remove one of them by its id"},
    {"is already in use by container", ERR_CONFLICT, "a container of that name exists"},
    {"volume is in use", ERR_CONFLICT, "a container still uses the volume"},
    {"rootfs is marked read-only", ERR_CONFLICT, "its root file system is read-only"},
    {"error gathering device information", ERR_REMOTE,
     "a device is missing on the Docker host: load its kernel module (modprobe fuse for "
     "/dev/fuse)"},
    {"pull access denied", ERR_NOTFOUND, "there is no such image, or it needs docker login"},
    {"manifest unknown", ERR_NOTFOUND, "the registry has no such tag"},
    {"exec format error", ERR_REMOTE, "the program in the image is for another processor"},
};

/* Of a registry, found only in messages that quote a request to one. */
static const struct cause registry_causes[] = {
    {"i/o timeout", ERR_NET, "the registry does not answer"},
    {"no such host", ERR_NET, "the registry's name is not known"},
    {"connection refused", ERR_NET, "the registry refuses connections"},
    {"Client.Timeout exceeded", ERR_NET, "the registry does not answer"},
    {"context deadline exceeded", ERR_NET, "the registry does not answer"},
    {"network is unreachable", ERR_NET, "the registry cannot be reached"},
    {"toomanyrequests", ERR_REMOTE, "the registry's rate limit is reached: log in or wait"},
    {"authentication required", ERR_AUTH, "the registry wants docker login"},
    {"unauthorized", ERR_AUTH, "the registry wants docker login"},
};

/* The port out of "... 0.0.0.0:8080 failed: port is already allocated" or "... listen tcp4
 * 0.0.0.0:80: bind: address already in use". */
static int port_taken(const char *message, struct err *e)
{
    const char *end = strstr(message, " failed: port is already allocated");

    if (!end)
        end = strstr(message, ": bind: address already in use");
    if (!end)
        return 0;
    const char *start = end;
    while (start > message && start[-1] != ' ')
        start--;
    return err_set(e, ERR_CONFLICT,
                   "port %.*s is taken on the Docker host: free it (ss -ltnp shows who has it) or "
                   "publish another",
                   (int)(end - start), start);
}

static enum err_code code_of(long status)
{
    switch (status) {
    case 400:
        return ERR_CONFIG;
    case 401:
    case 403:
        return ERR_AUTH;
    case 404:
        return ERR_NOTFOUND;
    case 409:
        return ERR_CONFLICT;
    case 503:
        return ERR_NET;
    default:
        return ERR_REMOTE;
    }
}

static int known(const struct cause *list, size_t count, const char *message, struct err *e)
{
    for (size_t i = 0; i < count; i++)
        if (strcasestr(message, list[i].part))
            return err_set(e, list[i].code, "%s (Docker: %s)", list[i].sentence, message);
    return 0;
}

int api_error_text(long status, const char *message, struct err *e)
{
    bool quotes_request = strstr(message, " \"http") != NULL;

    if (port_taken(message, e) < 0 || known(causes, ARRAY_LEN(causes), message, e) < 0)
        return -1;
    if (quotes_request && known(registry_causes, ARRAY_LEN(registry_causes), message, e) < 0)
        return -1;
    return err_set(e, code_of(status), "%s", message);
}

int api_error(long status, const char *body, size_t len, struct err *e)
{
    struct err ignored = {0};
    auto_node struct node *root = NULL;
    const char *message = NULL;

    if (len > 0 && json_parse(&root, "Docker's answer", body, len, &ignored) == 0)
        message = node_get_text(root, "message");
    auto_free char *plain = NULL;
    if (!message || message[0] == '\0')
        plain = len > 0 ? mem_printf("HTTP %ld: %.*s", status, (int)(len < 500 ? len : 500), body)
                        : mem_printf("HTTP %ld without a message", status);
    return api_error_text(status, plain ? plain : message, e);
}
