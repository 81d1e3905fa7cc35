/* SPDX-License-Identifier: ISC
 *
 * exchange: a request on a connection, from its first byte to its answer. Threads: its worker's.
 */
#ifndef NET_IO_EXCHANGE_H
#define NET_IO_EXCHANGE_H

#include "net/io/conn.h"

/* The parser of a request that is midway stays with the connection, else it serves the next: gives
 * it one, false without memory; and takes it back. */
bool net_exchange_borrow(struct net_conn *conn);
void net_exchange_release(struct net_conn *conn);
/* The same of a parser that has left the connection. */
void net_exchange_give_back(struct net_worker *worker, struct net_http1 *parser);
/* Keeps bytes that cannot be handled now, all of them; as the `take` of a role. */
size_t net_exchange_stash(struct net_conn *conn, char *bytes, size_t len);
/* Has the next request read in this turn, unless some of the last answer still waits. */
void net_exchange_resume(struct net_conn *conn);
/* Before something else takes the place of the request's origin. */
void net_exchange_forget_origin(struct net_conn *conn);
/* The `drop` of all states that have a request. */
void net_exchange_drop(struct net_conn *conn);

#endif
