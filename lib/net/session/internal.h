/* SPDX-License-Identifier: ISC
 *
 * internal: what the files of a session share.
 */
#ifndef NET_SESSION_INTERNAL_H
#define NET_SESSION_INTERNAL_H

#include "net/session/session.h"

/* What exists only while a session polls. */
struct net_polling {
    struct net_conn *get;   /* waits for something to send */
    struct net_conn *post;  /* its body is being read */
    struct net_conn *probe; /* of an upgrade */
};

/* The session goes over to another transport, and none of its requests is for it any more. */
void net_polling_end(struct net_session *session);

/* ---- ids and the table of sessions ---- */

/* Gives the session a slot in the table of its worker, and an id. 0, BASE_ERR_NOMEM,
 * BASE_ERR_LIMIT, BASE_ERR_INTERNAL without random bytes. */
int net_session_id_take(struct net_session *session);
void net_session_id_give_back(struct net_session *session);
/* The session of that id, in whatever state, or NULL. */
struct net_session *net_session_id_find(struct net_sessions *sessions, struct base_slice sid);
/* Goes through the table: start with *slot = 0; NULL at its end. Sessions may come and go
 * meanwhile. */
struct net_session *net_session_id_next(const struct net_sessions *sessions, uint32_t *slot);

/* ---- who is at the other end ---- */

/* Notes what of the peer the connection will not tell later, and counts its address. 0;
 * BASE_ERR_LIMIT when the address has too many sessions; BASE_ERR_NOMEM. */
int net_session_peer_note(struct net_session *session, struct net_conn *conn,
                          struct net_http1 *http);
void net_session_peer_forget(struct net_session *session);
/* The connection is about to go, and the address will be asked for. */
void net_session_peer_keep(struct net_session *session);

/* ---- a connection with frames ---- */

/* Sends a frame ahead of everything that is queued. */
void net_websocket_send(struct net_conn *conn, enum net_ws_opcode opcode,
                        struct base_slice payload);
/* The next event, if there is one, with its message expanded; as net_ws_next. */
int net_websocket_next(struct net_conn *conn, char *bytes, size_t len, size_t *used,
                       struct net_ws_event *event);
/* A thousand bytes may expand to a million, so what is expanded counts by its length. False when
 * that was too much: the session has ended. */
bool net_websocket_pay(struct net_session *session, const struct net_ws_event *event);
/* The connection is the session's from now on. */
void net_websocket_start(struct net_session *session, struct net_conn *conn);
/* The `take` and `drop` of the role. */
size_t net_websocket_take(struct net_conn *conn, char *bytes, size_t len);
void net_websocket_drop(struct net_conn *conn);

#endif
