/* SPDX-License-Identifier: ISC */
#include "net/codec/negotiate.h"
#include "net/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define EXPANDED_PER_PACKET 16384 /* bytes that count as one more packet of a client */

static const struct base_slice nothing = {NULL, 0};

/* Sends a frame ahead of everything that is queued; for connections without a session's queue. */
static void send_frame(struct net_conn *conn, enum net_ws_opcode opcode, struct base_slice payload)
{
    char header[NET_WS_HEADER_MAX];
    size_t len = net_ws_header(header, opcode, payload.len);
    net_conn_send(conn, (struct base_slice){header, len}, payload);
}

/* ---- handshake ---- */

struct handshake {
    const char *extension; /* agreed on, or NULL */
    char accept[NET_WS_ACCEPT_LEN + 1];
};

static void refuse(struct net_conn *conn, struct net_http1 *http, const char *why,
                   const char *headers)
{
    net_conn_refused(conn, http, (struct net_refused){.refusal = NET_REFUSED_REQUEST, .why = why});
    net_answer(conn, &(struct net_answer){.status = 400,
                                          .type = "text/html",
                                          .headers = headers,
                                          .body = {"Bad request", 11},
                                          .close = true});
}

/* Formats the 101 into worker->head. */
static int format_switch(struct net_conn *conn, const struct handshake *handshake)
{
    struct base_buf *head = &conn->worker->head;
    head->len = 0;
    int failed = base_buf_printf(head,
                                 "HTTP/1.1 101 Switching Protocols\r\n"
                                 "Upgrade: websocket\r\n"
                                 "Connection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: %s\r\n",
                                 handshake->accept);
    if (handshake->extension)
        failed |= base_buf_printf(head, "Sec-WebSocket-Extensions: %s\r\n", handshake->extension);
    failed |= net_answer_cors(head, conn);
    failed |= base_buf_add_text(head, "\r\n");
    return failed ? BASE_ERR_NOMEM : BASE_OK;
}

/* From HTTP to frames. False when the connection was lost on the way. */
static bool switch_protocols(struct net_conn *conn, const struct handshake *handshake,
                             enum net_conn_state state)
{
    if (format_switch(conn, handshake) < 0) {
        net_conn_kill(conn, true);
        return false;
    }
    net_exchange_release(conn);
    net_exchange_forget_origin(conn);
    memset(&conn->http, 0, sizeof conn->http);
    conn->state = (uint8_t)state;
    if (handshake->extension)
        net_ws_allow_compressed(&conn->ws);
    struct base_buf *head = &conn->worker->head;
    net_conn_send(conn, (struct base_slice){head->data, head->len}, nothing);
    return conn->state != NET_CONN_DEAD;
}

static void open_new(struct net_conn *conn, struct net_http1 *http,
                     const struct handshake *handshake)
{
    struct net_worker *worker = conn->worker;
    struct net_session *session;
    int failed = net_session_open(conn, http, &net_websocket_transport, &session);
    if (failed) {
        net_session_not_opened(conn, failed);
        return;
    }
    if (!switch_protocols(conn, handshake, NET_CONN_WS)) {
        net_session_close(session, NET_REASON_TRANSPORT);
        return;
    }
    session->conn = conn;
    session->deflates = net_ws_allows_compressed(&conn->ws);
    conn->session = session;
    net_deadline_clear(&worker->deadlines, &conn->deadline);
    if (net_session_format_open(session, false) < 0) {
        net_session_close(session, NET_REASON_NOMEM);
        return;
    }
    net_session_add(session, NET_WS_TEXT, worker->scratch.data, worker->scratch.len);
    net_session_opened(session);
}

static void open_probe(struct net_conn *conn, const struct handshake *handshake,
                       struct net_session *session)
{
    struct net_worker *worker = conn->worker;
    if (!switch_protocols(conn, handshake, NET_CONN_PROBE))
        return;
    conn->session = session;
    session->polling->probe = conn;
    net_deadline_set(&worker->deadlines, &conn->deadline,
                     base_clock_mono_us() + session->endpoint->upgrade_timeout_ms * NET_MS);
}

/* The session has a WebSocket, or is about to: this one is closed at once. */
static void turn_away(struct net_conn *conn, const struct handshake *handshake)
{
    if (!switch_protocols(conn, handshake, NET_CONN_PROBE))
        return;
    send_frame(conn, NET_WS_CLOSE, nothing);
    net_conn_finish(conn);
}

void net_websocket_open(struct net_conn *conn, struct net_http1 *http, struct net_session *session)
{
    struct base_slice version = net_http1_header(http, "sec-websocket-version");
    struct base_slice key = net_http1_header(http, "sec-websocket-key");
    struct handshake handshake = {NULL, ""};
    if (conn->http.endpoint->compression)
        handshake.extension =
            net_negotiate_deflate(net_http1_header(http, "sec-websocket-extensions"));
    if (version.len != 2 || memcmp(version.data, "13", 2) != 0)
        refuse(conn, http, "the WebSocket is not of version 13",
               "Sec-WebSocket-Version: 13, 8\r\n");
    else if (!key.data || net_ws_accept(key.data, key.len, handshake.accept) < 0)
        refuse(conn, http, "the handshake of the WebSocket has no valid key", NULL);
    else if (!session)
        open_new(conn, http, &handshake);
    else if (!session->transport->polls || session->polling->probe)
        turn_away(conn, &handshake);
    else
        open_probe(conn, &handshake, session);
}

