/* SPDX-License-Identifier: ISC
 *
 * How a WebSocket begins: by its handshake (RFC 6455 section 4.2), for a new session or for one
 * that polls. The latter is upgraded in steps, in which the client makes sure that the way is open:
 *
 *     client            connection                     session
 *     101 ------------> PROBE                          polls
 *     "2probe" -------> answered with "3probe"         polls; a GET that waits is ended
 *     "5" ------------> WS                             on this connection
 *
 * Anything else, or upgrade_timeout_ms, ends the connection, and the session goes on polling.
 */
#include "net/session/internal.h"

#include "base/clock.h"
#include "net/codec/negotiate.h"
#include "net/io/answer.h"
#include "net/io/exchange.h"
#include "net/io/refusal.h"
#include "net/session/transport.h"

#include <stdio.h>
#include <string.h>

static const struct base_slice nothing = {NULL, 0};

/* ---- handshake ---- */

struct handshake {
    const char *extension; /* agreed on, or NULL */
    char accept[NET_WS_ACCEPT_LEN + 1];
};

static void refuse(struct net_conn *conn, struct net_http1 *http, const char *why,
                   const char *headers)
{
    net_refusal_of_conn(conn, http,
                        (struct net_refused){.refusal = NET_REFUSED_REQUEST, .why = why});
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
    net_websocket_start(session, conn);
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
    net_websocket_send(conn, NET_WS_CLOSE, nothing);
    net_conn_finish(conn);
}

void net_upgrade_open(struct net_conn *conn, struct net_http1 *http, struct net_session *session)
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

/* ---- the probe ---- */

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
    session->probed = false;
    net_websocket_start(session, conn);
    net_session_dirty(session);
}

static void end_probe(struct net_conn *conn, struct base_slice payload)
{
    struct net_session *session = conn->session;
    conn->session = NULL;
    session->polling->probe = NULL;
    session->probed = false;
    net_websocket_send(conn, NET_WS_CLOSE, payload);
    net_conn_finish(conn);
}

static bool is_text(const struct net_ws_event *event, const char *text, size_t len)
{
    return event->opcode == NET_WS_TEXT && event->len == len && memcmp(event->data, text, len) == 0;
}

static void take_event(struct net_conn *conn, const struct net_ws_event *event)
{
    struct net_session *session = conn->session;
    if (!net_session_spend(session))
        return;
    if (event->opcode == NET_WS_PING) {
        net_websocket_send(conn, NET_WS_PONG, (struct base_slice){event->data, event->len});
    } else if (event->opcode == NET_WS_PONG) {
        return;
    } else if (is_text(event, "2probe", 6) && !session->probed) {
        session->probed = true;
        net_websocket_send(conn, NET_WS_TEXT, (struct base_slice){"3probe", 6});
        net_session_dirty(session);
    } else if (is_text(event, "5", 1) && session->probed) {
        finish_upgrade(conn);
    } else {
        end_probe(conn, nothing);
    }
}

static void violated(struct net_conn *conn, uint16_t code)
{
    char payload[2] = {(char)(code >> 8), (char)code};
    end_probe(conn, (struct base_slice){payload, 2});
}

static size_t take(struct net_conn *conn, char *bytes, size_t len)
{
    size_t taken = 0;
    int got = 1;
    while ((taken < len || got > 0) && conn->state == NET_CONN_PROBE) {
        struct net_ws_event event;
        size_t used = 0;
        got = net_websocket_next(conn, bytes + taken, len - taken, &used, &event);
        taken += used;
        if (got < 0) {
            violated(conn, event.code);
            return len; /* nothing after a violation is handled */
        }
        if (got == 0)
            break;
        if (!net_websocket_pay(conn->session, &event))
            return len;
        take_event(conn, &event);
    }
    /* Also without bytes, as there. */
    if (conn->state == NET_CONN_WS)
        taken += net_websocket_take(conn, bytes + taken, len - taken);
    return taken;
}

/* No queue of a session bounds the answers to the frames of an upgrade: a peer that does not take
 * them is not read. */
static bool reads(const struct net_conn *conn)
{
    return !conn->out;
}

static void writable(struct net_conn *conn)
{
    if (!conn->out && conn->more_to_read)
        net_worker_again(conn);
}

static void lost(struct net_conn *conn)
{
    struct net_session *session = conn->session;
    if (!session)
        return;
    conn->session = NULL;
    session->polling->probe = NULL;
    session->probed = false;
}

const struct net_conn_role net_upgrade_role = {
    .name = "probe",
    .take = take,
    .reads = reads,
    .writable = writable,
    .lost = lost,
    .drop = net_websocket_drop,
};
