/* SPDX-License-Identifier: ISC
 *
 * Addresses of sockets as text. IPv4 that has come over IPv6 is shown as IPv4; a socket of this
 * machine alone (AF_UNIX), over which another server hands requests on, has no address.
 */
#include "net/io/address.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void format_address(const struct sockaddr_storage *address, char *text, uint16_t *port)
{
    char host[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    if (address->ss_family == AF_INET6) {
        *port = ntohs(v6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, sizeof host);
            snprintf(text, NET_ADDRESS_MAX, "%s:%u", host, *port);
        } else {
            inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
            snprintf(text, NET_ADDRESS_MAX, "[%s]:%u", host, *port);
        }
    } else {
        *port = ntohs(v4->sin_port);
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(text, NET_ADDRESS_MAX, "%s:%u", host, *port);
    }
}

int net_address_own(int fd, char text[static NET_ADDRESS_MAX], uint16_t *port)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return BASE_ERR_INTERNAL;
    format_address(&address, text, port);
    return BASE_OK;
}

bool net_address_is_loopback(const char *text)
{
    return strncmp(text, "127.", 4) == 0 || strncmp(text, "[::1]", 5) == 0;
}

void net_address_peer(int fd, char text[static NET_ADDRESS_MAX])
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    uint16_t port;
    if (getpeername(fd, (struct sockaddr *)&address, &len) < 0 || address.ss_family == AF_UNIX)
        snprintf(text, NET_ADDRESS_MAX, "-");
    else
        format_address(&address, text, &port);
}

struct base_slice net_address_host(int fd, char text[static NET_ADDRESS_MAX])
{
    net_address_peer(fd, text);
    char *colon = strrchr(text, ':');
    struct base_slice host = {text, colon ? (size_t)(colon - text) : strlen(text)};
    if (host.len > 2 && *host.data == '[')
        host = (struct base_slice){text + 1, host.len - 2};
    return host;
}
