/* SPDX-License-Identifier: ISC
 *
 * refusal: what is refused before there is a session is counted, and reported to the application.
 * Threads: the worker's.
 */
#ifndef NET_IO_REFUSAL_H
#define NET_IO_REFUSAL_H

#include "net/io/conn.h"

/* Counts one, and tells the application. The first as it is; the others put in whose it was: of a
 * descriptor; of a connection, with what a proxy of ours says of it if `http` has a complete head
 * (else NULL). */
void net_refusal_count(struct net_worker *worker, const struct net_refused *refused);
void net_refusal_of_fd(struct net_worker *worker, int fd, struct net_refused refused);
void net_refusal_of_conn(struct net_conn *conn, struct net_http1 *http, struct net_refused refused);

#endif
