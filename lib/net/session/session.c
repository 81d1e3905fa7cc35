/* SPDX-License-Identifier: ISC
 *
 * Session ids are 15 bytes in base64url: 11 of them random, one for the worker, three for the slot
 * in the worker's table, the latter masked with a keyed hash of the random part so that they tell
 * nothing of how many sessions there are. A look-up is an index and a comparison. Of a server that
 * has a number among others, the last two of the random bytes are that number, masked with a hash
 * of the first nine whose key all of them know.
 */
#include "net/internal.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/map.h"
#include "base/mem.h"

#include <string.h>

#define ID_BYTES     15
#define ID_RANDOM    11
#define ID_SERVER    9 /* where the server's number begins */
#define SLOT_MAX     0xffffffu
#define FIRST_SLOTS  64u
#define NO_FREE_SLOT UINT32_MAX

#define LATE_US (20 * NET_MS) /* what is usual of a timer */

/* ---- slots ---- */

static uintptr_t free_mark(uint32_t next)
{
    return ((uintptr_t)next << 1) | 1;
}

static bool is_free(uintptr_t slot)
{
    return slot & 1;
}

static int grow_slots(struct net_worker *worker)
{
    uint32_t cap = worker->slot_cap ? worker->slot_cap * 2 : FIRST_SLOTS;
    if (cap > SLOT_MAX)
        return BASE_ERR_LIMIT;
    uintptr_t *slots = base_realloc(worker->slots, cap * sizeof *slots);
    if (!slots)
        return BASE_ERR_NOMEM;
    for (uint32_t i = worker->slot_cap; i < cap; i++)
        slots[i] = free_mark(i + 1 < cap ? i + 1 : NO_FREE_SLOT);
    worker->free_slot = worker->slot_cap;
    worker->slots = slots;
    worker->slot_cap = cap;
    return BASE_OK;
}

static int take_slot(struct net_worker *worker, struct net_session *session)
{
    if (!worker->slot_cap || worker->free_slot == NO_FREE_SLOT) {
        int failed = grow_slots(worker);
        if (failed)
            return failed;
    }
    session->slot = worker->free_slot;
    worker->free_slot = (uint32_t)(worker->slots[session->slot] >> 1);
    worker->slots[session->slot] = (uintptr_t)session;
    return BASE_OK;
}

static void give_slot_back(struct net_session *session)
{
    struct net_worker *worker = session->worker;
    worker->slots[session->slot] = free_mark(worker->free_slot);
    worker->free_slot = session->slot;
}

/* ---- ids ---- */

static uint32_t slot_mask(const unsigned char id[static ID_BYTES])
{
    return (uint32_t)base_map_hash((const char *)id, ID_RANDOM + 1) & SLOT_MAX;
}

static uint16_t server_mask(const struct net_server *server, const unsigned char *id)
{
    return (uint16_t)base_map_hash_of(server->options.relay->id_seed, (const char *)id, ID_SERVER);
}

static void put_server(const struct net_server *server, unsigned char id[static ID_BYTES])
{
    uint16_t number = atomic_load_explicit(&server->id, memory_order_relaxed);
    if (!number)
        return;
    number ^= server_mask(server, id);
    id[ID_SERVER] = (unsigned char)(number >> 8);
    id[ID_SERVER + 1] = (unsigned char)number;
}

static int make_id(struct net_session *session)
{
    unsigned char id[ID_BYTES];
    if (base_crypto_random(id, ID_RANDOM) < 0)
        return BASE_ERR_INTERNAL;
    put_server(session->worker->server, id);
    id[ID_RANDOM] = (unsigned char)session->worker->index;
    uint32_t slot = session->slot ^ slot_mask(id);
    id[12] = (unsigned char)(slot >> 16);
    id[13] = (unsigned char)(slot >> 8);
    id[14] = (unsigned char)slot;
    base_base64_encode(BASE_BASE64_URL, id, ID_BYTES, session->sid);
    session->sid[NET_SID_LEN] = '\0';
    return BASE_OK;
}

static bool decode_id(struct base_slice sid, unsigned char id[static ID_BYTES + 3])
{
    return sid.len == NET_SID_LEN &&
           base_base64_decode(BASE_BASE64_URL, sid.data, sid.len, id) == ID_BYTES;
}

bool net_session_server(const struct net_server *server, struct base_slice sid, uint16_t *number)
{
    unsigned char id[ID_BYTES + 3];
    if (!decode_id(sid, id))
        return false;
    *number = (uint16_t)(id[ID_SERVER] << 8 | id[ID_SERVER + 1]) ^ server_mask(server, id);
    return true;
}

bool net_session_worker(struct base_slice sid, unsigned *worker)
{
    unsigned char id[ID_BYTES + 3];
    if (!decode_id(sid, id))
        return false;
    *worker = id[ID_RANDOM];
    return true;
}

