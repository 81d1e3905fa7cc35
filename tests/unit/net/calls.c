/* SPDX-License-Identifier: ISC
 *
 * What server.h promises to whoever calls it: no handler runs inside a call, whatever the call
 * ends; it runs in the same turn of the loop, once, and what is ending may be used until then.
 */
#include "net/server/server.h"

#include "base/buf.h"
#include "lib/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define QUEUE 1000
#define TURNS 1000

static struct {
    uv_loop_t loop;
    struct net_server *server;
    uint16_t port;
    bool calling;                                     /* a function of the server */
    void (*on_connect)(struct net_socket *socket);    /* of the test */
    void (*on_event)(struct net_socket *socket);      /* ... */
    void (*on_disconnect)(struct net_socket *socket); /* ..., or NULL */
    struct net_socket *sockets[2];                    /* as they came */
    int connected, disconnected, opened, received, closed, bytes, gone; /* calls of handlers */
    enum net_reason reason;                                             /* of the last end */
    struct net_pipe *pipe;
    bool done;
} t;

/* Nothing of ours is called by what is done here. */
#define CALL(what)                                                                                 \
    do {                                                                                           \
        CHECK(!t.calling);                                                                         \
        t.calling = true;                                                                          \
        what;                                                                                      \
        t.calling = false;                                                                         \
    } while (0)

/* ---- handlers ---- */

static void on_connect(void *data, struct net_socket *socket, const struct net_connect *connect)
{
    (void)data;
    (void)connect;
    CHECK(!t.calling);
    if (t.connected < 2)
        t.sockets[t.connected] = socket;
    t.connected++;
    t.on_connect(socket);
}

static void on_event(void *data, struct net_socket *socket, const struct net_event *event)
{
    (void)data;
    (void)event;
    CHECK(!t.calling);
    t.on_event(socket);
}

static void on_disconnect(void *data, struct net_socket *socket, enum net_reason reason)
{
    (void)data;
    CHECK(!t.calling);
    t.disconnected++;
    t.reason = reason;
    if (t.on_disconnect)
        t.on_disconnect(socket);
}

static void on_open(void *data, struct net_session *session)
{
    static char text[QUEUE];
    (void)data;
    CHECK(!t.calling);
    t.opened++;
    for (int i = 0; i < 4; i++)
        CALL(net_session_send(session, true, (struct base_slice){text, sizeof text}));
    CHECK_INT(t.closed, 0);
}

static void on_message(void *data, struct net_session *session, bool binary,
                       struct base_slice message)
{
    (void)data;
    (void)session;
    (void)binary;
    (void)message;
    t.received++;
}

static void on_close(void *data, struct net_session *session, enum net_reason reason)
{
    (void)data;
    CHECK(!t.calling);
    t.closed++;
    t.reason = reason;
    CALL(net_session_send(session, false, (struct base_slice){"late", 4}));
}

static void on_request(void *data, struct net_pipe *pipe, uint16_t id)
{
    (void)data;
    CHECK(!t.calling && id != 1);
    t.pipe = pipe;
    CALL(net_pipe_open(pipe));
}

static void on_bytes(void *data, struct net_pipe *pipe, struct base_slice bytes)
{
    (void)data;
    CHECK(!t.calling && pipe == t.pipe);
    t.bytes += (int)bytes.len;
}

static void on_sent(void *data, struct net_pipe *pipe)
{
    (void)data;
    CHECK(!t.calling && pipe == t.pipe);
}

static void on_gone(void *data, struct net_pipe *pipe)
{
    (void)data;
    CHECK(!t.calling && pipe == t.pipe);
    t.gone++;
}

/* ---- the server ---- */

static void on_closed(void *data)
{
    (void)data;
    t.done = true;
}

static void begin(void)
{
    static const struct net_namespace namespaces[] = {
        {"/", on_connect, on_event, on_disconnect, NULL},
        {"/two", on_connect, on_event, on_disconnect, NULL}};
    static const struct net_engine engine = {
        .on_open = on_open, .on_message = on_message, .on_close = on_close};
    static const struct net_relay relay = {
        .on_request = on_request, .on_bytes = on_bytes, .on_sent = on_sent, .on_gone = on_gone};
    static struct net_endpoint endpoints[2];
    struct net_server_options options = {.endpoints = endpoints,
                                         .endpoint_count = 2,
                                         .workers = 1,
                                         .header_timeout_ms = 10000,
                                         .request_timeout_ms = 10000,
                                         .idle_timeout_ms = 10000,
                                         .relay = &relay};
    char bound[NET_ADDRESS_MAX];
    struct base_why why;
    memset(&t, 0, sizeof t);
    endpoints[0] = endpoints[1] = net_endpoint_defaults;
    endpoints[0].namespaces = namespaces;
    endpoints[0].namespace_count = 2;
    endpoints[1].path = "/engine.io";
    endpoints[1].engine = &engine;
    endpoints[0].max_queue_bytes = endpoints[1].max_queue_bytes = QUEUE;
    uv_loop_init(&t.loop);
    CHECK_INT(net_server_new(&t.loop, &options, &t.server, &why), 0);
    CHECK_INT(net_server_listen(t.server, "127.0.0.1", 0, bound, &why), 0);
    t.port = (uint16_t)atoi(strrchr(bound, ':') + 1);
}

