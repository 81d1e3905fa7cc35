/* SPDX-License-Identifier: ISC
 *
 * incoming: a packet whose attachments have not all come. Threads: the session's worker.
 */
#ifndef NET_SESSION_INCOMING_H
#define NET_SESSION_INCOMING_H

#include "net/session/session.h"

/* Keeps a copy of its text in session->incoming; net_session_set_due is to be called then. `text`
 * is no longer than a message may be. 0, or BASE_ERR_NOMEM. */
int net_incoming_begin(struct net_session *session, struct base_slice text, size_t wanted);
/* Copies an attachment. 1: it was the last one; 0; BASE_ERR_LIMIT when the packet gets longer than
 * a message may be; BASE_ERR_NOMEM. */
int net_incoming_add(struct net_incoming *incoming, struct base_slice bytes);
/* What has come; borrowed. */
struct base_slice net_incoming_text(const struct net_incoming *incoming);
struct net_attachments net_incoming_attachments(struct net_incoming *incoming);
/* When the last one must have come; UINT64_MAX for NULL. */
uint64_t net_incoming_due_us(const struct net_incoming *incoming);
void net_incoming_free(struct net_incoming *incoming);

#endif