struct net_session *net_session_find(struct net_worker *worker, struct base_slice sid)
{
    unsigned char id[ID_BYTES + 3];
    if (!decode_id(sid, id))
        return NULL;
    uint32_t slot = ((uint32_t)id[12] << 16 | (uint32_t)id[13] << 8 | id[14]) ^ slot_mask(id);
    if (slot >= worker->slot_cap || is_free(worker->slots[slot]))
        return NULL;
    struct net_session *session = (struct net_session *)worker->slots[slot];
    if (!base_crypto_equal(session->sid, sid.data, NET_SID_LEN))
        return NULL;
    /* A request may be a moment ahead of the timer. */
    if (session->awaiting_pong && session->beat_us <= base_clock_mono_us()) {
        net_session_close(session, NET_REASON_PING_TIMEOUT);
        return NULL;
    }
    return net_session_settle(session) ? session : NULL;
}

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

/* What counts as one address; lies in `bytes` or in `peer`. */
static struct base_slice address_key(struct base_slice peer, uint8_t bytes[static 16])
{
    if (!base_block_address(peer, bytes))
        return peer;
    return (struct base_slice){(const char *)bytes, base_block_owner_len(bytes)};
}

static int count_address(struct net_server *server, struct base_slice peer)
{
    uint8_t bytes[16];
    struct base_slice key = address_key(peer, bytes);
    return base_quota_take(&server->addresses, key.data, key.len);
}

/* Who is at the other end, as far as the connection itself will not tell later. */
static int note_peer(struct net_session *session, struct net_conn *conn, struct net_http1 *http)
{
    struct net_server *server = conn->worker->server;
    char text[NET_ADDRESS_MAX];
    struct base_slice host = net_listen_host(conn->fd, text);
    struct base_slice client =
        net_proxy_client(server->options.proxies, server->options.proxy_count, host,
                         net_http1_header(http, "x-forwarded-for"));
    bool direct = net_http1_request(http)->websocket && client.data == host.data;
    if (direct && !server->addresses.max)
        return BASE_OK;
    session->peer = base_memdup(client.data, client.len);
    int failed = session->peer ? count_address(server, client) : BASE_ERR_NOMEM;
    if (failed == BASE_ERR_LIMIT)
        net_conn_refused(
            conn, http,
            (struct net_refused){.refusal = NET_REFUSED_ADDRESS, .limit = server->addresses.max});
    return failed;
}

static void forget_peer(struct net_session *session)
{
    struct net_server *server = session->worker->server;
    if (session->peer && server->addresses.max) {
        uint8_t bytes[16];
        struct base_slice key =
            address_key((struct base_slice){session->peer, strlen(session->peer)}, bytes);
        base_quota_give(&server->addresses, key.data, key.len);
    }
    base_free_clear(&session->peer);
}

static int take_place(struct net_session *session)
{
    int failed = take_slot(session->worker, session);
    if (failed)
        return failed;
    failed = make_id(session);
    if (!failed)
        failed = net_worker_enter(session->worker);
    if (failed)
        give_slot_back(session);
    return failed;
}

static int prepare(struct net_session *session, struct net_conn *conn, struct net_http1 *http)
{
    if (session->transport->begin && session->transport->begin(session) < 0)
        return BASE_ERR_NOMEM;
    if (session->endpoint->engine->joins && net_joining_new(session, http) < 0)
        return BASE_ERR_NOMEM;
    int failed = note_peer(session, conn, http);
    if (failed) {
        base_free_clear(&session->peer);
        return failed;
    }
    failed = take_place(session);
    if (failed)
        forget_peer(session);
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
    atomic_fetch_add_explicit(&worker->session_count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->sessions_opened, 1, memory_order_relaxed);
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

/* It will be asked for when the connection has gone. */
static void keep_address(struct net_session *session)
{
    const struct net_conn *conn = net_session_conn(session);
    char peer[NET_ADDRESS_MAX];
    if (!conn || session->peer)
        return;
    net_listen_peer(conn->fd, peer);
    session->peer = base_strdup(peer);
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
        keep_address(session);
    session->dead = true;
    net_joining_end(session);
    net_deadline_clear(&worker->deadlines, &session->deadline);
    transport->close(session, reason, payload);
    const struct net_engine *engine = session->endpoint->engine;
    if (engine->on_close)
        engine->on_close(engine->data, session, reason);
    net_queue_clear(session);
    if (session->peer && worker->server->addresses.max)
        forget_peer(session);
    give_slot_back(session);
    net_worker_leave(worker);
    atomic_fetch_sub_explicit(&worker->session_count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->closed[reason], 1, memory_order_relaxed);
    if (!session->doomed) { /* else the list it is in hands it on */
        session->dead_next = worker->dead_sessions;
        worker->dead_sessions = session;
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
