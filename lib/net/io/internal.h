/* SPDX-License-Identifier: ISC
 *
 * internal: what the files of a connection share, of which conn.c is the one for others.
 */
#ifndef NET_IO_INTERNAL_H
#define NET_IO_INTERNAL_H

#include "net/io/conn.h"
#include "net/io/tls.h"

#define NET_READS_PER_TURN 4
#define NET_TLS_READS      16       /* the same of records */
#define NET_LINGER_US      5000000u /* for the peer to close after we have */

/* A connection with `secure`; plain ones do not pay for it. */
struct net_secure_conn {
    struct net_conn conn;
    struct net_tls_conn *tls;
};

static inline struct net_tls_conn *net_conn_tls(const struct net_conn *conn)
{
    return base_container(conn, struct net_secure_conn, conn)->tls;
}

/* ---- connection over TLS: what conn.c does for it alone ---- */

/* Like recv into worker->read_bytes, with an `errno` that says how to go on. */
ssize_t net_conn_tls_read(struct net_conn *conn);
/* As net_conn_writev. */
size_t net_conn_tls_write(struct net_conn *conn, const struct iovec *pieces, int count);
/* Sends what TLS holds, which goes before anything else. False when some of it stays, or the
 * connection is lost. */
bool net_conn_tls_flush(struct net_conn *conn);
/* Says that no more will come. False when that has to wait. */
bool net_conn_tls_shut_down(struct net_conn *conn);
/* Before the descriptor is closed: the peer of an ordered end is told, if that goes at once. */
void net_conn_tls_kill(struct net_conn *conn, bool reset);

#endif
