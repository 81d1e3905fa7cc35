/* SPDX-License-Identifier: ISC
 *
 * The WebSocket transport. Frames of a client are handled as they come; what a session has to send
 * goes out at the end of the turn, as much as the kernel takes. The reader of frames is in the
 * connection: codec/ws.h. How a WebSocket begins is in upgrade.c.
 */
#include "net/session/internal.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "net/session/lag.h"
#include "net/session/queue.h"
#include "net/session/transport.h"

#include <string.h>

#define EXPANDED_PER_PACKET 16384 /* bytes that count as one more packet of a client */

void net_websocket_send(struct net_conn *conn, enum net_ws_opcode opcode, struct base_slice payload)
{
    char header[NET_WS_HEADER_MAX];
    size_t len = net_ws_header(header, opcode, payload.len);
    net_conn_send(conn, (struct base_slice){header, len}, payload);
}

void net_websocket_start(struct net_session *session, struct net_conn *conn)
{
    session->transport = &net_websocket_transport;
    session->conn = conn;
    session->deflates = net_ws_allows_compressed(&conn->ws);
    conn->session = session;
    conn->state = NET_CONN_WS;
    net_deadline_clear(&conn->worker->deadlines, &conn->deadline);
}

/* ---- reading ---- */

static void take_close(struct net_session *session, const struct net_ws_event *event)
{
    char payload[NET_WS_CONTROL_MAX];
    size_t len = 0;
    if (event->code != NET_WS_CODE_NONE) {
        payload[0] = (char)(event->code >> 8);
        payload[1] = (char)event->code;
        memcpy(payload + 2, event->data, event->len);
        len = event->len + 2;
    }
    net_session_close_with(session, NET_REASON_CLIENT, (struct base_slice){payload, len});
}

static void take_event(struct net_session *session, struct net_ws_event *event)
{
    struct net_eio_packet packet;
    switch (event->opcode) {
    case NET_WS_PING:
        if (net_session_spend(session))
            net_session_add(session, NET_WS_PONG, event->data, event->len);
        net_session_settle(session);
        break;
    case NET_WS_PONG: net_session_spend(session); break;
    case NET_WS_CLOSE: take_close(session, event); break;
    case NET_WS_TEXT:
    case NET_WS_BINARY:
        if (net_eio_parse(event->data, event->len, event->opcode == NET_WS_BINARY, &packet) < 0)
            net_session_close(session, NET_REASON_PROTOCOL);
        else
            net_session_take(session, &packet);
        break;
    default: break;
    }
}

/* Puts what a compressed message says in its place, or says why not. It is borrowed from the
 * worker's state until the next one is expanded. */
static enum net_ws_code expand(struct net_conn *conn, struct net_ws_event *event)
{
    struct net_deflate *deflate = net_worker_deflate(conn->worker);
    struct base_slice message = {event->data, event->len};
    if (!deflate)
        return NET_WS_CODE_INTERNAL;
    size_t max = net_session_max_bytes(conn->session);
    switch (net_deflate_expand(deflate, message, max, &message)) {
    case BASE_OK: break;
    case BASE_ERR_LIMIT: return NET_WS_CODE_TOO_BIG;
    case BASE_ERR_NOMEM: return NET_WS_CODE_INTERNAL;
    default: return NET_WS_CODE_DATA;
    }
    if (event->opcode == NET_WS_TEXT && !base_utf8_valid(message.data, message.len))
        return NET_WS_CODE_DATA;
    event->data = (char *)(uintptr_t)message.data;
    event->len = message.len;
    return NET_WS_CODE_NONE;
}

int net_websocket_next(struct net_conn *conn, char *bytes, size_t len, size_t *used,
                       struct net_ws_event *event)
{
    size_t max = net_session_max_bytes(conn->session);
    int got = net_ws_next(&conn->ws, max, bytes, len, used, event);
    if (got != 1 || !event->compressed)
        return got;
    enum net_ws_code code = expand(conn, event);
    if (code == NET_WS_CODE_NONE)
        return 1;
    event->code = (uint16_t)code;
    return code == NET_WS_CODE_INTERNAL ? BASE_ERR_NOMEM : BASE_ERR_SYNTAX;
}

bool net_websocket_pay(struct net_session *session, const struct net_ws_event *event)
{
    for (size_t paid = EXPANDED_PER_PACKET; event->compressed && paid <= event->len;
         paid += EXPANDED_PER_PACKET)
        if (!net_session_spend(session))
            return false;
    return true;
}

/* A message has as much time as the body of a request, whatever control frames come between its
 * fragments. `new_one`: one that began before has ended. */
