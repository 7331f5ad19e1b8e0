/* SPDX-License-Identifier: MIT */
#include "agent/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "base/mem.h"

static const struct ifaddrs *find(const struct ifaddrs *all, int family)
{
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        if (!a->ifa_addr || a->ifa_addr->sa_family != family || (a->ifa_flags & IFF_LOOPBACK) ||
            !(a->ifa_flags & IFF_UP))
            continue;
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)a->ifa_addr;
        if (family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
            return a;
    }
    return NULL;
}

char *address_own(void)
{
    struct ifaddrs *all = NULL;
    char text[INET6_ADDRSTRLEN] = "127.0.0.1";

    if (getifaddrs(&all) < 0)
        return mem_strdup(text);
    const struct ifaddrs *four = find(all, AF_INET), *six = four ? NULL : find(all, AF_INET6);
    if (four)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)four->ifa_addr)->sin_addr,
                  text, sizeof(text));
    else if (six)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)six->ifa_addr)->sin6_addr,
                  text, sizeof(text));
    freeifaddrs(all);
    return mem_strdup(text);
}
