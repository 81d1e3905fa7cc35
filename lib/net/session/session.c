/* SPDX-License-Identifier: ISC
 *
 * The life of a session:
 *
 *     net_session_open --> open --> doomed --> dead --> freed, at the end of the turn
 *                           |                   ^
 *                           +-------------------+  net_session_close
 *
 * Doomed is what a call of the application has ended: it sends and takes nothing more, and the turn
 * closes it. A dead one has no transport, no slot and no sockets any more; whoever is up the stack
 * may still look at it. While it is open it joins (joining.c), unless it is of bare Engine.IO, and
 * beats: after ping_interval_ms a ping is sent, and the pong is due ping_timeout_ms later. One
 * deadline serves the beat, joining, the lag of what is sent, and a packet that is midway.
 */
#include "net/session/internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/io/answer.h"
#include "net/session/incoming.h"
#include "net/session/joining.h"
#include "net/session/lag.h"
#include "net/session/queue.h"

#define LATE_US (20 * NET_MS) /* what is usual of a timer */

/* ---- life ---- */

void net_session_set_due(struct net_session *session)
{
    uint64_t due = session->beat_us, lag_due = net_lag_due_us(session);
    uint64_t incoming_due = net_incoming_due_us(session->incoming);
    uint64_t joining_due = net_joining_due_us(session->joining);
    if (joining_due < due)
        due = joining_due;
    if (lag_due < due)
        due = lag_due;
    if (incoming_due < due)
        due = incoming_due;
    net_deadline_set(&session->worker->deadlines, &session->deadline, due);
}

static int take_place(struct net_session *session)
{
    int failed = net_session_id_take(session);
    if (failed)
        return failed;
    failed = net_worker_enter(session->worker);
    if (failed)
        net_session_id_give_back(session);
    return failed;
}

static int prepare(struct net_session *session, struct net_conn *conn, struct net_http1 *http)
{
    if (session->transport->begin && session->transport->begin(session) < 0)
        return BASE_ERR_NOMEM;
    if (session->endpoint->engine->joins && net_joining_new(session, http) < 0)
        return BASE_ERR_NOMEM;
    int failed = net_session_peer_note(session, conn, http);
    if (failed)
        return failed;
    failed = take_place(session);
    if (failed)
        net_session_peer_forget(session);
    return failed;
}

int net_session_open(struct net_conn *conn, struct net_http1 *http,
                     const struct net_transport *transport, struct net_session **out)
{
    struct net_worker *worker = conn->worker;
    const struct net_endpoint *endpoint = conn->http.endpoint;
    struct net_session *session = worker->closing ? NULL : base_calloc(1, sizeof *session);
    if (!session)
        return BASE_ERR_NOMEM;
    session->worker = worker;
    session->endpoint = endpoint;
    session->transport = transport;
    session->deadline.kind = NET_DEADLINE_SESSION;
    base_list_init(&session->cursor.link);
    int failed = prepare(session, conn, http);
    if (failed) {
        net_joining_end(session);
        net_session_free(session);
        return failed;
    }
    session->beat_us = base_clock_mono_us() + endpoint->ping_interval_ms * NET_MS;
    net_session_set_due(session);
    net_joining_again(session);
    atomic_fetch_add_explicit(&worker->sessions->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->sessions->opened, 1, memory_order_relaxed);
    *out = session;
    return BASE_OK;
}

void net_session_not_opened(struct net_conn *conn, int failed)
{
    net_answer(conn,
               &(struct net_answer){.status = failed == BASE_ERR_LIMIT ? 429 : 503, .close = true});
}

void net_session_opened(struct net_session *session)
{
    const struct net_engine *engine = session->endpoint->engine;
    if (engine->on_open && !session->dead)
        engine->on_open(engine->data, session);
    net_session_settle(session);
}