static void time_message(struct net_conn *conn, bool new_one)
{
    struct net_worker *worker = conn->worker;
    if (!net_ws_midway(&conn->ws))
        net_deadline_clear(&worker->deadlines, &conn->deadline);
    else if (new_one || !conn->deadline.place)
        net_deadline_set(&worker->deadlines, &conn->deadline,
                         base_clock_mono_us() +
                             worker->shared->options.request_timeout_ms * NET_MS);
}

static bool is_message(const struct net_ws_event *event)
{
    return event->opcode == NET_WS_TEXT || event->opcode == NET_WS_BINARY;
}

static void violated(struct net_session *session, uint16_t code)
{
    char payload[2] = {(char)(code >> 8), (char)code};
    net_session_close_with(session, NET_REASON_PROTOCOL, (struct base_slice){payload, 2});
}

size_t net_websocket_take(struct net_conn *conn, char *bytes, size_t len)
{
    size_t taken = 0;
    bool ended_one = false;
    int got = 1;
    /* After an event once more, even without bytes: that frees what the event lay in. */
    while ((taken < len || got > 0) && conn->state == NET_CONN_WS) {
        struct net_ws_event event;
        size_t used = 0;
        got = net_websocket_next(conn, bytes + taken, len - taken, &used, &event);
        taken += used;
        if (got < 0) {
            violated(conn->session, event.code);
            return len; /* nothing after a violation is handled */
        }
        if (got == 0)
            break;
        if (!net_websocket_pay(conn->session, &event))
            return len;
        ended_one |= is_message(&event);
        take_event(conn->session, &event);
    }
    if (conn->state == NET_CONN_WS)
        time_message(conn, ended_one);
    return taken;
}

/* ---- writing ---- */

static void write_queue(struct net_session *session)
{
    struct net_conn *conn = session->conn;
    struct iovec pieces[NET_IOVECS];
    int count;
    while (!conn->blocked && !conn->out && (count = net_queue_peek(session, pieces)) > 0) {
        size_t sent = net_conn_writev(conn, pieces, count);
        if (session->dead)
            return;
        net_queue_sent(session, sent);
        if (session->lag && net_lag_sent(session, sent))
            net_session_set_due(session);
    }
}

static void drain(struct net_session *session)
{
    if (session->conn)
        write_queue(session);
}

/* All that there was has been written. */
static void caught_up(struct net_session *session)
{
    if (session->lag) {
        net_lag_clear(session);
        net_session_set_due(session);
    }
    if (session->deflates)
        net_queue_catch_up(session);
}

static void flush(struct net_session *session)
{
    struct net_conn *conn = session->conn;
    write_queue(session);
    if (session->dead)
        return;
    if (!conn->blocked && !conn->out) {
        caught_up(session);
        return;
    }
    enum net_lag_verdict verdict =
        net_queue_exceeds(session) ? NET_LAG_TOO_OLD : net_lag_note(session);
    if (verdict == NET_LAG_TOO_OLD)
        net_session_close(session, NET_REASON_SLOW);
    else if (verdict == NET_LAG_BEGINS)
        net_session_set_due(session);
}

/* Sends what goes without waiting, then a close frame. */
static void close_session(struct net_session *session, enum net_reason reason,
                          struct base_slice payload)
{
    struct net_conn *conn = session->conn;
    (void)reason;
    if (!conn)
        return;
    session->conn = NULL;
    conn->session = NULL;
    if (net_queue_midway(session))
        net_conn_send(conn, net_queue_rest_of_frame(session), (struct base_slice){NULL, 0});
    net_websocket_send(conn, NET_WS_CLOSE, payload);
    net_conn_finish(conn);
}

static struct net_conn *conn_of(const struct net_session *session)
{
    return session->conn;
}

const struct net_transport net_websocket_transport = {
    .name = "websocket",
    .flush = flush,
    .drain = drain,
    .close = close_session,
    .conn = conn_of,
};

/* ---- the role ---- */

void net_websocket_drop(struct net_conn *conn)
{
    net_ws_fini(&conn->ws);
    memset(&conn->http, 0, sizeof conn->http);
}

static bool always(const struct net_conn *conn)
{
    (void)conn;
    return true;
}

static void flush_later(struct net_conn *conn)
{
    net_session_dirty(conn->session);
}

static void late(struct net_conn *conn)
{
    net_session_close(conn->session, NET_REASON_MESSAGE_TIMEOUT);
}

static void lost(struct net_conn *conn)
{
    struct net_session *session = conn->session;
    if (!session)
        return;
    conn->session = NULL;
    session->conn = NULL;
    net_session_close(session, NET_REASON_TRANSPORT);
}

const struct net_conn_role net_websocket_role = {
    .name = "websocket",
    .take = net_websocket_take,
    .reads = always,
    .writable = flush_later,
    .due = late,
    .lost = lost,
    .drop = net_websocket_drop,
};
