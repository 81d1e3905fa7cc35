/* SPDX-License-Identifier: ISC
 *
 * A connection moves to another worker, because its request is for a session there. It leaves its
 * worker at the end of the turn, when nobody up the stack looks at it any more, and enters the
 * other one in a task there, where the request is taken on from its head.
 */
#include "net/io/move.h"

#include "net/io/exchange.h"
#include "net/io/internal.h"

void net_move_begin(struct net_conn *conn, unsigned worker)
{
    net_exchange_forget_origin(conn);
    conn->http.move_to = (uint16_t)worker;
    conn->state = NET_CONN_MOVING;
    net_worker_again(conn);
}

/* On the new worker. */
static void arrive(void *arg)
{
    struct net_conn *conn = arg;
    if (net_conn_attach(conn) < 0) {
        net_conn_discard(conn);
        return;
    }
    conn->state = NET_CONN_HTTP;
    conn->more_to_read = true;
    net_conn_role(conn)->arrive(conn);
    if (net_conn_role(conn)->writable)
        net_conn_role(conn)->writable(conn);
}

static bool move(struct net_conn *conn)
{
    struct net_worker *to = conn->worker->shared->workers[conn->http.move_to];
    net_conn_detach(conn);
    conn->timing = false;
    conn->blocked = conn->secure && net_tls_unsent(net_conn_tls(conn));
    conn->worker = to;
    if (net_loop_post(to->loop, arrive, conn) < 0)
        net_conn_discard(conn);
    return false; /* `arrive` may be running already */
}

const struct net_conn_role net_move_role = {
    .name = "moving",
    .take = net_exchange_stash,
    .again = move,
    .drop = net_exchange_drop,
};
