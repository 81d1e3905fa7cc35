/* SPDX-License-Identifier: ISC */
#include "net/internal.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG          1024
#define UNSENT_BYTES     (512 * 1024)
#define ACCEPTS_PER_TURN 256

/* Every address: IPv6 that takes IPv4 too, or IPv4 where there is no IPv6. */
static int resolve(const char *host, uint16_t port, struct addrinfo **list, struct base_why *why)
{
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    bool any = !host || !*host;
    if (any)
        host = "::";
    int failed = getaddrinfo(host, service, &hints, list);
    if (failed)
        return base_why_set(why, BASE_ERR_CONFIG, "cannot resolve %s: %s", host,
                            gai_strerror(failed));
    return BASE_OK;
}

static int bind_one(const struct addrinfo *address, bool reuse)
{
    int on = 1, off = 0, unsent = UNSENT_BYTES;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    /* Accepted sockets inherit these. Without the second the kernel would take megabytes, beyond
     * what is on its way, for a client that does not read. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int net_listen_open(struct net_listener *listener, const char *host, uint16_t port, bool reuse,
                    struct base_why *why)
{
    struct addrinfo *list;
    int failed = resolve(host, port, &list, why);
    if (failed)
        return failed;
    listener->fd = -1;
    for (struct addrinfo *at = list; at && listener->fd < 0; at = at->ai_next)
        listener->fd = bind_one(at, reuse);
    int saved = errno;
    freeaddrinfo(list);
    if (listener->fd < 0 && (!host || !*host) && saved == EAFNOSUPPORT)
        return net_listen_open(listener, "0.0.0.0", port, reuse, why);
    if (listener->fd < 0)
        return base_why_errno(why, saved == EACCES ? BASE_ERR_DENIED : BASE_ERR_UNAVAILABLE, saved,
                              "cannot listen on %s:%u", host && *host ? host : "*", port);
    listener->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return BASE_OK;
}

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

int net_listen_address(const struct net_listener *listener, char text[static NET_ADDRESS_MAX],
                       uint16_t *port)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(listener->fd, (struct sockaddr *)&address, &len) < 0)
        return BASE_ERR_INTERNAL;
    format_address(&address, text, port);
    return BASE_OK;
}

void net_listen_peer(int fd, char text[static NET_ADDRESS_MAX])
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    uint16_t port;
    if (getpeername(fd, (struct sockaddr *)&address, &len) < 0 || address.ss_family == AF_UNIX)
        snprintf(text, NET_ADDRESS_MAX, "-");
    else
        format_address(&address, text, &port);
}

struct base_slice net_listen_host(int fd, char text[static NET_ADDRESS_MAX])
{
    net_listen_peer(fd, text);
    char *colon = strrchr(text, ':');
    struct base_slice host = {text, colon ? (size_t)(colon - text) : strlen(text)};
    if (host.len > 2 && *host.data == '[')
        host = (struct base_slice){text + 1, host.len - 2};
    return host;
}

/* Out of descriptors: the client is told by a close, instead of being left in the backlog while
 * the listener stays readable for ever. */
static bool refuse_one(struct net_listener *listener)
{
    static struct base_log_limit limit;
    base_log_limited(&limit, BASE_LOG_ERROR, "connection refused: no file descriptors left");
    net_worker_refused(listener->worker, &(struct net_refused){.refusal = NET_REFUSED_DESCRIPTORS});
    if (listener->spare_fd < 0)
        return false;
    close(listener->spare_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    listener->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0;
}

bool net_listen_is_full(const struct net_server *server)
{
    uint64_t count = 0;
    if (!server->options.max_connections)
        return false;
    for (unsigned i = 0; i < server->options.workers; i++)
        count += atomic_load_explicit(&server->workers[i].conn_count, memory_order_relaxed);
    return count >= server->options.max_connections;
}

void net_listen_accept(struct net_listener *listener)
{
    struct net_worker *worker = listener->worker;
    enum net_conn_kind kind = listener->of_site ? NET_CONN_OF_SITE : NET_CONN_OF_CLIENT;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0 && (errno == EMFILE || errno == ENFILE) && refuse_one(listener))
            continue;
        if (fd < 0)
            return;
        bool full = !listener->of_site && net_listen_is_full(worker->server);
        if (full)
            net_fd_refused(worker, fd,
                           (struct net_refused){.refusal = NET_REFUSED_CONNECTIONS,
                                                .limit = worker->server->options.max_connections});
        if (full || net_conn_open(worker, fd, kind) < 0)
            close(fd);
    }
}

void net_listen_close(struct net_listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    if (listener->spare_fd >= 0)
        close(listener->spare_fd);
    listener->fd = listener->spare_fd = -1;
}
