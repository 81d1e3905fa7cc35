/* SPDX-License-Identifier: ISC
 *
 * move: a connection goes to another worker. Threads: the connection's worker.
 */
#ifndef NET_IO_MOVE_H
#define NET_IO_MOVE_H

#include "net/io/conn.h"

/* At the end of the turn the connection leaves its worker with the request whose head has been
 * read. There the role of NET_CONN_HTTP takes it on: `arrive`. */
void net_move_begin(struct net_conn *conn, unsigned worker);
extern const struct net_conn_role net_move_role;

#endif