static void end(void)
{
    net_server_close(t.server, 0, on_closed, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    CHECK(t.done);
    CHECK_INT(uv_loop_close(&t.loop), 0);
}

#define TURN_UNTIL(cond)                                                                           \
    do {                                                                                           \
        for (int turns_ = 0; !(cond) && turns_ < TURNS; turns_++)                                  \
            uv_run(&t.loop, UV_RUN_NOWAIT);                                                        \
        CHECK(cond);                                                                               \
    } while (0)

/* ---- its clients ---- */

static int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(t.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void add_text(struct base_buf *out, const char *text)
{
    base_buf_add_byte(out, (char)0x81);
    base_buf_add_byte(out, (char)(0x80 | strlen(text)));
    base_buf_add(out, "\0\0\0\0", 4);
    base_buf_add(out, text, strlen(text));
}

/* A WebSocket whose first packets, up to a NULL, come with the handshake. */
static int open_websocket(const char *path, const char *const *packets)
{
    struct base_buf out = BASE_BUF_INIT;
    int fd = dial();
    base_buf_printf(&out,
                    "GET %s/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n"
                    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                    path);
    while (*packets)
        add_text(&out, *packets++);
    CHECK_INT(send(fd, out.data, out.len, MSG_NOSIGNAL), (ssize_t)out.len);
    base_buf_fini(&out);
    return fd;
}

static void reset(int fd)
{
    struct linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

/* ---- handlers of the tests ---- */

static void emit(struct net_socket *socket, size_t len)
{
    static char json[2 * QUEUE];
    json[0] = '"';
    memset(json + 1, 'x', sizeof json - 1);
    json[len - 1] = '"';
    CALL(net_socket_emit(socket, (struct base_slice){"\"e\"", 3}, (struct base_slice){json, len},
                         NULL));
}

static void accept_it(struct net_socket *socket)
{
    CALL(net_socket_accept(socket));
}

/* Every call that there is, on a socket that is ending. */
static void use(struct net_socket *socket)
{
    char address[NET_ADDRESS_MAX];
    struct net_lag lag;
    emit(socket, 10);
    CALL(net_socket_accept(socket));
    CALL(net_socket_ack(socket, 1, (struct base_slice){"1", 1}, NULL));
    CALL(net_socket_address(socket, address));
    CALL(net_socket_lag(socket, &lag));
    CALL(net_socket_unfollow(socket));
    CALL(net_socket_disconnect(socket));
    CALL(net_socket_close(socket, NET_REASON_SERVER));
    net_socket_set_data(socket, NULL);
    CHECK(net_socket_get_data(socket) == NULL);
    CHECK_INT(net_socket_worker(socket), 0);
}

static void accept_and_send_too_much(struct net_socket *socket)
{
    CALL(net_socket_accept(socket));
    emit(socket, QUEUE);
    CHECK_INT(t.disconnected, 0);
    use(socket);
    CHECK_INT(t.disconnected, 0);
}

static void send_too_much_and_accept(struct net_socket *socket)
{
    if (socket == t.sockets[0]) {
        CALL(net_socket_accept(socket));
        emit(socket, QUEUE / 2);
        return;
    }
    CALL(net_socket_accept(socket));
    emit(t.sockets[0], QUEUE / 2);
    use(socket);
    CHECK_INT(t.disconnected, 0);
}

static void close_it(struct net_socket *socket)
{
    CALL(net_socket_close(socket, NET_REASON_LIMIT));
    CHECK_INT(t.disconnected, 0);
    use(socket);
}

static void refuse_it(struct net_socket *socket)
{
    CALL(net_socket_refuse(socket, "no"));
}

static void disconnect_it(struct net_socket *socket)
{
    CALL(net_socket_disconnect(socket));
    CHECK_INT(t.disconnected, 0);
    use(socket);
}

static void end_both(struct net_socket *socket)
{
    (void)socket;
    CALL(net_socket_disconnect(t.sockets[0]));
    for (int i = 0; i < 2; i++)
        emit(t.sockets[1], QUEUE);
    CHECK_INT(t.disconnected, 0);
}

/* ---- tests ---- */

static void a_slow_session_ends_after_the_handler(void)
{
    begin();
    t.on_connect = accept_and_send_too_much;
    t.on_event = use;
    t.on_disconnect = use;
    int fd = open_websocket("/socket.io", (const char *const[]){"40", "42[\"x\"]", NULL});
    TURN_UNTIL(t.disconnected > 0);
    CHECK_INT(t.connected, 1);
    CHECK_INT(t.reason, NET_REASON_SLOW);
    end();
    CHECK_INT(t.disconnected, 1);
    close(fd);
}

static void all_sockets_of_it_are_reported(void)
{
    begin();
    t.on_connect = send_too_much_and_accept;
    int fd = open_websocket("/socket.io", (const char *const[]){"40", "40/two,", NULL});
    TURN_UNTIL(t.disconnected == 2);
    CHECK_INT(t.reason, NET_REASON_SLOW);
    end();
    CHECK_INT(t.disconnected, 2);
    close(fd);
}

static void a_session_is_closed_after_the_handler(void)
{
    begin();
    t.on_connect = close_it;
    int fd = open_websocket("/socket.io", (const char *const[]){"40", "40/two,", NULL});
    TURN_UNTIL(t.disconnected > 0);
    CHECK_INT(t.reason, NET_REASON_LIMIT);
    end();
    CHECK_INT(t.connected, 1); /* nothing is taken after the end */
    CHECK_INT(t.disconnected, 1);
    close(fd);
}

static void a_socket_is_refused_without_report(void)
{
    begin();
    t.on_connect = refuse_it;
    int fd = open_websocket("/socket.io", (const char *const[]){"40", "40", NULL});
    TURN_UNTIL(t.connected == 2);
    end();
    CHECK_INT(t.disconnected, 0);
    close(fd);
}

/* It may join again at once; the old socket's end does not touch the new one. */
static void a_socket_is_disconnected_after_the_handler(void)
{
    struct net_log *log;
    begin();
    t.on_connect = accept_it;
    t.on_event = disconnect_it;
    CHECK_INT(net_server_log_new(t.server, &log), 0);
    int fd = open_websocket("/socket.io", (const char *const[]){"40", NULL});
    TURN_UNTIL(t.connected == 1);
    struct net_view *view = net_server_log_attach(t.server, log, 0);
    CALL(net_socket_follow(t.sockets[0], view));
    CALL(net_socket_disconnect(t.sockets[0]));
    CHECK_INT(t.disconnected, 0);
    CALL(net_server_log_detach(t.server, view)); /* nobody follows it any more */
    CALL(net_server_log_free(t.server, log));
    TURN_UNTIL(t.disconnected == 1);
    CHECK_INT(t.reason, NET_REASON_SERVER);
    end();
    CHECK_INT(t.disconnected, 1);
    close(fd);
}

static void a_handler_ends_others(void)
{
    int fds[2];
    begin();
    t.on_connect = accept_it;
    t.on_event = end_both;
    t.on_disconnect = use;
    fds[0] = open_websocket("/socket.io", (const char *const[]){"40", NULL});
    TURN_UNTIL(t.connected == 1);
    fds[1] = open_websocket("/socket.io", (const char *const[]){"40", "42[\"x\"]", NULL});
    TURN_UNTIL(t.disconnected == 2);
    end();
    CHECK_INT(t.disconnected, 2);
    close(fds[0]);
    close(fds[1]);
}

static void a_session_of_engine_io_ends_after_the_handler(void)
{
    begin();
    int fd = open_websocket("/engine.io", (const char *const[]){"4x", "4y", NULL});
    TURN_UNTIL(t.closed > 0);
    CHECK_INT(t.reason, NET_REASON_SLOW);
    end();
    CHECK_INT(t.opened, 1);
    CHECK_INT(t.received, 0); /* nothing is taken after the end */
    CHECK_INT(t.closed, 1);
    close(fd);
}

/* A pipe whose client has gone without the server's knowledge. */
static void open_lost_pipe(void)
{
    static const char request[] =
        "POST /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA"
        " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n1234";
    begin();
    net_server_set_id(t.server, 1);
    int fd = dial();
    CHECK_INT(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    TURN_UNTIL(t.bytes == (int)sizeof request - 1);
    reset(fd);
    CALL(CHECK_INT(net_pipe_send(t.pipe, (struct base_slice){"x", 1}), BASE_ERR_CLOSED));
    CHECK_INT(t.gone, 0);
    CALL(net_pipe_pause(t.pipe, true));
    CALL(net_pipe_pause(t.pipe, false));
    CALL(CHECK_INT(net_pipe_send(t.pipe, (struct base_slice){"x", 1}), BASE_ERR_CLOSED));
}

static void a_lost_pipe_is_reported_after_the_call(void)
{
    open_lost_pipe();
    TURN_UNTIL(t.gone == 1);
    end();
    CHECK_INT(t.gone, 1);
}

static void a_lost_pipe_may_be_ended(void)
{
    open_lost_pipe();
    CALL(net_pipe_finish(t.pipe));
    end();
    CHECK_INT(t.gone, 0);
    open_lost_pipe();
    CALL(net_pipe_reset(t.pipe));
    end();
    CHECK_INT(t.gone, 0);
}

int main(void)
{
    RUN(a_slow_session_ends_after_the_handler);
    RUN(all_sockets_of_it_are_reported);
    RUN(a_session_is_closed_after_the_handler);
    RUN(a_socket_is_refused_without_report);
    RUN(a_socket_is_disconnected_after_the_handler);
    RUN(a_handler_ends_others);
    RUN(a_session_of_engine_io_ends_after_the_handler);
    RUN(a_lost_pipe_is_reported_after_the_call);
    RUN(a_lost_pipe_may_be_ended);
    return test_end();
}
