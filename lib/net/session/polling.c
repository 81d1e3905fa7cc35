/* SPDX-License-Identifier: ISC
 *
 * The long-polling transport: a GET waits until there is something to send, POSTs bring packets.
 * What is sent is collected at the end of the turn, so that packets that belong together come in
 * one answer.
 */
#include "net/session/internal.h"

#include "base/mem.h"
#include "net/io/answer.h"
#include "net/io/exchange.h"
#include "net/session/error.h"
#include "net/session/queue.h"
#include "net/session/transport.h"

static const char no_store[] = "Cache-Control: no-store\r\n";
static const char no_store_gzip[] = "Cache-Control: no-store\r\n"
                                    "Content-Encoding: gzip\r\n";

/* True when the body has been compressed. */
static bool compress(struct net_conn *conn, struct base_slice *body)
{
    if (!conn->gzip || body->len < NET_DEFLATE_MIN_BYTES)
        return false;
    struct net_deflate *deflate = net_worker_deflate(conn->worker);
    return deflate && net_deflate_gzip(deflate, *body, body) == 0;
}

static void answer_packets(struct net_conn *conn, struct base_slice body)
{
    bool compressed = compress(conn, &body);
    net_answer(conn, &(struct net_answer){.status = 200,
                                          .type = "text/plain; charset=UTF-8",
                                          .headers = compressed ? no_store_gzip : no_store,
                                          .body = body});
}

void net_polling_open(struct net_conn *conn, struct net_http1 *http)
{
    struct net_worker *worker = conn->worker;
    struct net_session *session;
    int failed = net_session_open(conn, http, &net_polling_transport, &session);
    if (failed) {
        net_session_not_opened(conn, failed);
        return;
    }
    if (net_session_format_open(session, true) < 0) {
        net_session_close(session, NET_REASON_NOMEM);
        net_session_not_opened(conn, BASE_ERR_NOMEM);
        return;
    }
    answer_packets(conn, (struct base_slice){worker->scratch.data, worker->scratch.len});
    net_session_opened(session);
}

void net_polling_get(struct net_conn *conn, struct net_session *session)
{
    struct net_conn *earlier = session->polling->get;
    if (earlier) {
        /* Two at once: the reference ends the session, and so its clients expect it. */
        session->polling->get = NULL;
        answer_packets(earlier, (struct base_slice){"1", 1});
        net_session_close(session, NET_REASON_PROTOCOL);
        net_answer(conn, &(struct net_answer){.status = 400});
        return;
    }
    session->polling->get = conn;
    conn->session = session;
    conn->state = NET_CONN_WAITING;
    net_deadline_clear(&conn->worker->deadlines, &conn->deadline);
    net_session_dirty(session);
}

void net_polling_post_begins(struct net_conn *conn, struct net_session *session)
{
    struct net_conn *earlier = session->polling->post;
    if (!earlier) {
        session->polling->post = conn;
        conn->session = session;
        return;
    }
    earlier->session = NULL;
    session->polling->post = NULL;
    net_conn_kill(earlier, true);
    net_session_close(session, NET_REASON_PROTOCOL);
    net_answer(conn, &(struct net_answer){.status = 400, .close = true});
}

void net_polling_post(struct net_conn *conn, struct net_session *session, struct base_buf *body)
{
    struct net_eio_packet packet;
    size_t at = 0;
    int got;
    session->polling->post = NULL;
    conn->session = NULL;
    while ((got = net_eio_payload_next(body->data, body->len, &at, &packet)) == 1)
        if (!net_session_take(session, &packet))
            break;
    if (got < 0) {
        net_session_close(session, NET_REASON_PROTOCOL);
        net_answer(conn, &(struct net_answer){.status = 400});
        return;
    }
    net_answer(conn, &(struct net_answer){.status = 200, .type = "text/html", .body = {"ok", 2}});
}

/* Takes the frames of a piece apart; nothing is ever sent in part here. */
static int add_frames(struct base_buf *body, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t payload_len;
        size_t header_len = net_ws_header_read(bytes + at, &payload_len);
        const char *payload = bytes + at + header_len;
        bool binary = ((unsigned char)bytes[at] & 0x0f) == NET_WS_BINARY;
        int failed = binary ? net_eio_payload_add(body, NET_EIO_MESSAGE, true, payload, payload_len)
                            : net_eio_payload_add(body, (enum net_eio_type)payload[0], false,
                                                  payload + 1, payload_len - 1);
        if (failed)
            return failed;
        at += header_len + payload_len;
    }
    return BASE_OK;
}

