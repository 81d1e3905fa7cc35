/* SPDX-License-Identifier: ISC
 *
 * joining: sessions whose clients have not joined a namespace yet. Threads: the session's worker.
 */
#ifndef NET_SESSION_JOINING_H
#define NET_SESSION_JOINING_H

#include "net/session/session.h"

#define NET_JOINING_MESSAGE_MAX 16384 /* bytes of a message before joining */

/* Makes session->joining, with the header of Authorization. 0, or BASE_ERR_NOMEM. */
int net_joining_new(struct net_session *session, struct net_http1 *http);
/* Counts a session that has no socket, and has not joined, from now on. Others may have to go: they
 * are doomed. */
void net_joining_again(struct net_session *session);
/* Before and after on_connect: fills in what is known of the client, which stays until then. */
void net_joining_ask(struct net_session *session, struct net_connect *connect);
void net_joining_asked(struct net_session *session);
/* It has joined, or ends. */
void net_joining_end(struct net_session *session);
/* When it must have joined; UINT64_MAX for NULL. */
uint64_t net_joining_due_us(const struct net_joining *joining);

#endif
