/* SPDX-License-Identifier: ISC
 *
 * Where other gateways connect. The descriptor is ours and not a listener of libuv, which tries
 * again within one call, for as long as no descriptor is left to accept with and another thread has
 * taken the one that it keeps for that.
 */
#include "relay/internal.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG  64
#define PAUSE_MS 200

static void on_readable(uv_poll_t *poll, int status, int events);

/* Who comes meanwhile waits in the kernel. */
static void pause_accepting(struct relay *relay);

static void on_pause_over(uv_timer_t *timer)
{
    struct relay *relay = timer->data;
    if (uv_poll_start(&relay->listener, UV_READABLE, on_readable) < 0)
        pause_accepting(relay);
}

static void pause_accepting(struct relay *relay)
{
    uv_poll_stop(&relay->listener);
    uv_timer_start(&relay->accept_timer, on_pause_over, PAUSE_MS, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    static struct base_log_limit limit;
    struct relay *relay = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < BACKLOG; i++) {
        int fd = accept4(relay->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            relay_link_accept(relay, fd);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            base_log_limited(&limit, BASE_LOG_ERROR, "relay: connections wait to be accepted: %s",
                             strerror(errno));
            pause_accepting(relay);
            return;
        }
    }
}

/* A descriptor that listens; -1 with `errno`. */
static int bind_to(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* The port may have been picked by the system. */
static void note_address(struct relay *relay)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    if (getsockname(relay->listen_fd, (struct sockaddr *)&bound, &len) == 0)
        relay->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                        : ((struct sockaddr_in *)&bound)->sin_port);
    bool v6 = strchr(relay->host, ':') != NULL;
    snprintf(relay->address, sizeof relay->address, v6 ? "[%s]:%u" : "%s:%u", relay->host,
             relay->port);
}

static int watch(struct relay *relay)
{
    uv_loop_t *loop = relay->loop;
    int failed = uv_poll_init(loop, &relay->listener, relay->listen_fd);
    if (failed) {
        close(relay->listen_fd);
        return failed;
    }
    uv_timer_init(loop, &relay->accept_timer);
    relay->listener.data = relay->accept_timer.data = relay;
    return uv_poll_start(&relay->listener, UV_READABLE, on_readable);
}

int relay_listen_start(struct relay *relay, struct base_why *why)
{
    char service[8];
    uv_getaddrinfo_t request;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    snprintf(service, sizeof service, "%u", relay->port);
    int failed = uv_getaddrinfo(relay->loop, &request, NULL, relay->host, service, &hints);
    if (failed)
        return base_why_set(why, BASE_ERR_CONFIG, "cannot resolve %s: %s", relay->host,
                            uv_strerror(failed));
    relay->listen_fd = bind_to(request.addrinfo);
    failed = relay->listen_fd < 0 ? uv_translate_sys_error(errno) : 0;
    uv_freeaddrinfo(request.addrinfo);
    if (!failed)
        failed = watch(relay);
    if (failed)
        return base_why_set(why, failed == UV_EACCES ? BASE_ERR_DENIED : BASE_ERR_UNAVAILABLE,
                            "cannot listen on %s:%u: %s", relay->host, relay->port,
                            uv_strerror(failed));
    note_address(relay);
    return BASE_OK;
}

void relay_listen_stop(struct relay *relay)
{
    uv_close((uv_handle_t *)&relay->listener, NULL);
    uv_close((uv_handle_t *)&relay->accept_timer, NULL);
    close(relay->listen_fd);
}