/* ---- reading ---- */

/* The client's `5`: the session moves from polling to this connection. */
static void finish_upgrade(struct net_conn *conn)
{
    struct net_session *session = conn->session;
    session->polling->probe = NULL;
    session->transport->flush(session); /* ends a GET that still waits */
    if (session->dead) {
        net_conn_kill(conn, false);
        return;
    }
    net_polling_end(session);
    session->transport = &net_websocket_transport;
    session->probed = false;
    session->conn = conn;
    session->deflates = net_ws_allows_compressed(&conn->ws);
    conn->state = NET_CONN_WS;
    net_deadline_clear(&conn->worker->deadlines, &conn->deadline);
    net_session_dirty(session);
}

static void end_probe(struct net_conn *conn, struct base_slice payload)
{
    struct net_session *session = conn->session;
    conn->session = NULL;
    session->polling->probe = NULL;
    session->probed = false;
    send_frame(conn, NET_WS_CLOSE, payload);
    net_conn_finish(conn);
}

static bool is_text(const struct net_ws_event *event, const char *text, size_t len)
{
    return event->opcode == NET_WS_TEXT && event->len == len && memcmp(event->data, text, len) == 0;
}

static void take_probe_event(struct net_conn *conn, const struct net_ws_event *event)
{
    struct net_session *session = conn->session;
    if (!net_session_spend(session))
        return;
    if (event->opcode == NET_WS_PING) {
        send_frame(conn, NET_WS_PONG, (struct base_slice){event->data, event->len});
    } else if (event->opcode == NET_WS_PONG) {
        return;
    } else if (is_text(event, "2probe", 6) && !session->probed) {
        session->probed = true;
        send_frame(conn, NET_WS_TEXT, (struct base_slice){"3probe", 6});
        net_session_dirty(session);
    } else if (is_text(event, "5", 1) && session->probed) {
        finish_upgrade(conn);
    } else {
        end_probe(conn, nothing);
    }
}

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

static void take_session_event(struct net_session *session, struct net_ws_event *event)
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

static void violated(struct net_conn *conn, uint16_t code)
{
    char payload[2] = {(char)(code >> 8), (char)code};
    if (conn->state == NET_CONN_PROBE)
        end_probe(conn, (struct base_slice){payload, 2});
    else
        net_session_close_with(conn->session, NET_REASON_PROTOCOL, (struct base_slice){payload, 2});
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

/* The next event, if there is one, with its message expanded; as net_ws_next. */
static int next_event(struct net_conn *conn, char *bytes, size_t len, size_t *used,
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

/* A thousand bytes may expand to a million, so what is expanded counts by its length. False when
 * that was too much: the session has ended. */
static bool pay_for(struct net_session *session, size_t expanded)
{
    for (size_t paid = EXPANDED_PER_PACKET; paid <= expanded; paid += EXPANDED_PER_PACKET)
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
                             worker->server->options.request_timeout_ms * NET_MS);
}

static bool is_message(const struct net_ws_event *event)
{
    return event->opcode == NET_WS_TEXT || event->opcode == NET_WS_BINARY;
}

static size_t take_frames(struct net_conn *conn, char *bytes, size_t len)
{
    size_t taken = 0;
    bool ended_one = false;
    int got = 1;
    /* Behind an event once more, even without bytes: that frees what the event lay in. */
    while ((taken < len || got > 0) &&
           (conn->state == NET_CONN_WS || conn->state == NET_CONN_PROBE)) {
        struct net_ws_event event;
        size_t used = 0;
        got = next_event(conn, bytes + taken, len - taken, &used, &event);
        taken += used;
        if (got < 0) {
            violated(conn, event.code);
            return len; /* nothing after a violation is handled */
        }
        if (got == 0)
            break;
        if (event.compressed && !pay_for(conn->session, event.len))
            return len;
        ended_one |= is_message(&event);
        if (conn->state == NET_CONN_PROBE)
            take_probe_event(conn, &event);
        else
            take_session_event(conn->session, &event);
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
        net_conn_send(conn, net_queue_rest_of_frame(session), nothing);
    send_frame(conn, NET_WS_CLOSE, payload);
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

/* ---- the roles ---- */

static void drop_reader(struct net_conn *conn)
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
    .take = take_frames,
    .reads = always,
    .writable = flush_later,
    .due = late,
    .lost = lost,
    .drop = drop_reader,
};

/* No queue of a session bounds the answers to the frames of an upgrade: a peer that does not take
 * them is not read. */
static bool probe_reads(const struct net_conn *conn)
{
    return !conn->out;
}

static void probe_writable(struct net_conn *conn)
{
    if (!conn->out && conn->more_to_read)
        net_worker_again(conn);
}

static void probe_lost(struct net_conn *conn)
{
    struct net_session *session = conn->session;
    if (!session)
        return;
    conn->session = NULL;
    session->polling->probe = NULL;
    session->probed = false;
}

const struct net_conn_role net_probe_role = {
    .name = "probe",
    .take = take_frames,
    .reads = probe_reads,
    .writable = probe_writable,
    .lost = probe_lost,
    .drop = drop_reader,
};
