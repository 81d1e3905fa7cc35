/* SPDX-License-Identifier: ISC */
#include "net/internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG          1024
#define UNSENT_BYTES     (512 * 1024)
#define ACCEPTS_PER_TURN 256
#define KEPT_MAX         64 /* descriptors that clients do not get: for Redis, links, pages */
#define KEPT_PART        8  /* ... and at most this part of all */
#define PAUSE_US         (200 * NET_MS)

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

bool net_listen_is_loopback(const char *text)
{
    return strncmp(text, "127.", 4) == 0 || strncmp(text, "[::1]", 5) == 0;
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

static bool is_full(const struct net_server *server)
{
    uint64_t count = 0;
    if (!server->options.max_connections)
        return false;
    for (unsigned i = 0; i < server->options.workers; i++)
        count += atomic_load_explicit(&server->workers[i].conn_count, memory_order_relaxed);
    return count >= server->options.max_connections;
}

/* ---- descriptors ---- */

/* The kernel gives the lowest that is free, so that a high one says how few are left. No other
 * thread can take what is kept back in this way, and nothing has to be given back. */
static bool is_kept_back(int fd)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY)
        return false;
    rlim_t kept = files.rlim_cur / KEPT_PART < KEPT_MAX ? files.rlim_cur / KEPT_PART : KEPT_MAX;
    return (rlim_t)fd >= files.rlim_cur - kept;
}

bool net_listen_refuses(struct net_worker *worker, int fd)
{
    static struct base_log_limit limit;
    struct net_refused refused = {.refusal = NET_REFUSED_DESCRIPTORS};
    if (!is_kept_back(fd)) {
        refused.refusal = NET_REFUSED_CONNECTIONS;
        refused.limit = worker->server->options.max_connections;
        if (!is_full(worker->server))
            return false;
    } else {
        base_log_limited(&limit, BASE_LOG_ERROR, "connection refused: no file descriptors left");
    }
    net_fd_refused(worker, fd, refused);
    return true;
}

/* Who comes now waits in the kernel. A listener that stays watched would be reported at once again,
 * and one that gave up a descriptor of its own to refuse its clients could lose that. */
static void pause_accepting(struct net_listener *listener, int error)
{
    struct net_worker *worker = listener->worker;
    net_loop_unwatch(worker->loop, listener->fd);
    listener->resume_us = base_clock_mono_us() + PAUSE_US;
    net_worker_refused(worker, &(struct net_refused){.refusal = NET_REFUSED_DESCRIPTORS});
    if (listener->starved)
        return;
    listener->starved = true;
    if (atomic_fetch_add_explicit(&worker->server->starved, 1, memory_order_relaxed) == 0)
        base_log(BASE_LOG_ERROR, "connections wait to be accepted: %s", strerror(error));
}

/* Nobody waits any longer. */
static void caught_up(struct net_listener *listener)
{
    struct net_server *server = listener->worker->server;
    if (!listener->starved)
        return;
    listener->starved = false;
    if (atomic_fetch_sub_explicit(&server->starved, 1, memory_order_relaxed) == 1)
        base_log(BASE_LOG_INFO, "connections are accepted again");
}

/* Of a single connection: the next one may be fine. */
static bool is_passing(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO;
}

void net_listen_accept(struct net_listener *listener)
{
    struct net_worker *worker = listener->worker;
    enum net_conn_kind kind = listener->of_site ? NET_CONN_OF_SITE : NET_CONN_OF_CLIENT;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && is_passing(errno))
            continue;
        if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            caught_up(listener);
            return;
        }
        if (fd < 0) {
            pause_accepting(listener, errno);
            return;
        }
        if ((!listener->of_site && net_listen_refuses(worker, fd)) ||
            net_conn_open(worker, fd, kind) < 0)
            close(fd);
    }
}

void net_listen_resume(struct net_listener *listener, uint64_t now_us)
{
    if (!listener->resume_us || listener->resume_us > now_us)
        return;
    listener->resume_us = 0;
    if (net_loop_watch(listener->worker->loop, listener->fd, (char *)listener + 1, true) < 0)
        listener->resume_us = now_us + PAUSE_US;
    else
        net_listen_accept(listener); /* without an event: perhaps nobody waits */
}

void net_listen_close(struct net_listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
    listener->resume_us = 0;
}
