/* SPDX-License-Identifier: ISC
 *
 * The server that the official Engine.IO and Socket.IO protocol suites expect, on PORT (default
 * 3000): /engine.io echoes messages, /socket.io has the namespaces / and /custom. PING_INTERVAL and
 * PING_TIMEOUT, in milliseconds, are for tests that are not about heartbeats.
 */
#include "base/log.h"
#include "net/server/server.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define SLICE(text)                                                                                \
    (struct base_slice)                                                                            \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static void on_message(void *data, struct net_session *session, bool binary,
                       struct base_slice message)
{
    (void)data;
    net_session_send(session, binary, message);
}

static void on_connect(void *data, struct net_socket *socket, const struct net_connect *connect)
{
    (void)data;
    struct base_slice auth = SLICE("{}");
    if (connect->auth.kind == BASE_JSON_OBJECT)
        auth = (struct base_slice){connect->auth.text, connect->auth.len};
    net_socket_accept(socket);
    net_socket_emit(socket, SLICE("\"auth\""), auth, NULL);
}

/* The arguments behind the event's name, without the brackets. */
static struct base_slice arguments_of(const struct net_event *event)
{
    const char *at = event->name.text + event->name.len;
    const char *end = event->data.text + event->data.len - 1;
    at = memchr(at, ',', (size_t)(end - at));
    if (!at)
        return (struct base_slice){NULL, 0};
    return (struct base_slice){at + 1, (size_t)(end - at - 1)};
}

static void on_event(void *data, struct net_socket *socket, const struct net_event *event)
{
    (void)data;
    struct base_slice arguments = arguments_of(event);
    if (base_json_equals(&event->name, "message", 7))
        net_socket_emit(socket, SLICE("\"message-back\""), arguments, &event->attachments);
    else if (base_json_equals(&event->name, "message-with-ack", 16) && event->has_ack)
        net_socket_ack(socket, event->ack, arguments, &event->attachments);
}

static void stop(uv_signal_t *signal, int number)
{
    (void)number;
    net_server_close(signal->data, 100, NULL, NULL);
    uv_close((uv_handle_t *)signal, NULL);
}

static uint32_t from_environment(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);
    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

int main(void)
{
    static const char *const everybody[] = {"*"};
    static const struct net_engine engine = {.on_message = on_message};
    static const struct net_namespace namespaces[] = {
        {.name = "/", .on_connect = on_connect, .on_event = on_event},
        {.name = "/custom", .on_connect = on_connect},
    };
    struct net_endpoint endpoints[2] = {net_endpoint_defaults, net_endpoint_defaults};
    for (int i = 0; i < 2; i++) {
        endpoints[i].origins = everybody;
        endpoints[i].origin_count = 1;
        endpoints[i].ping_interval_ms = from_environment("PING_INTERVAL", 300);
        endpoints[i].ping_timeout_ms = from_environment("PING_TIMEOUT", 200);
    }
    endpoints[0].path = "/engine.io";
    endpoints[0].engine = &engine;
    endpoints[1].connect_timeout_ms = 1000;
    endpoints[1].namespaces = namespaces;
    endpoints[1].namespace_count = 2;
    struct net_server_options options = {
        .endpoints = endpoints,
        .endpoint_count = 2,
        .workers = 1,
        .header_timeout_ms = 10000,
        .request_timeout_ms = 30000,
        .idle_timeout_ms = 60000,
    };
    char bound[NET_ADDRESS_MAX];
    struct net_server *server;
    struct base_why why;
    uv_loop_t loop;
    uv_signal_t signal;
    base_log_init("echo-server", BASE_LOG_TEXT, BASE_LOG_INFO);
    uv_loop_init(&loop);
    if (net_server_new(&loop, &options, &server, &why) < 0 ||
        net_server_listen(server, NULL, (uint16_t)from_environment("PORT", 3000), bound, &why) <
            0) {
        base_log(BASE_LOG_ERROR, "%s", why.text);
        return 1;
    }
    base_log(BASE_LOG_INFO, "listening on %s", bound);
    uv_signal_init(&loop, &signal);
    signal.data = server;
    uv_signal_start(&signal, stop, SIGTERM);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop) == 0 ? 0 : 1;
}