int net_session_format_open(struct net_session *session, bool upgrade)
{
    const struct net_endpoint *endpoint = session->endpoint;
    struct net_eio_open open = {
        .sid = session->sid,
        .upgrade = upgrade,
        .ping_interval_ms = endpoint->ping_interval_ms,
        .ping_timeout_ms = endpoint->ping_timeout_ms,
        .max_payload_bytes = endpoint->max_payload_bytes,
    };
    session->worker->scratch.len = 0;
    return net_eio_format_open(&session->worker->scratch, &open);
}

void net_session_close_with(struct net_session *session, enum net_reason reason,
                            struct base_slice payload)
{
    struct net_worker *worker = session->worker;
    const struct net_transport *transport = session->transport;
    if (session->dead)
        return;
    /* What was answered before the end is sent before it, as far as it goes without waiting. */
    if (transport->drain && reason != NET_REASON_SLOW && reason != NET_REASON_NOMEM) {
        transport->drain(session);
        if (session->dead)
            return;
    }
    if (reason == NET_REASON_SLOW)
        net_session_peer_keep(session);
    session->dead = true;
    net_joining_end(session);
    net_deadline_clear(&worker->deadlines, &session->deadline);
    transport->close(session, reason, payload);
    const struct net_engine *engine = session->endpoint->engine;
    if (engine->on_close)
        engine->on_close(engine->data, session, reason);
    net_queue_clear(session);
    if (worker->sessions->shared->addresses.max)
        net_session_peer_forget(session);
    net_session_id_give_back(session);
    net_worker_leave(worker);
    atomic_fetch_sub_explicit(&worker->sessions->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->sessions->closed[reason], 1, memory_order_relaxed);
    if (!session->doomed) { /* else the list it is in hands it on */
        session->dead_next = worker->sessions->dead;
        worker->sessions->dead = session;
    }
}

void net_session_close_code(struct net_session *session, enum net_reason reason, uint16_t code)
{
    char payload[2] = {(char)(code >> 8), (char)code};
    net_session_close_with(session, reason, (struct base_slice){payload, code ? 2 : 0});
}

/* What the client sees in its close frame. An empty payload is what Socket.IO servers send for
 * errors on their level. */
static uint16_t close_code(enum net_reason reason)
{
    switch (reason) {
    case NET_REASON_SLOW:
    case NET_REASON_LIMIT: return NET_WS_CODE_TRY_LATER;
    case NET_REASON_RATE: return NET_WS_CODE_POLICY;
    case NET_REASON_SHUTDOWN: return NET_WS_CODE_GOING_AWAY;
    case NET_REASON_NOMEM: return NET_WS_CODE_INTERNAL;
    default: return NET_WS_CODE_NONE;
    }
}

void net_session_close(struct net_session *session, enum net_reason reason)
{
    net_session_close_code(session, reason, close_code(reason));
}

bool net_session_settle(struct net_session *session)
{
    if (session->doomed)
        net_session_close(session, (enum net_reason)session->doom_reason);
    return !session->dead;
}

void net_session_free(struct net_session *session)
{
    if (session->transport->free)
        session->transport->free(session);
    base_free(session->lag);
    base_free(session->peer);
    net_incoming_free(session->incoming);
    base_free(session);
}

struct net_session *net_session_find(struct net_worker *worker, struct base_slice sid)
{
    struct net_session *session = net_session_id_find(worker->sessions, sid);
    if (!session)
        return NULL;
    /* A request may be ahead of the timer. */
    if (session->awaiting_pong && session->beat_us <= base_clock_mono_us()) {
        net_session_close(session, NET_REASON_PING_TIMEOUT);
        return NULL;
    }
    return net_session_settle(session) ? session : NULL;
}

/* ---- heartbeat ---- */