/* Sends what the session has to the GET that waits, if there is something. */
static void flush(struct net_session *session)
{
    struct net_conn *conn = session->polling->get;
    struct base_buf *body = &session->worker->scratch;
    struct iovec pieces[NET_IOVECS];
    int count;
    if (!conn) {
        if (net_queue_exceeds(session))
            net_session_close(session, NET_REASON_SLOW);
        return;
    }
    body->len = 0;
    while ((count = net_queue_peek(session, pieces)) > 0) {
        size_t len = 0;
        for (int i = 0; i < count; i++) {
            if (add_frames(body, pieces[i].iov_base, pieces[i].iov_len) < 0) {
                net_session_close(session, NET_REASON_NOMEM);
                return;
            }
            len += pieces[i].iov_len;
        }
        net_queue_sent(session, len);
    }
    /* While an upgrade is under way a waiting GET is ended, or the client could not finish it. */
    if (body->len == 0 && session->probed)
        (void)net_eio_payload_add(body, NET_EIO_NOOP, false, NULL, 0);
    if (body->len == 0)
        return;
    session->polling->get = NULL;
    answer_packets(conn, (struct base_slice){body->data, body->len});
}

/* Those that the reference server ends too get its packets. For the rest a refused request is
 * better: every client comes back behind it, while some stay away behind a close packet. */
static void answer_last(struct net_conn *get, enum net_reason reason)
{
    switch (reason) {
    case NET_REASON_CLIENT: answer_packets(get, (struct base_slice){"6", 1}); break;
    case NET_REASON_PROTOCOL:
    case NET_REASON_PING_TIMEOUT:
    case NET_REASON_CONNECT_TIMEOUT:
    case NET_REASON_MESSAGE_TIMEOUT: answer_packets(get, (struct base_slice){"1", 1}); break;
    default: net_error_answer(get, NET_EIO_SID_UNKNOWN, false); break;
    }
}

/* Its requests are answered. */
static void close_session(struct net_session *session, enum net_reason reason,
                          struct base_slice payload)
{
    (void)payload;
    struct net_polling *polling = session->polling;
    if (polling->post)
        polling->post->session = NULL;
    polling->post = NULL;
    struct net_conn *get = polling->get;
    polling->get = NULL;
    if (get)
        answer_last(get, reason);
    struct net_conn *probe = polling->probe;
    polling->probe = NULL;
    if (probe) {
        probe->session = NULL;
        net_conn_kill(probe, false);
    }
}

static int begin(struct net_session *session)
{
    session->polling = base_calloc(1, sizeof *session->polling);
    return session->polling ? BASE_OK : BASE_ERR_NOMEM;
}

static void free_polling(struct net_session *session)
{
    base_free(session->polling);
}

const struct net_transport net_polling_transport = {
    .name = "polling",
    .polls = true,
    .begin = begin,
    .flush = flush,
    .close = close_session,
    .free = free_polling,
};

void net_polling_end(struct net_session *session)
{
    struct net_conn *get = session->polling->get; /* out of memory for an answer */
    if (session->polling->post)
        session->polling->post->session = NULL;
    base_free_clear(&session->polling);
    if (get) {
        get->session = NULL;
        net_conn_kill(get, true);
    }
}

/* ---- the connections of a session that polls ---- */

void net_polling_leave(struct net_conn *conn)
{
    struct net_session *session = conn->session;
    conn->session = NULL;
    if (!session)
        return;
    struct net_polling *polling = session->polling;
    if (polling->get == conn)
        polling->get = NULL;
    if (polling->post == conn)
        polling->post = NULL;
}

void net_polling_lost(struct net_conn *conn)
{
    struct net_session *session = conn->session;
    if (!session)
        return;
    bool waited = session->polling->get == conn;
    net_polling_leave(conn);
    if (waited)
        net_session_close(session, NET_REASON_TRANSPORT);
}

const struct net_conn_role net_polling_get_role = {
    .name = "waiting",
    .take = net_exchange_stash,
    .lost = net_polling_lost,
    .leave = net_polling_leave,
    .drop = net_exchange_drop,
    .awaited = true,
};
