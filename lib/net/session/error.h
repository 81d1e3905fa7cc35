/* SPDX-License-Identifier: ISC
 *
 * error: the errors of Engine.IO's handshake and requests, as the reference server numbers them.
 * Threads: the connection's worker.
 */
#ifndef NET_SESSION_ERROR_H
#define NET_SESSION_ERROR_H

#include "net/io/conn.h"

enum net_eio_error {
    NET_EIO_TRANSPORT_UNKNOWN = 0,
    NET_EIO_SID_UNKNOWN = 1,
    NET_EIO_BAD_METHOD = 2,
    NET_EIO_BAD_REQUEST = 3,
    NET_EIO_FORBIDDEN = 4,
    NET_EIO_BAD_VERSION = 5,
};

/* {"code":...,"message":...} with status 400 or 403, or, where a WebSocket was asked for, the
 * message alone; the connection closes then. */
void net_error_answer(struct net_conn *conn, enum net_eio_error error, bool websocket);

#endif
