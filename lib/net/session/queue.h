/* SPDX-License-Identifier: ISC
 *
 * queue: what a session has to send: frames of its own, and its place in a log. Nothing here ends a
 * session: what is found is returned. Threads: the session's worker.
 */
#ifndef NET_SESSION_QUEUE_H
#define NET_SESSION_QUEUE_H

#include "net/session/session.h"

#include <sys/uio.h>

#define NET_IOVECS 32 /* of one write */

/* A frame of one session alone. */
struct net_frame {
    struct net_frame *next;
    uint64_t after; /* the position in the log behind which it belongs */
    uint32_t len;
    uint32_t sent;
    char bytes[]; /* as a WebSocket frame */
};

/* Adds an own frame: a text packet with its type character, or a binary message. 0; BASE_ERR_LIMIT
 * when too much waits, and nothing is added; BASE_ERR_NOMEM. */
int net_queue_add(struct net_session *session, enum net_ws_opcode opcode, const char *bytes,
                  size_t len);
void net_queue_clear(struct net_session *session);
bool net_queue_empty(const struct net_session *session);
uint64_t net_queue_bytes(const struct net_session *session);
/* Collects what is next, in order, as pieces for a write; how many. */
int net_queue_peek(struct net_session *session, struct iovec pieces[static NET_IOVECS]);
/* That many bytes of it have been written. */
void net_queue_sent(struct net_session *session, size_t len);
/* True while a frame has been written in part. */
bool net_queue_midway(const struct net_session *session);
/* What is left of it. */
struct base_slice net_queue_rest_of_frame(struct net_session *session);
/* Whether more waits than may; a single frame of any size is let through. */
bool net_queue_exceeds(struct net_session *session);
/* Follows a view from its end on, in the form that suits the session. */
void net_queue_follow(struct net_session *session, struct net_view *view);
/* For a session that has begun to follow the plain form and may have the compressed one: goes over
 * to it when it has sent all that there is. */
void net_queue_catch_up(struct net_session *session);
/* Takes the session out of its log; what is left of a frame written in part becomes its own. 0, or
 * BASE_ERR_NOMEM: that rest is lost, and the client cannot read on. */
int net_queue_unfollow(struct net_session *session);

#endif