void net_session_on_due(struct net_session *session)
{
    uint64_t now = base_clock_mono_us();
    if (!net_session_settle(session))
        return;
    if (net_joining_due_us(session->joining) <= now) {
        net_session_close(session, NET_REASON_CONNECT_TIMEOUT);
        return;
    }
    if (net_incoming_due_us(session->incoming) <= now) {
        net_session_close(session, NET_REASON_MESSAGE_TIMEOUT);
        return;
    }
    if (net_lag_due_us(session) <= now) {
        net_session_close(session, NET_REASON_SLOW);
        return;
    }
    if (session->beat_us <= now) {
        if (session->awaiting_pong) {
            net_session_close(session, NET_REASON_PING_TIMEOUT);
            return;
        }
        session->awaiting_pong = true;
        /* From when it was due, so that a timer that is late does not make the next one later. */
        uint64_t from = now - session->beat_us < LATE_US ? session->beat_us : now;
        session->beat_us = from + session->endpoint->ping_timeout_ms * NET_MS;
        net_session_add(session, NET_WS_TEXT, "2", 1);
        if (!net_session_settle(session))
            return;
    }
    net_session_set_due(session);
}

static void take_pong(struct net_session *session)
{
    if (!session->awaiting_pong)
        return;
    session->awaiting_pong = false;
    session->beat_us = base_clock_mono_us() + session->endpoint->ping_interval_ms * NET_MS;
    net_session_set_due(session);
}

void net_session_joined(struct net_session *session)
{
    net_joining_end(session);
    net_session_set_due(session);
}

size_t net_session_max_bytes(const struct net_session *session)
{
    size_t max = session->endpoint->max_payload_bytes;
    return session->joining && max > NET_JOINING_MESSAGE_MAX ? NET_JOINING_MESSAGE_MAX : max;
}

/* ---- packets ---- */

/* A rate with a burst needs one number: when the allowance will be whole again (GCRA). */
bool net_session_spend(struct net_session *session)
{
    const struct net_endpoint *endpoint = session->endpoint;
    if (!endpoint->events_per_s)
        return true;
    uint64_t now = base_clock_mono_us(), each_us = 1000000u / endpoint->events_per_s;
    if (session->event_due_us < now)
        session->event_due_us = now;
    session->event_due_us += each_us;
    if (session->event_due_us - now <= endpoint->events_burst * each_us)
        return true;
    net_session_close(session, NET_REASON_RATE);
    return false;
}

static bool take_message(struct net_session *session, const struct net_eio_packet *packet)
{
    struct base_slice message = {packet->data, packet->len};
    const struct net_engine *engine = session->endpoint->engine;
    engine->on_message(engine->data, session, packet->binary, message);
    return !session->dead;
}

bool net_session_take(struct net_session *session, struct net_eio_packet *packet)
{
    if (!net_session_spend(session))
        return false;
    switch (packet->type) {
    case NET_EIO_MESSAGE:
        if (!take_message(session, packet))
            return false;
        break;
    case NET_EIO_PONG: take_pong(session); break;
    case NET_EIO_CLOSE: net_session_close(session, NET_REASON_CLIENT); break;
    case NET_EIO_PING: /* revision 3 of the protocol had clients ping */
        net_session_close(session, NET_REASON_PROTOCOL);
        break;
    default: break; /* out of turn, and harmless */
    }
    return net_session_settle(session);
}

/* ---- all sessions of a worker ---- */

void net_session_queued(const struct net_sessions *sessions, uint64_t *bytes, uint64_t *most_bytes)
{
    struct net_session *session;
    *bytes = *most_bytes = 0;
    for (uint32_t slot = 0; (session = net_session_id_next(sessions, &slot));) {
        uint64_t queued = net_queue_bytes(session);
        *bytes += queued;
        if (queued > *most_bytes)
            *most_bytes = queued;
    }
}

void net_session_close_all(struct net_sessions *sessions, bool also_busy)
{
    struct net_session *session;
    for (uint32_t slot = 0; (session = net_session_id_next(sessions, &slot));)
        if (also_busy || net_queue_empty(session))
            net_session_close(session, NET_REASON_SHUTDOWN);
}

void net_session_fini(struct net_sessions *sessions)
{
    base_free(sessions->slots);
}
