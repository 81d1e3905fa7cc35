/* SPDX-License-Identifier: ISC
 *
 * transport: the requests of Engine.IO, as the two transports take them, and the roles of
 * connections that are theirs. Threads: the connection's worker.
 */
#ifndef NET_SESSION_TRANSPORT_H
#define NET_SESSION_TRANSPORT_H

#include "net/session/session.h"

/* A complete request of a session, or to open one; the query parameters have been checked. */
void net_polling_open(struct net_conn *conn, struct net_http1 *http);
void net_polling_get(struct net_conn *conn, struct net_session *session);
/* The head of a POST has come. */
void net_polling_post_begins(struct net_conn *conn, struct net_session *session);
void net_polling_post(struct net_conn *conn, struct net_session *session, struct base_buf *body);
/* The connection has no request of its session any more, answered or not. */
void net_polling_leave(struct net_conn *conn);
/* The connection of a waiting GET or a running POST has been lost. */
void net_polling_lost(struct net_conn *conn);

/* Answers an upgrade request: of a new session (NULL), or of one that polls. */
void net_upgrade_open(struct net_conn *conn, struct net_http1 *http, struct net_session *session);

extern const struct net_transport net_polling_transport, net_websocket_transport;
/* WAITING, WS, PROBE. */
extern const struct net_conn_role net_polling_get_role, net_websocket_role, net_upgrade_role;

#endif
