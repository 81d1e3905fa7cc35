/* SPDX-License-Identifier: ISC
 *
 * Listeners: one per worker on a port that they share, so that the kernel spreads connections, and
 * one for the pages of operators. Descriptors are reserved by their number, and a listener whose
 * accept fails pauses and tries again, while clients wait in the kernel.
 */
#include "net/io/listen.h"

#include "base/clock.h"
#include "base/log.h"
#include "net/io/conn.h"
#include "net/io/refusal.h"

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

static bool is_full(const struct net_shared *shared)
{
    uint64_t count = 0;
    if (!shared->options.max_connections)
        return false;
    for (unsigned i = 0; i < shared->options.workers; i++)
        count += atomic_load_explicit(&shared->workers[i]->conn_count, memory_order_relaxed);
    return count >= shared->options.max_connections;
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
        refused.limit = worker->shared->options.max_connections;
        if (!is_full(worker->shared))
            return false;
    } else {
        base_log_limited(&limit, BASE_LOG_ERROR, "connection refused: no file descriptors left");
    }
    net_refusal_of_fd(worker, fd, refused);
    return true;
}

/* Who comes now waits in the kernel. A listener that stays watched would be reported at once again,
 * and one that gave up a descriptor of its own to refuse its clients could lose that. */
static void pause_accepting(struct net_listener *listener, int error)
{
    struct net_worker *worker = listener->worker;
    net_loop_unwatch(worker->loop, listener->fd);
    listener->resume_us = base_clock_mono_us() + PAUSE_US;
    net_refusal_count(worker, &(struct net_refused){.refusal = NET_REFUSED_DESCRIPTORS});
    if (listener->starved)
        return;
    listener->starved = true;
    if (atomic_fetch_add_explicit(&worker->shared->starved, 1, memory_order_relaxed) == 0)
        base_log(BASE_LOG_ERROR, "connections wait to be accepted: %s", strerror(error));
}

/* Nobody waits any longer. */
static void caught_up(struct net_listener *listener)
{
    struct net_shared *shared = listener->worker->shared;
    if (!listener->starved)
        return;
    listener->starved = false;
    if (atomic_fetch_sub_explicit(&shared->starved, 1, memory_order_relaxed) == 1)
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
    if (listener->fd < 0)
        return;
    net_loop_unwatch(listener->worker->loop, listener->fd);
    close(listener->fd);
    listener->fd = -1;
    listener->resume_us = 0;
}
