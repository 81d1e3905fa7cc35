/* SPDX-License-Identifier: ISC
 *
 * Who is in charge of a connection in each of its states.
 */
#include "net/internal.h"

const struct net_conn_role *const net_roles[NET_CONN_STATES] = {
    [NET_CONN_DEAD] = &net_conn_dead,     [NET_CONN_CLOSING] = &net_conn_closing,
    [NET_CONN_HTTP] = &net_http_role,     [NET_CONN_WAITING] = &net_waiting_role,
    [NET_CONN_PAGE] = &net_page_role,     [NET_CONN_MOVING] = &net_moving_role,
    [NET_CONN_ASKING] = &net_asking_role, [NET_CONN_PIPED] = &net_piped_role,
    [NET_CONN_WS] = &net_websocket_role,  [NET_CONN_PROBE] = &net_probe_role,
};
