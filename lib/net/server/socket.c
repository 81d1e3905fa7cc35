/* SPDX-License-Identifier: ISC
 *
 * Socket.IO (protocol 5) on sessions of Engine.IO: namespaces, sockets in them, packets with
 * attachments. A socket:
 *
 *     CONNECT --> PENDING --> OPEN --> DEAD, freed at the end of the turn
 *                    |                  ^
 *                    +------------------+  refused, or its session has ended
 */
#include "net/server/internal.h"

#include "base/id.h"
#include "base/mem.h"
#include "net/codec/sio.h"
#include "net/io/address.h"
#include "net/session/incoming.h"
#include "net/session/joining.h"
#include "net/session/lag.h"
#include "net/session/queue.h"

#include <string.h>

static void violated(struct net_session *session)
{
    net_session_close(session, NET_REASON_PROTOCOL);
}

/* ---- namespaces ---- */

static const struct net_namespace *find_namespace(const struct net_session *session,
                                                  struct base_slice name)
{
    const struct net_endpoint *endpoint = session->endpoint;
    for (size_t i = 0; i < endpoint->namespace_count; i++) {
        const char *known = endpoint->namespaces[i].name;
        if (strlen(known) == name.len && memcmp(known, name.data, name.len) == 0)
            return &endpoint->namespaces[i];
    }
    return NULL;
}

static struct net_socket *find_socket(const struct net_session *session, struct base_slice name)
{
    struct net_socket *socket = session->sockets;
    while (socket && (strlen(socket->nsp->name) != name.len ||
                      memcmp(socket->nsp->name, name.data, name.len) != 0))
        socket = socket->next;
    return socket;
}

static struct base_slice nsp_slice(const struct net_socket *socket)
{
    return (struct base_slice){socket->nsp->name, strlen(socket->nsp->name)};
}

static void push(struct net_socket **list, struct net_socket *socket)
{
    socket->next = *list;
    *list = socket;
}

/* Out of the session's list; the memory goes at the end of the turn. */
static void take_out(struct net_socket *socket)
{
    struct net_socket **place = &socket->session->sockets;
    while (*place != socket)
        place = &(*place)->next;
    *place = socket->next;
    socket->state = NET_SOCKET_DEAD;
    net_joining_again(socket->session);
}

static void unfollow(struct net_socket *socket)
{
    struct net_session *session = socket->session;
    if (!socket->follows)
        return;
    socket->follows = false;
    if (session->dead)
        net_cursor_detach(&session->cursor);
    else
        net_session_unfollow(session);
}

/* Of one that is in no list. */
static void report(struct net_socket *socket, enum net_reason reason)
{
    const struct net_namespace *nsp = socket->nsp;
    push(&socket->session->worker->turn->dead_sockets, socket);
    if (nsp->on_disconnect)
        nsp->on_disconnect(nsp->data, socket, reason);
    unfollow(socket); /* not before: the handler may ask how much has waited */
}

static void leave(struct net_socket *socket, enum net_reason reason)
{
    take_out(socket);
    report(socket, reason);
}

void net_socket_end_left(struct net_turn *turn)
{
    while (turn->left) {
        struct net_socket *socket = turn->left;
        turn->left = socket->next;
        report(socket, NET_REASON_SERVER);
    }
}

/* Adds what a formatter has put into the worker's scratch buffer. */
static void send_scratch(struct net_session *session, int format_result)
{
    struct base_buf *packet = &session->worker->scratch;
    if (format_result < 0)
        net_session_doom(session, NET_REASON_NOMEM);
    else
        net_session_add(session, NET_WS_TEXT, packet->data, packet->len);
}

static struct base_buf *fresh_scratch(struct net_session *session)
{
    session->worker->scratch.len = 0;
    return &session->worker->scratch;
}

/* ---- packets of the client ---- */

