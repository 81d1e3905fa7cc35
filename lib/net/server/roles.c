/* SPDX-License-Identifier: ISC
 *
 * Who is in charge of a connection in each of its states.
 */
#include "net/io/move.h"
#include "net/server/internal.h"
#include "net/session/transport.h"

const struct net_conn_role *const net_roles[NET_CONN_STATES] = {
    [NET_CONN_DEAD] = &net_conn_dead,          [NET_CONN_CLOSING] = &net_conn_closing,
    [NET_CONN_HTTP] = &net_http_role,          [NET_CONN_WAITING] = &net_polling_get_role,
    [NET_CONN_PAGE] = &net_site_role,          [NET_CONN_MOVING] = &net_move_role,
    [NET_CONN_ASKING] = &net_pipe_asking_role, [NET_CONN_PIPED] = &net_pipe_open_role,
    [NET_CONN_WS] = &net_websocket_role,       [NET_CONN_PROBE] = &net_upgrade_role,
};
