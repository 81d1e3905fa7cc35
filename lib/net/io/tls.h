/* SPDX-License-Identifier: ISC
 *
 * tls: TLS 1.2 and 1.3 on the connections of a server (RFC 5246, RFC 8446), with http/1.1 as the
 * protocol above it (ALPN, RFC 7301).
 *
 * The only file of lib/net with OpenSSL. What the kernel does not take is kept here as ciphertext,
 * one record of it at most, so bytes that have been taken to be written never have to be handed in
 * again, and no call ever waits for the other direction.
 */
#ifndef NET_IO_TLS_H
#define NET_IO_TLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* ---- certificate and key of a server; any thread ---- */

struct net_tls;

/* Files in PEM; the certificate's may hold the chain behind it. 0; BASE_ERR_CONFIG with the file
 * and the reason; BASE_ERR_NOMEM. */
int net_tls_new(const char *cert_file, const char *key_file, struct net_tls **tls,
                struct base_why *why);
/* Reads both files again, for the handshakes that begin from now on; connections keep theirs, and
 * tickets given out before are worth nothing any more. A failure leaves all as it was. */
int net_tls_reload(struct net_tls *tls, struct base_why *why);
/* NULL is fine. The server that uses it has to be closed before. */
void net_tls_free(struct net_tls *tls);

/* ---- one connection; one thread at a time ---- */

struct net_tls_conn;

/* The server's side of a connection on a non-blocking descriptor, which stays the caller's. The
 * handshake is made by reading. 0, or BASE_ERR_NOMEM. */
int net_tls_accept(struct net_tls *tls, int fd, struct net_tls_conn **conn);
void net_tls_conn_free(struct net_tls_conn *conn);
/* The handshake is over. */
bool net_tls_established(const struct net_tls_conn *conn);

/* Bytes of one record at most; 0 when the peer has ended; BASE_ERR_AGAIN when the kernel had
 * nothing more, so that an event will tell; BASE_ERR_LIMIT when there was enough to do, but nothing
 * for the caller, who has to ask again; BASE_ERR_SYNTAX when what came is a request of plain
 * HTTP, of which some has been lost; BASE_ERR_CLOSED when the connection is broken. The last two
 * with the reason. */
ssize_t net_tls_read(struct net_tls_conn *conn, char *bytes, size_t len, struct base_why *why);
/* Takes bytes to be sent, put together into as few records as possible; how many. Less than all
 * only when net_tls_unsent; none while it is. BASE_ERR_CLOSED when the connection is broken. */
ssize_t net_tls_writev(struct net_tls_conn *conn, const struct iovec *pieces, int count,
                       struct base_why *why);
/* Something waits for the kernel; call net_tls_flush when an event tells. Reading may cause it. */
bool net_tls_unsent(const struct net_tls_conn *conn);
/* 0, whether all of it went or not; BASE_ERR_CLOSED. */
int net_tls_flush(struct net_tls_conn *conn);
/* Says that nothing will be written any more (close_notify), once. May leave something unsent. */
void net_tls_end(struct net_tls_conn *conn);

#endif