static void take_connect(struct net_session *session, const struct net_sio_packet *packet)
{
    const struct net_namespace *nsp = find_namespace(session, packet->nsp);
    if (!nsp) {
        struct base_buf *out = fresh_scratch(session);
        send_scratch(session, net_sio_format_connect_error(out, packet->nsp, "Invalid namespace"));
        return;
    }
    if (find_socket(session, packet->nsp)) {
        violated(session);
        return;
    }
    struct net_socket *socket = base_calloc(1, sizeof *socket);
    if (!socket) {
        net_session_close(session, NET_REASON_NOMEM);
        return;
    }
    socket->session = session;
    socket->nsp = nsp;
    socket->next = session->sockets;
    session->sockets = socket;
    struct net_connect connect = {.auth = packet->data};
    net_joining_ask(session, &connect);
    nsp->on_connect(nsp->data, socket, &connect);
    net_joining_asked(session);
}

static void take_event(struct net_session *session, const struct net_sio_packet *packet,
                       struct net_attachments attachments)
{
    struct net_socket *socket = find_socket(session, packet->nsp);
    if (!socket || socket->state != NET_SOCKET_OPEN) {
        violated(session);
        return;
    }
    if (packet->type == NET_SIO_ACK || packet->type == NET_SIO_BINARY_ACK)
        return; /* nothing this server sends asks for one */
    struct net_event event = {.name = packet->name,
                              .data = packet->data,
                              .has_ack = packet->has_ack,
                              .ack = packet->ack,
                              .attachments = attachments};
    if (socket->nsp->on_event)
        socket->nsp->on_event(socket->nsp->data, socket, &event);
}

/* Who has not joined has nothing to send, and nothing of it is kept. */
static void begin_attachments(struct net_session *session, const struct net_sio_packet *packet,
                              struct base_slice text)
{
    struct net_socket *socket = find_socket(session, packet->nsp);
    if (!socket || socket->state != NET_SOCKET_OPEN)
        violated(session);
    else if (net_incoming_begin(session, text, packet->attachments) < 0)
        net_session_close(session, NET_REASON_NOMEM);
    else
        net_session_set_due(session);
}

static void take_disconnect(struct net_session *session, const struct net_sio_packet *packet)
{
    struct net_socket *socket = find_socket(session, packet->nsp);
    if (socket)
        leave(socket, NET_REASON_LEAVE);
    else
        violated(session);
}

static void take_text(struct net_session *session, struct base_slice text)
{
    struct net_sio_packet packet;
    if (session->incoming || net_sio_parse(text.data, text.len, &packet, NULL) < 0) {
        violated(session);
        return;
    }
    switch (packet.type) {
    case NET_SIO_CONNECT: take_connect(session, &packet); break;
    case NET_SIO_DISCONNECT: take_disconnect(session, &packet); break;
    case NET_SIO_CONNECT_ERROR: violated(session); break;
    default:
        if (packet.attachments > 0)
            begin_attachments(session, &packet, text);
        else
            take_event(session, &packet, (struct net_attachments){NULL, 0});
    }
}

/* All of it has come. */
static void take_incoming(struct net_session *session)
{
    struct net_incoming *incoming = session->incoming;
    struct base_slice text = net_incoming_text(incoming);
    struct net_sio_packet packet;
    session->incoming = NULL;
    if (net_sio_parse(text.data, text.len, &packet, NULL) == 0)
        take_event(session, &packet, net_incoming_attachments(incoming));
    else
        violated(session);
    net_incoming_free(incoming);
}

static void take_binary(struct net_session *session, struct base_slice bytes)
{
    if (!session->incoming) {
        violated(session);
        return;
    }
    switch (net_incoming_add(session->incoming, bytes)) {
    case 0: break;
    case 1: take_incoming(session); break;
    case BASE_ERR_LIMIT:
        net_session_close_code(session, NET_REASON_PROTOCOL, NET_WS_CODE_TOO_BIG);
        break;
    default: net_session_close(session, NET_REASON_NOMEM); break;
    }
}

static void on_message(void *data, struct net_session *session, bool binary,
                       struct base_slice message)
{
    (void)data;
    if (binary)
        take_binary(session, message);
    else
        take_text(session, message);
}

static void on_close(void *data, struct net_session *session, enum net_reason reason)
{
    (void)data;
    while (session->sockets)
        leave(session->sockets, reason);
}

const struct net_engine net_socket_engine = {
    .on_message = on_message,
    .on_close = on_close,
    .joins = true,
};

/* ---- for the application: no handler is called from here on ---- */

static bool is_open(const struct net_socket *socket)
{
    return socket->state == NET_SOCKET_OPEN && !socket->session->dead && !socket->session->doomed;
}

static bool is_pending(const struct net_socket *socket)
{
    return socket->state == NET_SOCKET_PENDING && !socket->session->dead &&
           !socket->session->doomed;
}

void net_socket_set_data(struct net_socket *socket, void *data)
{
    socket->data = data;
}

void *net_socket_get_data(const struct net_socket *socket)
{
    return socket->data;
}

unsigned net_socket_worker(const struct net_socket *socket)
{
    return socket->session->worker->index;
}

void net_socket_lag(const struct net_socket *socket, struct net_lag *lag)
{
    const struct net_session *session = socket->session;
    *lag = (struct net_lag){net_queue_bytes(session), session->lag ? session->lag->since_us : 0};
}

void net_socket_address(const struct net_socket *socket, char out[static NET_ADDRESS_MAX])
{
    const struct net_session *session = socket->session;
    const struct net_conn *conn = net_session_conn(session);
    if (session->peer)
        memcpy(out, session->peer, strlen(session->peer) + 1);
    else if (conn && conn->state != NET_CONN_DEAD)
        net_address_peer(conn->fd, out);
    else
        memcpy(out, "-", 2);
}

void net_socket_accept(struct net_socket *socket)
{
    struct net_session *session = socket->session;
    if (!is_pending(socket))
        return;
    char sid[BASE_TOKEN_LEN + 1]; /* only the client has a use for it */
    if (base_id_token(sid) < 0) {
        net_session_doom(session, NET_REASON_NOMEM);
        return;
    }
    socket->state = NET_SOCKET_OPEN;
    net_session_joined(session);
    send_scratch(session, net_sio_format_connect(fresh_scratch(session), nsp_slice(socket), sid));
}

void net_socket_refuse(struct net_socket *socket, const char *message)
{
    struct net_session *session = socket->session;
    if (socket->state != NET_SOCKET_PENDING || session->dead)
        return;
    take_out(socket);
    push(&session->worker->turn->dead_sockets, socket);
    send_scratch(session,
                 net_sio_format_connect_error(fresh_scratch(session), nsp_slice(socket), message));
}

static void send_attachments(struct net_session *session, const struct net_attachments *attachments)
{
    for (size_t i = 0; attachments && i < attachments->count; i++)
        net_session_add(session, NET_WS_BINARY, attachments->items[i].data,
                        attachments->items[i].len);
}

void net_socket_emit(struct net_socket *socket, struct base_slice name, struct base_slice arguments,
                     const struct net_attachments *attachments)
{
    struct net_session *session = socket->session;
    if (!is_open(socket))
        return;
    unsigned count = attachments ? (unsigned)attachments->count : 0;
    send_scratch(session, net_sio_format_event(fresh_scratch(session), nsp_slice(socket), name,
                                               arguments, count));
    send_attachments(session, attachments);
}

void net_socket_ack(struct net_socket *socket, uint64_t ack, struct base_slice arguments,
                    const struct net_attachments *attachments)
{
    struct net_session *session = socket->session;
    if (!is_open(socket))
        return;
    unsigned count = attachments ? (unsigned)attachments->count : 0;
    send_scratch(session, net_sio_format_ack(fresh_scratch(session), nsp_slice(socket), ack,
                                             arguments, count));
    send_attachments(session, attachments);
}

void net_socket_follow(struct net_socket *socket, struct net_view *view)
{
    if (!is_open(socket) || socket->session->cursor.view)
        return;
    net_queue_follow(socket->session, view);
    socket->follows = true;
}

void net_socket_unfollow(struct net_socket *socket)
{
    unfollow(socket);
}

void net_socket_disconnect(struct net_socket *socket)
{
    struct net_session *session = socket->session;
    if (socket->state != NET_SOCKET_OPEN || session->dead)
        return;
    send_scratch(session, net_sio_format_disconnect(fresh_scratch(session), nsp_slice(socket)));
    unfollow(socket);
    if (session->doomed)
        return; /* it is reported with its session */
    take_out(socket);
    push(&session->worker->turn->left, socket);
}

void net_socket_close(struct net_socket *socket, enum net_reason reason)
{
    net_session_doom(socket->session, reason);
}
